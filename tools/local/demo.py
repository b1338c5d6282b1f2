"""The demonstration: mail that bounces, mail that is complained about and mail that arrives, on the deployed stack.

Run by stack.py with the Python that has boto3, and with the environment that points at the local stack.
"""

import base64
import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request

import boto3
from boto3.dynamodb.conditions import Key

OUTPUTS = json.loads((pathlib.Path(__file__).parents[2] / ".local" / "outputs.json").read_text())
# One identity reports to a topic of its own; the mail of the other one is reported by its configuration set.
BY_TOPIC, BY_CONFIGURATION_SET = "shop.example", "news.example"
PATIENCE_SECONDS = 60
MAIL = "From: Jane <jane@client.example>\r\nTo: help@{domain}\r\nSubject: {subject}\r\n\r\nHow much is it?\r\n"


def main() -> int:
    set_up()
    # A label of its own per run, as the real simulator allows too: every run starts with recipients nobody knows.
    label = time.strftime("%H%M%S")
    sent = {}
    for kind in ("bounce", "complaint"):
        sent |= send(f"{kind}+{label}@simulator.amazonses.com", f"Example Shop <orders@{BY_TOPIC}>")
    through = {"ConfigurationSetName": OUTPUTS["ConfigurationSetName"]}
    sent |= send(f"bounce+{label}set@simulator.amazonses.com", f"Example News <news@{BY_CONFIGURATION_SET}>", **through)

    table = boto3.resource("dynamodb").Table(OUTPUTS["TableName"])
    for address, sent_at in sent.items():
        if not wait_for_suppression(table, address, sent_at + PATIENCE_SECONDS):
            print(f"\nNo suppression of {address} after {PATIENCE_SECONDS} s", file=sys.stderr)
            return 1
        print(f"\n$ postroomctl suppression get {address}    ({time.monotonic() - sent_at:.1f} s after sending)")
        answer = subprocess.run(["postroomctl", "suppression", "get", address])
        if answer.returncode != 0:
            return answer.returncode
    return receive_mail()


def set_up() -> None:
    ses = boto3.client("ses")
    print(f"\nThe identity {BY_TOPIC} publishes bounces and complaints to the stack's topic")
    ses.verify_domain_identity(Domain=BY_TOPIC)
    for kind in ("Bounce", "Complaint"):
        ses.set_identity_notification_topic(Identity=BY_TOPIC, NotificationType=kind, SnsTopic=OUTPUTS["TopicArn"])
    print(f"The configuration set {OUTPUTS['ConfigurationSetName']} reports what {BY_CONFIGURATION_SET} sends")
    ses.verify_domain_identity(Domain=BY_CONFIGURATION_SET)


def send(address: str, sender: str, **others) -> dict[str, float]:
    content = {"Subject": {"Data": "Your order"}, "Body": {"Text": {"Data": "It is on its way."}}}
    destination = {"ToAddresses": [address]}
    client = boto3.client("sesv2")
    client.send_email(FromEmailAddress=sender, Destination=destination, Content={"Simple": content}, **others)
    print(f"Sent to {address}")
    return {address: time.monotonic()}


def wait_for_suppression(table, address: str, deadline: float) -> bool:
    row = Key("pk").eq(f"RECIPIENT#{address}") & Key("sk").begins_with("SUPPRESSION")
    while time.monotonic() < deadline:
        if table.query(KeyConditionExpression=row, ConsistentRead=True)["Items"]:
            return True
        time.sleep(0.1)
    return False


def receive_mail() -> int:
    """A mail and a spam mail arrive. The active receipt rule stores them and asks the inbound function."""
    print("\nTwo mails arrive; the receipt rule stores them and asks the inbound function")
    for subject, verdict, expected in (("Question", "PASS", "CONTINUE"), ("Win!", "FAIL", "STOP_RULE_SET")):
        raw = MAIL.format(domain=BY_TOPIC, subject=subject).encode()
        body = {
            "raw": base64.b64encode(raw).decode(),
            "recipients": [f"help@{BY_TOPIC}"],
            "sender": "jane@client.example",
        }
        report = control("/inbound", body | {"verdicts": {"spamVerdict": verdict}})
        for action in report["actions"]:
            print(f"  spam verdict {verdict}: {action['type']} -> {action.get('disposition') or action['error']}")
        if report["actions"][-1].get("disposition") != expected:
            print(f"\nThe inbound function should have answered {expected}", file=sys.stderr)
            return 1
    return 0


def control(path: str, body: dict) -> dict:
    """The control API of the local SES."""
    url = f"{os.environ['AWS_ENDPOINT_URL_SES']}/_local_ses{path}"
    request = urllib.request.Request(url, json.dumps(body).encode())
    # No proxy: the address is this machine's.
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main())
