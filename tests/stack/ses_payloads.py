"""Notifications as SES publishes them, with a fresh message and feedback id each time."""

import datetime
import json
import uuid


def bounce(recipient: str) -> str:
    """A permanent bounce of one recipient."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return json.dumps(
        {
            "notificationType": "Bounce",
            "bounce": {
                "bounceType": "Permanent",
                "bounceSubType": "General",
                "bouncedRecipients": [
                    {
                        "emailAddress": recipient,
                        "action": "failed",
                        "status": "5.1.1",
                        "diagnosticCode": "smtp; 550 5.1.1 user unknown",
                    }
                ],
                "timestamp": now,
                "feedbackId": f"{uuid.uuid4()}-000000",
                "remoteMtaIp": "192.0.2.1",
                "reportingMTA": "dns; mx.example.net",
            },
            "mail": {
                "timestamp": now,
                "source": "sender@stack-test.example",
                "sourceArn": "arn:aws:ses:us-east-1:000000000000:identity/stack-test.example",
                "sourceIp": "192.0.2.2",
                "sendingAccountId": "000000000000",
                "messageId": f"{uuid.uuid4()}-000000",
                "destination": [recipient],
            },
        }
    )
