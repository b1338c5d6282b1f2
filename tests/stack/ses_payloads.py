"""Notifications as SES publishes them, each with a new message id and feedback id."""

import datetime
import json
import uuid

OWNER = "000000000000"


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _mail(recipient: str, now: str) -> dict:
    return {
        "timestamp": now,
        "source": "sender@stack-test.example",
        "sourceArn": f"arn:aws:ses:us-east-1:{OWNER}:identity/stack-test.example",
        "sourceIp": "192.0.2.2",
        "sendingAccountId": OWNER,
        "messageId": f"{uuid.uuid4()}-000000",
        "destination": [recipient],
    }


def bounce(recipient: str) -> str:
    """A permanent bounce of one recipient."""
    now = _now()
    failed = {
        "emailAddress": recipient,
        "action": "failed",
        "status": "5.1.1",
        "diagnosticCode": "smtp; 550 5.1.1 user unknown",
    }
    details = {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": [failed],
        "timestamp": now,
        "feedbackId": f"{uuid.uuid4()}-000000",
        "remoteMtaIp": "192.0.2.1",
        "reportingMTA": "dns; mx.example.net",
    }
    return json.dumps({"notificationType": "Bounce", "bounce": details, "mail": _mail(recipient, now)})


def complaint(recipient: str) -> str:
    """A complaint of one recipient."""
    now = _now()
    details = {
        "complainedRecipients": [{"emailAddress": recipient}],
        "timestamp": now,
        "feedbackId": f"{uuid.uuid4()}-000000",
        "complaintSubType": None,
        "complaintFeedbackType": "abuse",
        "userAgent": "Example Feedback Loop",
    }
    return json.dumps({"notificationType": "Complaint", "complaint": details, "mail": _mail(recipient, now)})


def event(kind: str, recipient: str, configuration_set: str, **details) -> str:
    """An event of a configuration set, such as Send or Delivery."""
    now = _now()
    mail = _mail(recipient, now) | {"tags": {"ses:configuration-set": [configuration_set]}}
    return json.dumps({"eventType": kind, kind.lower(): details, "mail": mail})
