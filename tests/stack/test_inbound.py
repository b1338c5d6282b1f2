"""Inbound mail: each test puts it into the bucket as the S3 action does, and invokes the function as the Lambda action does.

The emulator has no receipt rules, and stores only what it can parse of a sent mail. The function's SES requests pass through
a recorder, which keeps the bytes.
"""

import base64
import contextlib
import datetime
import email
import email.policy
import email.utils
import http.server
import json
import os
import pathlib
import re
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

import boto3
import pytest
from boto3.dynamodb.conditions import Key
from conftest import ROOT, eventually

DOMAIN = "inbound-test.example"
MAILS = ROOT / "events" / "inbound" / "mail"
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


class Inbound:
    """The inbound function."""

    def __init__(self, stack, recorder: Recorder, folder: pathlib.Path):
        self.stack, self.recorder, self.folder = stack, recorder, folder
        self.function = stack.outputs["InboundFunctionName"]
        self.bucket = stack.outputs["MailBucketName"]
        self.s3, self.client = boto3.client("s3"), boto3.client("lambda")

    def allow_the_local_ses(self) -> None:
        """Allow ses:SendEmail for `*`: the emulator does not check the permission for the identity."""
        role = self.client.get_function_configuration(FunctionName=self.function)["Role"].rsplit("/", 1)[1]
        send = {"Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [send]})
        boto3.client("iam").put_role_policy(RoleName=role, PolicyName="local-ses", PolicyDocument=policy)

    @contextlib.contextmanager
    def environment(self, **changes: str):
        """Change environment variables of the function."""
        before = self.client.get_function_configuration(FunctionName=self.function)["Environment"]["Variables"]
        self.set(before | changes)
        try:
            yield
        finally:
            self.set(before)

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

    def receive(self, mail: bytes, recipient: str, **receipt) -> tuple[str, dict]:
        """Store the mail and invoke the function synchronously, as SES does."""
        event = self.event(recipient, **receipt)
        message_id = event["Records"][0]["ses"]["mail"]["messageId"]
        self.s3.put_object(Bucket=self.bucket, Key=f"mail/{message_id}", Body=mail)
        return message_id, self.invoke(event)

    def event(self, recipient: str, **receipt) -> dict:
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        checks = ("spamVerdict", "virusVerdict", "spfVerdict", "dkimVerdict", "dmarcVerdict")
        action = {
            "type": "Lambda",
            "functionArn": f"arn:aws:lambda:us-east-1:000000000000:function:{self.function}",
            "invocationType": "RequestResponse",
        }
        mail = {
            "timestamp": now,
            "source": "jane@client.example",
            "messageId": uuid.uuid4().hex,
            "destination": [recipient],
            "headersTruncated": True,
        }
        receipt = {"timestamp": now, "recipients": [recipient], "action": action} | dict.fromkeys(checks, PASS) | receipt
        record = {"eventSource": "aws:ses", "eventVersion": "1.0", "ses": {"mail": mail, "receipt": receipt}}
        return {"Records": [record]}

    def invoke(self, event: dict) -> dict:
        answer = self.client.invoke(FunctionName=self.function, Payload=json.dumps(event).encode())
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        return payload

    def index(self, mailbox: str) -> list[dict]:
        key = Key("pk").eq(f"MAIL#{mailbox}")
        return self.stack.table.query(KeyConditionExpression=key, ConsistentRead=True)["Items"]


@pytest.fixture(scope="module")
def inbound(stack, tmp_path_factory):
    stack.ses.verify_domain_identity(Domain=DOMAIN)
    recorder = Recorder()
    inbound = Inbound(stack, recorder, tmp_path_factory.mktemp("inbound"))
    inbound.allow_the_local_ses()
    with inbound.environment(AWS_ENDPOINT_URL_SESV2=recorder.url):
        yield inbound


def raw(sent: dict) -> bytes:
    return base64.b64decode(sent["request"]["Content"]["Raw"]["Data"])


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

    _, answer = inbound.receive(mail, box)

    assert answer == {"disposition": "CONTINUE"}
    (sent,) = eventually(lambda: inbound.recorder.to(to), HANDED_OVER_SECONDS)
    assert sent["status"] == 200, sent["response"]
    forwarded = raw(sent)
    assert body(forwarded) == body(mail)
    read = email.message_from_bytes(forwarded, policy=email.policy.default)
    assert read["From"].addresses[0].addr_spec == f"forward@{DOMAIN}"
    assert read["X-Postroom-Forwarded"] == box
    assert sent["request"]["Destination"] == {"ToAddresses": [to]}


def test_two_invocations_for_a_mail_forward_it_once_and_a_forward_loop_ends(inbound, unique):
    box, to = f"{unique}@{DOMAIN}", f"{unique}@client.example"
    inbound.apply({"address": box, "actions": [{"action": "forward", "to": [to], "from": f"forward@{DOMAIN}"}]})
    event = inbound.event(box)
    message_id = event["Records"][0]["ses"]["mail"]["messageId"]
    mail = b"From: jane@client.example\r\nTo: x@example.net\r\nSubject: twice\r\n\r\nHello\r\n"
    inbound.s3.put_object(Bucket=inbound.bucket, Key=f"mail/{message_id}", Body=mail)
    assert inbound.invoke(event) == inbound.invoke(event) == {"disposition": "CONTINUE"}
    (sent,) = eventually(lambda: inbound.recorder.to(to), HANDED_OVER_SECONDS)

    # The forward returns to the mailbox.
    _, answer = inbound.receive(raw(sent), box)

    assert answer == {"disposition": "CONTINUE"}

    def loop_recorded():
        reasons = [reason for row in inbound.index(box) for reason in row.get("reasons", set())]
        return any("loop" in reason for reason in reasons)

    eventually(loop_recorded, HANDED_OVER_SECONDS)
    assert len(inbound.recorder.to(to)) == 1


def test_a_mail_with_a_failed_verdict_is_stored_and_not_forwarded(inbound, unique):
    box, to = f"{unique}@{DOMAIN}", f"{unique}@client.example"
    actions = [{"action": "store"}, {"action": "forward", "to": [to], "from": f"forward@{DOMAIN}"}]
    inbound.apply({"address": box, "actions": actions})
    mail = b"From: jane@client.example\r\nSubject: win\r\n\r\nHello\r\n"
    for check in ("virusVerdict", "spamVerdict"):
        message_id, answer = inbound.receive(mail, box, **{check: {"status": "FAIL"}})
        assert answer == {"disposition": "STOP_RULE_SET"}, check
        assert inbound.s3.head_object(Bucket=inbound.bucket, Key=f"mail/{message_id}")
    eventually(lambda: len(inbound.index(box)) == 2, HANDED_OVER_SECONDS)
    assert inbound.recorder.to(to) == []


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
    lines = [
        "From: MAILER-DAEMON@amazonses.com",
        f"To: {box}",
        "Subject: Delivery Status Notification (Failure)",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
        "",
        "--b",
        "Content-Type: text/plain",
        "",
        "An error occurred",
        "--b",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; a8-50.smtp-out.amazonses.com",
        "",
        f"Final-Recipient: rfc822; {dead}",
        "Action: failed",
        "Status: 5.1.1",
        "Diagnostic-Code: smtp; 550 5.1.1 user unknown",
        "",
        "--b",
        "Content-Type: text/rfc822-headers",
        "",
        f"Message-ID: <{uuid.uuid4()}-000000@email.amazonses.com>",
        f"From: {box}",
        f"To: {dead}",
        f"Date: {email.utils.formatdate(time.time() - 5)}",
        "",
        "--b--",
        "",
    ]
    report = "\r\n".join(lines).encode()
    inbound.receive(report, box, dmarcVerdict={"status": "GRAY"})
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
                _, answer = inbound.receive(mail, recipient)
                durations.append(time.monotonic() - began)
                assert answer == {"disposition": "CONTINUE"}
            _, stopped = inbound.receive(mail, box, spamVerdict={"status": "FAIL"})
    assert stopped == {"disposition": "STOP_RULE_SET"}, "verdicts are applied without the table"
    assert min(durations) < 10, durations
    (sent,) = eventually(lambda: inbound.recorder.to(to), HANDED_OVER_SECONDS)
    assert body(raw(sent)) == b"Hello\r\n"
