"""The README's answer to "may I mail this address?", in Python, against what the function wrote."""

import pathlib
import sys

from conftest import ROOT, eventually
from ses_payloads import bounce, complaint

sys.path.insert(0, str(ROOT / "examples"))
from may_mail import may_mail  # noqa: E402


def test_readme_shows_the_example_that_is_tested():
    example = (ROOT / "examples" / "may_mail.py").read_text()
    assert example in (ROOT / "README.md").read_text()


def test_a_sender_in_another_language_reads_the_same_answer(stack, unique):
    dead, angry, fine = (f"{word}-{unique}@Example.com" for word in ("dead", "angry", "fine"))
    stack.sns.publish(TopicArn=stack.topic_arn, Message=bounce(dead))
    stack.sns.publish(TopicArn=stack.topic_arn, Message=complaint(angry))
    eventually(lambda: stack.suppressions(dead) and stack.suppressions(angry))

    table = stack.table
    assert may_mail(table, fine) is True
    assert may_mail(table, dead).startswith("hard bounce, user-unknown")
    assert may_mail(table, angry) is True, "a complaint concerns the sender it is about"
    assert may_mail(table, angry, domain="stack-test.example").startswith("complaint")
    assert may_mail(table, angry, domain="other.example") is True

    assert stack.postroomctl("suppression", "release", dead, "--reason", "stack test").returncode == 0
    assert may_mail(table, dead) is True
    for address in (dead, angry):
        asked = stack.postroomctl("check", address, "--identity", "stack-test.example")
        assert (asked.returncode == 0) == (may_mail(table, address, domain="stack-test.example") is True)
