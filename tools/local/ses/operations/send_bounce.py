"""SendBounce: rejects a received message, within 24 hours.

https://docs.aws.amazon.com/ses/latest/APIReference/API_SendBounce.html
"""

from __future__ import annotations

from ..events.times import sent_message_id
from ..inbound import bounce_mail
from ..local_ses import Call
from ..protocol.errors import ServiceError
from ..sending.checks import check_recipients, not_verified, verified_identity
from .registry import operation

WINDOW_SECONDS = 24 * 3600
# The DSN fields of the documented bounce types.
TYPES = {
    "DoesNotExist": ("failed", "5.1.1", "smtp; 550 5.1.1 user unknown"),
    "MessageTooLarge": ("failed", "5.3.4", "smtp; 552 5.3.4 message too large"),
    "ExceededQuota": ("failed", "5.2.2", "smtp; 552 5.2.2 mailbox full"),
    "ContentRejected": ("failed", "5.6.1", "smtp; 500 5.6.1 content rejected"),
    "Undefined": ("failed", "5.0.0", "smtp; 500 failed"),
    "TemporaryFailure": ("delayed", "4.0.0", "smtp; 450 temporary failure"),
}


@operation("ses", "SendBounce", guess="The mail goes to the outbox; the wording of its parts.")
def send_bounce(
    call: Call,
    OriginalMessageId: str,
    BounceSender: str,
    BouncedRecipientInfoList: list[dict],
    Explanation: str | None = None,
    MessageDsn: dict | None = None,
    BounceSenderArn: str | None = None,
) -> dict:
    received = call.account.received.get(OriginalMessageId)
    if not received or call.now - received["at"] > WINDOW_SECONDS:
        raise ServiceError("MessageRejected", f"The message {OriginalMessageId} was not found or is too old to bounce.")
    if not verified_identity(call.account, BounceSender):
        raise not_verified(call, [BounceSender])
    check_recipients(call, [one["Recipient"] for one in BouncedRecipientInfoList])
    recipients = [_fields(one) for one in BouncedRecipientInfoList]
    message_id = sent_message_id(call.now)
    mta = (MessageDsn or {}).get("ReportingMta", "dns; amazonses.com")
    mail = bounce_mail.compose(BounceSender, received["sender"], recipients, mta, Explanation, message_id, call.now)
    call.ses.post(call.account, "bounce", BounceSender, [received["sender"]], mail, message_id)
    return {"MessageId": message_id}


def _fields(info: dict) -> dict:
    dsn = info.get("RecipientDsnFields", {})
    if not dsn and "BounceType" not in info:
        raise ServiceError("InvalidParameterValue", "Either BounceType or RecipientDsnFields must be given.")
    action, status, code = TYPES.get(info.get("BounceType", "Undefined"), TYPES["Undefined"])
    return {
        "emailAddress": dsn.get("FinalRecipient") or info["Recipient"],
        "action": dsn.get("Action", action),
        "status": dsn.get("Status", status),
        "diagnosticCode": dsn.get("DiagnosticCode", code),
    }
