"""A feedback function in Python with boto3, for comparison.

Reads an SQS event with SNS envelopes. A bounce or complaint writes a suppression, its history and the sender's statistics,
a delivery the statistics. Every write can be repeated, and failed records are reported one by one. It does less than
Postroom: no streaks of soft bounces, no scopes, no releases, no validation of unused fields.
"""

import json
import logging
import os
from datetime import datetime, timedelta, timezone

import boto3
from botocore.config import Config

logger = logging.getLogger()
logger.setLevel(os.environ.get("LOG_LEVEL", "INFO"))

TABLE = os.environ["TABLE_NAME"]
KEEP = timedelta(days=365)

# Created once per execution environment. A client needs less time and memory than a resource.
dynamodb = boto3.client(
    "dynamodb", config=Config(retries={"mode": "standard"}, connect_timeout=2, read_timeout=3, tcp_keepalive=True)
)


def handle(event, context):
    failures = []
    for record in event["Records"]:
        try:
            apply(json.loads(json.loads(record["body"])["Message"]))
        except Exception as error:
            logger.exception("record %s failed: %s", record["messageId"], type(error).__name__)
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def apply(notification):
    kind = notification.get("eventType") or notification["notificationType"]
    mail = notification["mail"]
    if kind == "Bounce":
        bounce = notification["bounce"]
        if bounce["bounceType"] == "Permanent":
            for recipient in bounce["bouncedRecipients"]:
                suppress(recipient["emailAddress"], "bounce", bounce, mail, recipient.get("diagnosticCode", ""))
        count("bounces", mail, bounce["bouncedRecipients"], bounce["timestamp"])
    elif kind == "Complaint":
        complaint = notification["complaint"]
        for recipient in complaint["complainedRecipients"]:
            suppress(recipient["emailAddress"], "complaint", complaint, mail, "")
        count("complaints", mail, complaint["complainedRecipients"], complaint["timestamp"])
    elif kind == "Delivery":
        delivery = notification["delivery"]
        recipients = [{"emailAddress": address} for address in delivery["recipients"]]
        count("deliveries", mail, recipients, delivery["timestamp"])
    logger.info("applied %s of %s", kind, mail["messageId"])


def suppress(address, reason, report, mail, diagnostic):
    key = normalise(address)
    row = {"pk": {"S": f"RECIPIENT#{key}"}, "sk": {"S": "SUPPRESSION#global"}}
    try:
        dynamodb.update_item(
            TableName=TABLE,
            Key=row,
            UpdateExpression="SET reason = :reason, since = :since, messageId = :id, diagnostic = :diagnostic",
            # An older report that arrives later has no effect.
            ConditionExpression="attribute_not_exists(since) OR since < :since",
            ExpressionAttributeValues={
                ":reason": {"S": reason},
                ":since": {"S": report["timestamp"]},
                ":id": {"S": mail["messageId"]},
                ":diagnostic": {"S": diagnostic[:500]},
            },
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        pass
    dynamodb.put_item(
        TableName=TABLE,
        Item={
            "pk": row["pk"],
            "sk": {"S": f"EVENT#{report['timestamp']}#{mail['messageId']}"},
            "reason": {"S": reason},
            "expiresAt": {"N": expiry(report["timestamp"])},
        },
    )


def count(what, mail, recipients, timestamp):
    # A set, so that a repeated report is counted once.
    ids = [f"{mail['messageId']}#{normalise(recipient['emailAddress'])}" for recipient in recipients]
    dynamodb.update_item(
        TableName=TABLE,
        Key={
            "pk": {"S": f"SENDER#{mail.get('sendingAccountId', '')}#{mail.get('sourceArn', '')}"},
            "sk": {"S": f"HOUR#{timestamp[:13]}#{what}"},
        },
        UpdateExpression="ADD ids :ids SET expiresAt = :expiry",
        ExpressionAttributeValues={":ids": {"SS": ids}, ":expiry": {"N": expiry(timestamp)}},
    )


def normalise(address):
    local, _, domain = address.strip().strip("<>").rpartition("@")
    return f"{local.lower()}@{domain.lower()}"


def expiry(timestamp):
    at = datetime.fromisoformat(timestamp.replace("Z", "+00:00"))
    return str(int((at.astimezone(timezone.utc) + KEEP).timestamp()))
