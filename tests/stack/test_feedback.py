"""What SES reports becomes suppressions, once and only once, and what cannot be read is kept for people."""

import json

from conftest import eventually


def test_bounce_of_mail_sent_through_ses_becomes_a_suppression(stack, unique):
    recipient = f"bounce+{unique}@simulator.amazonses.com"
    stack.local_ses.send(recipient)
    assert len(eventually(lambda: stack.suppressions(recipient))) == 1


def test_complaint_about_mail_sent_through_ses_becomes_a_suppression(stack, unique):
    recipient = f"complaint+{unique}@simulator.amazonses.com"
    stack.local_ses.send(recipient)
    assert len(eventually(lambda: stack.suppressions(recipient))) == 1


def test_notification_delivered_five_times_counts_once(stack, unique):
    recipient = f"{unique}@example.net"
    stack.local_ses.publish_times(5, "Bounce", recipient)
    stack.local_ses.bounce(recipient)
    eventually(lambda: stack.suppressions(recipient))
    eventually(lambda: stack.waiting() == 0)
    assert len(stack.suppressions(recipient)) == 1
    assert len(stack.history(recipient)) == 1


def test_bad_record_leaves_its_neighbours_alone_and_ends_in_the_dead_letter_queue(stack, unique):
    before, after = f"before-{unique}@example.net", f"after-{unique}@example.net"
    not_json = f"not JSON {unique}"
    with stack.intake_paused():
        stack.local_ses.bounce(before)
        stack.sns.publish(TopicArn=stack.topic_arn, Message=not_json)
        stack.local_ses.bounce(after)
    for recipient in (before, after):
        assert len(eventually(lambda: stack.suppressions(recipient))) == 1
    eventually(lambda: stack.waiting() == 0)
    # Whatever another test left is none of ours.
    (dead_letter,) = [letter for letter in stack.take_dead_letters() if unique in letter]
    assert not_json in dead_letter


def test_postroomctl_tells_why_a_recipient_is_suppressed(stack, unique):
    recipient = f"{unique}@example.net"
    stack.local_ses.bounce(recipient)
    eventually(lambda: stack.suppressions(recipient))
    answer = stack.postroomctl("suppression", "get", recipient)
    assert answer.returncode == 0, answer.stderr
    assert recipient in answer.stdout
    assert "bounce" in answer.stdout.lower()


def test_what_a_sender_sent_and_what_came_of_it(stack, unique):
    recipients = [f"{number}-{unique}@example.net" for number in range(5)]
    stack.local_ses.create_reporting_configuration_set(unique, stack.topic_arn, ["SEND", "DELIVERY"])
    stack.local_ses.publish_times(3, "Delivery", recipients[0])
    for recipient in recipients:
        stack.local_ses.set_outcomes(recipient, *(["delivery"] if recipient == recipients[0] else []))
        stack.local_ses.send(recipient, ConfigurationSetName=unique)

    def counted():
        senders = json.loads(stack.postroomctl("reputation", "senders", "--json").stdout)
        lines = [line for sender in senders for line in sender["dayByLine"] if line["configurationSet"] == unique]
        return lines and lines[0]["counts"]["send"] == 5 and lines[0]["counts"]["delivery"] == 1

    eventually(counted)


def test_a_release_stands_when_the_bounce_is_delivered_again(stack, unique):
    recipient = f"{unique}@example.net"
    stack.local_ses.bounce(recipient)
    eventually(lambda: stack.suppressions(recipient))
    assert stack.postroomctl("suppression", "release", recipient, "--reason", "stack test").returncode == 0
    stack.local_ses.publish_again("Bounce", recipient)
    eventually(lambda: stack.waiting() == 0)
    assert stack.postroomctl("suppression", "get", recipient).returncode == 1
    assert [line["kind"] for line in stack.history(recipient)] == ["hard", "manual-release"]
