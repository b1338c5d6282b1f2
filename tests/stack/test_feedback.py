"""What SES reports becomes suppressions, once and only once, and what cannot be read is kept for people."""

import ses_payloads
from conftest import eventually


def test_bounce_of_mail_sent_through_ses_becomes_a_suppression(stack, unique):
    recipient = f"bounce+{unique}@simulator.amazonses.com"
    stack.send_mail(recipient)
    assert len(eventually(lambda: stack.suppressions(recipient), seconds=10)) == 1


def test_complaint_about_mail_sent_through_ses_becomes_a_suppression(stack, unique):
    recipient = f"complaint+{unique}@simulator.amazonses.com"
    stack.send_mail(recipient)
    assert len(eventually(lambda: stack.suppressions(recipient), seconds=10)) == 1


def test_notification_delivered_five_times_counts_once(stack, unique):
    recipient = f"{unique}@example.net"
    notification = ses_payloads.bounce(recipient)
    for _ in range(5):
        stack.sns.publish(TopicArn=stack.topic_arn, Message=notification)
    eventually(lambda: stack.suppressions(recipient))
    eventually(lambda: stack.waiting() == 0)
    assert len(stack.suppressions(recipient)) == 1
    assert len(stack.history(recipient)) == 1


def test_bad_record_leaves_its_neighbours_alone_and_ends_in_the_dead_letter_queue(stack, unique):
    before, after = f"before-{unique}@example.net", f"after-{unique}@example.net"
    not_json = f"not JSON {unique}"
    with stack.intake_paused():
        for message in (ses_payloads.bounce(before), not_json, ses_payloads.bounce(after)):
            stack.sns.publish(TopicArn=stack.topic_arn, Message=message)
    for recipient in (before, after):
        assert len(eventually(lambda: stack.suppressions(recipient))) == 1
    eventually(lambda: stack.waiting() == 0)
    dead_letters = stack.take_dead_letters()
    assert len(dead_letters) == 1
    assert not_json in dead_letters[0]


def test_postroomctl_tells_why_a_recipient_is_suppressed(stack, unique):
    recipient = f"{unique}@example.net"
    stack.sns.publish(TopicArn=stack.topic_arn, Message=ses_payloads.bounce(recipient))
    eventually(lambda: stack.suppressions(recipient))
    answer = stack.postroomctl("suppression", "get", recipient)
    assert answer.returncode == 0, answer.stderr
    assert recipient in answer.stdout
    assert "bounce" in answer.stdout.lower()
