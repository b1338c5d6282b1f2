"""Notifications become suppressions exactly once. Unreadable messages become dead letters."""

import json

from conftest import eventually


def test_a_bounce_of_mail_sent_through_ses_suppresses_the_recipient(stack, unique):
    recipient = f"bounce+{unique}@simulator.amazonses.com"
    stack.local_ses.send(recipient)
    assert len(eventually(lambda: stack.suppressions(recipient))) == 1


def test_a_complaint_about_mail_sent_through_ses_suppresses_the_recipient(stack, unique):
    recipient = f"complaint+{unique}@simulator.amazonses.com"
    stack.local_ses.send(recipient)
    assert len(eventually(lambda: stack.suppressions(recipient))) == 1


def test_a_notification_delivered_five_times_is_applied_once(stack, unique):
    recipient = f"{unique}@example.net"
    stack.local_ses.publish_times(5, "Bounce", recipient)
    stack.local_ses.bounce(recipient)
    eventually(lambda: stack.suppressions(recipient))
    eventually(lambda: stack.queue_length() == 0)
    assert len(stack.suppressions(recipient)) == 1
    assert len(stack.history(recipient)) == 1


def test_an_unreadable_record_becomes_a_dead_letter_and_the_others_of_its_batch_are_applied(stack, unique):
    before, after = f"before-{unique}@example.net", f"after-{unique}@example.net"
    not_json = f"not JSON {unique}"
    with stack.intake_disabled():
        stack.local_ses.bounce(before)
        stack.sns.publish(TopicArn=stack.topic_arn, Message=not_json)
        stack.local_ses.bounce(after)
    for recipient in (before, after):
        assert len(eventually(lambda: stack.suppressions(recipient))) == 1
    eventually(lambda: stack.queue_length() == 0)
    # Other tests may have left dead letters.
    (dead_letter,) = [letter for letter in stack.take_dead_letters() if unique in letter]
    assert not_json in dead_letter


def test_postroomctl_shows_why_a_recipient_is_suppressed(stack, unique):
    recipient = f"{unique}@example.net"
    stack.local_ses.bounce(recipient)
    eventually(lambda: stack.suppressions(recipient))
    output = stack.postroomctl("suppression", "get", recipient)
    assert output.returncode == 0, output.stderr
    assert recipient in output.stdout
    assert "bounce" in output.stdout.lower()


def test_sends_and_deliveries_are_counted_by_configuration_set(stack, unique):
    recipients = [f"{number}-{unique}@example.net" for number in range(5)]
    stack.local_ses.create_reporting_configuration_set(unique, stack.topic_arn, ["SEND", "DELIVERY"])
    stack.local_ses.publish_times(3, "Delivery", recipients[0])
    for recipient in recipients:
        stack.local_ses.set_outcomes(recipient, *(["delivery"] if recipient == recipients[0] else []))
        stack.local_ses.send(recipient, ConfigurationSetName=unique)

    def counted():
        senders = json.loads(stack.postroomctl("reputation", "senders", "--json").stdout)
        streams = [stream for sender in senders for stream in sender["dayByStream"]]
        counts = [stream["counts"] for stream in streams if stream["configurationSet"] == unique]
        return counts and counts[0]["send"] == 5 and counts[0]["delivery"] == 1

    eventually(counted)


def test_a_repeated_bounce_does_not_undo_a_release(stack, unique):
    recipient = f"{unique}@example.net"
    stack.local_ses.bounce(recipient)
    eventually(lambda: stack.suppressions(recipient))
    assert stack.postroomctl("suppression", "release", recipient, "--reason", "stack test").returncode == 0
    stack.local_ses.publish_again("Bounce", recipient)
    eventually(lambda: stack.queue_length() == 0)
    assert stack.postroomctl("suppression", "get", recipient).returncode == 1
    assert [item["kind"] for item in stack.history(recipient)] == ["hard", "manual-release"]
