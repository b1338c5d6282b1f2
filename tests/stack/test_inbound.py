"""Inbound mail: the active receipt rule of the local SES stores it and invokes the function.

The outbox of the local SES contains the unchanged bytes of the mail that the function sends.
"""

import contextlib
import email
import email.policy
import json
import pathlib
import re
import socket
import time
import urllib.parse

import boto3
import pytest
from boto3.dynamodb.conditions import Key
from conftest import ROOT, eventually

DOMAIN = "inbound-test.example"
MAILS = ROOT / "events" / "inbound" / "mail"
# Work that is not finished within the time budget is handed over to the queue and begins after CLAIM_SECONDS (90).
HANDED_OVER_SECONDS = 300


class Inbound:
    """The inbound function."""

    def __init__(self, stack, folder: pathlib.Path):
        self.stack, self.folder = stack, folder
        self.function = stack.outputs["InboundFunctionName"]
        self.bucket = stack.outputs["MailBucketName"]
        self.s3, self.client = boto3.client("s3"), boto3.client("lambda")

    @contextlib.contextmanager
    def environment(self, **changes: str):
        """Change environment variables of the function."""
        before = self.client.get_function_configuration(FunctionName=self.function)["Environment"]["Variables"]
        self.set(before | changes)
        try:
            yield
        finally:
            self.set(before)

    @contextlib.contextmanager
    def second_rule(self, recipient: str):
        """Another rule of the active rule set that invokes the function too, for one recipient."""
        ses, rule_set = self.stack.ses, "postroom"
        function = self.client.get_function_configuration(FunctionName=self.function)["FunctionArn"]
        action = {"LambdaAction": {"FunctionArn": function, "InvocationType": "RequestResponse"}}
        rule = {"Name": "second", "Enabled": True, "Recipients": [recipient], "Actions": [action]}
        ses.create_receipt_rule(RuleSetName=rule_set, After="postroom-inbound", Rule=rule)
        try:
            yield
        finally:
            ses.delete_receipt_rule(RuleSetName=rule_set, RuleName="second")

    def set(self, variables: dict[str, str]) -> None:
        self.client.update_function_configuration(FunctionName=self.function, Environment={"Variables": variables})
        self.client.get_waiter("function_updated_v2").wait(FunctionName=self.function, WaiterConfig={"Delay": 1})

    def apply(self, *mailboxes: dict) -> None:
        """Configure mailboxes. Each test uses addresses of its own."""
        text = ""
        for mailbox in mailboxes:
            actions = ", ".join(
                "{ " + ", ".join(f"{name} = {json.dumps(value)}" for name, value in action.items()) + " }"
                for action in mailbox["actions"]
            )
            text += f'[[mailbox]]\naddress = "{mailbox["address"]}"\nactions = [{actions}]\n'
        file = self.folder / "postroom.toml"
        file.write_text(text)
        answer = self.stack.postroomctl("apply", str(file), "--yes")
        assert answer.returncode == 0, answer.stdout + answer.stderr

    def receive(self, mail: bytes, recipient: str, **verdicts: str) -> tuple[str, str]:
        """Receive a mail. Returns the message id and the function's last disposition."""
        report = self.stack.local_ses.receive(mail, [recipient], verdicts=verdicts)
        failed = [action for action in report["actions"] if "error" in action]
        assert not failed, failed
        return report["messageId"], report["actions"][-1]["disposition"]

    def sent_to(self, address: str) -> list[bytes]:
        return self.stack.local_ses.sent_to(address)

    def index(self, mailbox: str) -> list[dict]:
        key = Key("pk").eq(f"MAIL#{mailbox}")
        return self.stack.table.query(KeyConditionExpression=key, ConsistentRead=True)["Items"]


@pytest.fixture(scope="module")
def inbound(stack, tmp_path_factory):
    stack.ses.verify_domain_identity(Domain=DOMAIN)
    return Inbound(stack, tmp_path_factory.mktemp("inbound"))


