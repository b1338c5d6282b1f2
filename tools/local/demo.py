"""The demonstration: mail that bounces and mail that is complained about, through the local SES, on the deployed stack.

Run by stack.py with the Python that has boto3, and with the environment that points at the local stack.
"""

import json
import pathlib
import subprocess
import sys
import time

import boto3
from boto3.dynamodb.conditions import Key

OUTPUTS = json.loads((pathlib.Path(__file__).parents[2] / ".local" / "outputs.json").read_text())
IDENTITY = "shop.example"
SENDER = f"Example Shop <orders@{IDENTITY}>"
PATIENCE_SECONDS = 60


def main() -> int:
    ses = boto3.client("ses")
    table = boto3.resource("dynamodb").Table(OUTPUTS["TableName"])

    print(f"\nThe identity {IDENTITY} tells the stack's topic about bounces and complaints")
    ses.verify_domain_identity(Domain=IDENTITY)
    for kind in ("Bounce", "Complaint"):
        ses.set_identity_notification_topic(
            Identity=IDENTITY, NotificationType=kind, SnsTopic=OUTPUTS["TopicArn"]
        )

    # A label of its own per run, as the real simulator allows too: every run starts with recipients nobody knows.
    label = time.strftime("%H%M%S")
    sent = {}
    for kind in ("bounce", "complaint"):
        address = f"{kind}+{label}@simulator.amazonses.com"
        ses.send_email(
            Source=SENDER,
            Destination={"ToAddresses": [address]},
            Message={"Subject": {"Data": "Your order"}, "Body": {"Text": {"Data": "It is on its way."}}},
        )
        sent[address] = time.monotonic()
        print(f"Sent to {address}")

    for address, sent_at in sent.items():
        if not wait_for_suppression(table, address, sent_at + PATIENCE_SECONDS):
            print(f"\nNo suppression of {address} after {PATIENCE_SECONDS} s", file=sys.stderr)
            return 1
        print(f"\n$ postroomctl suppression get {address}    ({time.monotonic() - sent_at:.1f} s after sending)")
        answer = subprocess.run(["postroomctl", "suppression", "get", address])
        if answer.returncode != 0:
            return answer.returncode
    return 0


def wait_for_suppression(table, address: str, deadline: float) -> bool:
    row = Key("pk").eq(f"RECIPIENT#{address}") & Key("sk").begins_with("SUPPRESSION")
    while time.monotonic() < deadline:
        if table.query(KeyConditionExpression=row, ConsistentRead=True)["Items"]:
            return True
        time.sleep(0.1)
    return False


if __name__ == "__main__":
    sys.exit(main())
