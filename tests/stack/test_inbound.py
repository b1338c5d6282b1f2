<<<<<<< HEAD
"""Mail that arrives: given to the local SES, whose active receipt rule stores it and invokes the function.

What the function sends is in the outbox of the local SES, byte for byte.
=======
"""Inbound mail: each test puts it into the bucket as the S3 action does, and invokes the function as the Lambda action does.

The emulator has no receipt rules, and stores only what it can parse of a sent mail. The function's SES requests pass through
a recorder, which keeps the bytes.
>>>>>>> prove
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
<<<<<<< HEAD
# What a slow machine did not finish before SES was answered comes from the queue, after CLAIM_SECONDS: 90.
HANDED_OVER_SECONDS = 300


=======
PASS = {"status": "PASS"}
# Work that is not finished within the time budget is handed over to the queue and begins after CLAIM_SECONDS (90).
HANDED_OVER_SECONDS = 300


class Recorder:
    """A proxy in front of the local SES that records the requests."""

    def __init__(self):
        self.sent: list[dict] = []
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"] + self.path, body, dict(self.headers))
                try:
                    with urllib.request.urlopen(request) as response:
                        status, text = response.status, response.read()
                except urllib.error.HTTPError as error:
                    status, text = error.code, error.read()
                recorder.sent.append({"status": status, "response": text.decode(), "request": json.loads(body)})
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def to(self, address: str) -> list[dict]:
        return [sent for sent in self.sent if sent["request"]["Destination"]["ToAddresses"] == [address]]


>>>>>>> prove
class Inbound:
    """The inbound function."""

    def __init__(self, stack, folder: pathlib.Path):
        self.stack, self.folder = stack, folder
        self.function = stack.outputs["InboundFunctionName"]
        self.bucket = stack.outputs["MailBucketName"]
        self.s3, self.client = boto3.client("s3"), boto3.client("lambda")

<<<<<<< HEAD
=======
    def allow_the_local_ses(self) -> None:
        """Allow ses:SendEmail for `*`: the emulator does not check the permission for the identity."""
        role = self.client.get_function_configuration(FunctionName=self.function)["Role"].rsplit("/", 1)[1]
        send = {"Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [send]})
        boto3.client("iam").put_role_policy(RoleName=role, PolicyName="local-ses", PolicyDocument=policy)

>>>>>>> prove
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

<<<<<<< HEAD
    def receive(self, mail: bytes, recipient: str, **verdicts: str) -> tuple[str, str]:
        """The id of the message, and the function's last disposition."""
        report = self.stack.local_ses.receive(mail, [recipient], verdicts=verdicts)
        failed = [action for action in report["actions"] if "error" in action]
        assert not failed, failed
        return report["messageId"], report["actions"][-1]["disposition"]
=======
    def receive(self, mail: bytes, recipient: str, **receipt) -> tuple[str, dict]:
        """Store the mail and invoke the function synchronously, as SES does."""
        event = self.event(recipient, **receipt)
        message_id = event["Records"][0]["ses"]["mail"]["messageId"]
        self.s3.put_object(Bucket=self.bucket, Key=f"mail/{message_id}", Body=mail)
        return message_id, self.invoke(event)
>>>>>>> prove

    def sent_to(self, address: str) -> list[bytes]:
        return self.stack.local_ses.sent_to(address)

    def index(self, mailbox: str) -> list[dict]:
        key = Key("pk").eq(f"MAIL#{mailbox}")
        return self.stack.table.query(KeyConditionExpression=key, ConsistentRead=True)["Items"]


@pytest.fixture(scope="module")
def inbound(stack, tmp_path_factory):
    stack.ses.verify_domain_identity(Domain=DOMAIN)
<<<<<<< HEAD
    return Inbound(stack, tmp_path_factory.mktemp("inbound"))
=======
    recorder = Recorder()
    inbound = Inbound(stack, recorder, tmp_path_factory.mktemp("inbound"))
    inbound.allow_the_local_ses()
    with inbound.environment(AWS_ENDPOINT_URL_SESV2=recorder.url):
        yield inbound


def raw(sent: dict) -> bytes:
    return base64.b64decode(sent["request"]["Content"]["Raw"]["Data"])
>>>>>>> prove


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

<<<<<<< HEAD
    assert inbound.receive(mail, box)[1] == "CONTINUE"
    (forwarded,) = eventually(lambda: inbound.sent_to(to), HANDED_OVER_SECONDS)
=======
    _, answer = inbound.receive(mail, box)

    assert answer == {"disposition": "CONTINUE"}
    (sent,) = eventually(lambda: inbound.recorder.to(to), HANDED_OVER_SECONDS)
    assert sent["status"] == 200, sent["response"]
    forwarded = raw(sent)
>>>>>>> prove
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

<<<<<<< HEAD
    # What was sent comes back to the mailbox.
    assert inbound.receive(sent, box)[1] == "CONTINUE"
=======
    # The forward returns to the mailbox.
    _, answer = inbound.receive(raw(sent), box)

    assert answer == {"disposition": "CONTINUE"}
>>>>>>> prove

    def loop_recorded():
        reasons = [reason for row in inbound.index(box) for reason in row.get("reasons", set())]
        return any("loop" in reason for reason in reasons)

<<<<<<< HEAD
    eventually(noticed, HANDED_OVER_SECONDS)
    assert len(inbound.sent_to(to)) == 1
=======
    eventually(loop_recorded, HANDED_OVER_SECONDS)
    assert len(inbound.recorder.to(to)) == 1
>>>>>>> prove


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


<<<<<<< HEAD
def test_a_bounce_that_came_as_mail_suppresses(inbound, unique):
    """When SES cannot publish to a topic it mails its reports, to the sender."""
=======
def test_a_bounce_received_as_mail_suppresses_the_recipient(inbound, unique):
    """SES sends its reports to the sender by mail when it cannot publish to a topic."""
>>>>>>> prove
    box, dead = f"sender-{unique}@{DOMAIN}", f"{unique}@gone.example"
    inbound.apply({"address": box, "actions": [{"action": "store"}]})
    # The domain has no topics, so SES sends the report to the Return-Path.
    inbound.stack.local_ses.bounce(dead, sender=box)
    (report,) = inbound.stack.local_ses.sent_to(box, kind="feedback")
    inbound.receive(report, box, dmarcVerdict="GRAY")
    inbound.receive(report, box)

    (row,) = eventually(lambda: inbound.stack.suppressions(dead), HANDED_OVER_SECONDS)
    assert row["global|bounce"]["blocked"] is True

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
<<<<<<< HEAD
                _, disposition = inbound.receive(mail, recipient)
                took.append(time.monotonic() - began)
                assert disposition == "CONTINUE"
            _, stopped = inbound.receive(mail, box, spamVerdict="FAIL")
    assert stopped == "STOP_RULE_SET", "the verdicts count without the table"
    assert min(took) < 10, took
    (sent,) = eventually(lambda: inbound.sent_to(to), HANDED_OVER_SECONDS)
    assert body(sent) == b"Hello\r\n"
=======
                _, answer = inbound.receive(mail, recipient)
                durations.append(time.monotonic() - began)
                assert answer == {"disposition": "CONTINUE"}
            _, stopped = inbound.receive(mail, box, spamVerdict={"status": "FAIL"})
    assert stopped == {"disposition": "STOP_RULE_SET"}, "verdicts are applied without the table"
    assert min(durations) < 10, durations
    (sent,) = eventually(lambda: inbound.recorder.to(to), HANDED_OVER_SECONDS)
    assert body(raw(sent)) == b"Hello\r\n"
>>>>>>> prove