def body(mail: bytes) -> bytes:
    """The body of a mail with either kind of line ending."""
    ends = [(mail.find(end), len(end)) for end in (b"\r\n\r\n", b"\n\n") if end in mail]
    at, length = min(ends)
    return mail[at + length :]


@pytest.mark.parametrize("name", ["plain", "latin1-raw", "binary-body", "smime-signed", "outlook-tnef"])
def test_a_forward_is_accepted_by_ses_with_an_unchanged_body(inbound, unique, name):
    mail = (MAILS / f"{name}.eml").read_bytes()
    box, to = f"{unique}@{DOMAIN}", f"{unique}@client.example"
    inbound.apply({"address": box, "actions": [{"action": "forward", "to": [to], "from": f"forward@{DOMAIN}"}]})

    assert inbound.receive(mail, box)[1] == "CONTINUE"
    (forwarded,) = eventually(lambda: inbound.sent_to(to), HANDED_OVER_SECONDS)
    assert body(forwarded) == body(mail)
    read = email.message_from_bytes(forwarded, policy=email.policy.default)
    assert read["From"].addresses[0].addr_spec == f"forward@{DOMAIN}"
    assert read["X-Postroom-Forwarded"] == box


def test_two_invocations_for_a_mail_forward_it_once_and_a_forward_loop_ends(inbound, unique):
    box, to = f"{unique}@{DOMAIN}", f"{unique}@client.example"
    inbound.apply({"address": box, "actions": [{"action": "forward", "to": [to], "from": f"forward@{DOMAIN}"}]})
    mail = b"From: jane@client.example\r\nTo: x@example.net\r\nSubject: twice\r\n\r\nHello\r\n"
    with inbound.second_rule(box):
        report = inbound.stack.local_ses.receive(mail, [box])
    dispositions = [action["disposition"] for action in report["actions"] if action["type"] == "Lambda"]
    assert dispositions == ["CONTINUE", "CONTINUE"]
    (sent,) = eventually(lambda: inbound.sent_to(to), HANDED_OVER_SECONDS)

    # The forward returns to the mailbox.
    assert inbound.receive(sent, box)[1] == "CONTINUE"

    def loop_recorded():
        reasons = [reason for row in inbound.index(box) for reason in row.get("reasons", set())]
        return any("loop" in reason for reason in reasons)

    eventually(loop_recorded, HANDED_OVER_SECONDS)
    assert len(inbound.sent_to(to)) == 1


def test_a_mail_with_a_failed_verdict_is_stored_and_not_forwarded(inbound, unique):
    box, to = f"{unique}@{DOMAIN}", f"{unique}@client.example"
    actions = [{"action": "store"}, {"action": "forward", "to": [to], "from": f"forward@{DOMAIN}"}]
    inbound.apply({"address": box, "actions": actions})
    mail = b"From: jane@client.example\r\nSubject: win\r\n\r\nHello\r\n"
    for check in ("virusVerdict", "spamVerdict"):
        message_id, disposition = inbound.receive(mail, box, **{check: "FAIL"})
        assert disposition == "STOP_RULE_SET", check
        assert inbound.s3.head_object(Bucket=inbound.bucket, Key=f"mail/{message_id}")
    eventually(lambda: len(inbound.index(box)) == 2, HANDED_OVER_SECONDS)
    assert inbound.sent_to(to) == []


