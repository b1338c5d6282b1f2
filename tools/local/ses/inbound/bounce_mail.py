"""The mail that tells a sender that its message was not accepted (RFC 3464)."""

from __future__ import annotations

from ..mail import multipart_report


def compose(
    sender: str, recipient: str, failed: list[dict], mta: str, explanation: str | None, message_id: str, now: float
) -> bytes:
    """`failed` has emailAddress, action, status and diagnosticCode of each recipient."""
    headers = {
        "From": sender,
        "To": recipient,
        "Subject": "Delivery Status Notification (Failure)",
        "Message-ID": f"<{message_id}@email.amazonses.com>",
    }
    text = explanation or "An error occurred while trying to deliver the mail to the following recipients:"
    addresses = "\n".join(one["emailAddress"] for one in failed)
    parts = [("text/plain; charset=utf-8", f"{text}\n{addresses}\n"), multipart_report.delivery_status(mta, failed)]
    return multipart_report.compose("delivery-status", headers, parts, now)