def test_a_valid_token_unsubscribes_and_a_forged_token_does_not(inbound, unique):
    box, jane = f"leave-{unique}@{DOMAIN}", f"{unique}@client.example"
    inbound.apply({"address": box, "actions": [{"action": "unsubscribe"}]})
    key = inbound.folder / "key"
    secrets = boto3.client("secretsmanager")
    arn = inbound.client.get_function_configuration(FunctionName=inbound.function)
    arn = arn["Environment"]["Variables"]["UNSUBSCRIBE_SECRET_ARN"]
    key.write_text(secrets.get_secret_value(SecretId=arn)["SecretString"])
    link = ["unsubscribe-link", jane, "--scope", f"domain:{DOMAIN}", "--mailbox", box, "--key-file", str(key)]
    header = inbound.stack.postroomctl(*link)
    assert header.returncode == 0, header.stderr
    mailto = header.stdout.split("<mailto:", 1)[1].split(">", 1)[0]
    to, _, query = mailto.partition("?subject=")
    subject = urllib.parse.unquote(query)

    (token,) = re.findall(r"1[a-z2-7]{20,}", mailto)
    forged = token[:20] + ("a" if token[20] != "a" else "b") + token[21:]

    def unsubscribe_with(used_token: str) -> None:
        mail = f"From: {jane}\r\nSubject: {subject.replace(token, used_token)}\r\n\r\n"
        inbound.receive(mail.encode(), to.replace(token, used_token))

    for invalid in (forged, "please"):
        unsubscribe_with(invalid)
    assert inbound.stack.suppressions(jane) == []
    unsubscribe_with(token)
    eventually(
        lambda: inbound.stack.postroomctl("check", jane, "--identity", DOMAIN).returncode == 1, HANDED_OVER_SECONDS
    )


def test_a_bounce_received_as_mail_suppresses_the_recipient(inbound, unique):
    """SES sends its reports to the sender by mail when it cannot publish to a topic."""
    box, dead = f"sender-{unique}@{DOMAIN}", f"{unique}@gone.example"
    inbound.apply({"address": box, "actions": [{"action": "store"}]})
    # The domain has no topics, so SES sends the report to the Return-Path.
    inbound.stack.local_ses.bounce(dead, sender=box)
    (report,) = inbound.stack.local_ses.sent_to(box, kind="feedback")
    inbound.receive(report, box, dmarcVerdict="GRAY")
    inbound.receive(report, box)

    (row,) = eventually(lambda: inbound.stack.suppressions(dead), HANDED_OVER_SECONDS)
    # A report is a claim: it suppresses in the sender's scope and for a limited time.
    assert row[f"domain:{DOMAIN}|unconfirmed-bounce"]["blocked"] is True
    assert "until" in row[f"domain:{DOMAIN}|unconfirmed-bounce"]
    assert "global|bounce" not in row

    def report_rejected():
        reasons = [reason for row in inbound.index(box) for reason in row.get("reasons", set())]
        return any(reason.startswith("report: not ") for reason in reasons)

    eventually(report_rejected, HANDED_OVER_SECONDS)


def test_without_a_response_of_the_table_the_function_answers_in_time_and_forwards_later(inbound, unique):
    """SES receives the disposition within the time budget. The queue finishes the work when the table responds."""
    box, to = f"{unique}@{DOMAIN}", f"{unique}@client.example"
    inbound.apply({"address": box, "actions": [{"action": "forward", "to": [to], "from": f"forward@{DOMAIN}"}]})
    mail = b"From: jane@client.example\r\nSubject: late\r\n\r\nHello\r\n"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.listen(50)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        # Work that is handed over begins when the claim has expired: here after 30 seconds.
        changes = {"AWS_ENDPOINT_URL_DYNAMODB": url, "TIME_BUDGET_SECONDS": "2", "CLAIM_SECONDS": "30"}
        durations = []
        with inbound.environment(**changes):
            # Both invocations wait for the table. On a busy machine one of them may exceed the limit.
            for recipient in (box, f"nobody-{box}"):
                began = time.monotonic()
                _, disposition = inbound.receive(mail, recipient)
                durations.append(time.monotonic() - began)
                assert disposition == "CONTINUE"
            _, stopped = inbound.receive(mail, box, spamVerdict="FAIL")
    assert stopped == "STOP_RULE_SET", "verdicts are applied without the table"
    assert min(durations) < 10, durations
    (sent,) = eventually(lambda: inbound.sent_to(to), HANDED_OVER_SECONDS)
    assert body(sent) == b"Hello\r\n"
