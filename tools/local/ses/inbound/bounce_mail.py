"""The mail that tells a sender that its message was not accepted (RFC 3464)."""

from __future__ import annotations

import email.message
import email.utils


def compose(sender: str, recipient: str, failed: list[dict], mta: str, explanation: str | None, message_id: str, now: float) -> bytes:
    """`failed` has recipient, action, status and diagnosticCode of each recipient."""
    mail = email.message.Message()
    mail["From"] = sender
    mail["To"] = recipient
    mail["Subject"] = "Delivery Status Notification (Failure)"
    mail["Date"] = email.utils.formatdate(now)
    mail["Message-ID"] = f"<{message_id}@email.amazonses.com>"
    mail["MIME-Version"] = "1.0"
    mail["Content-Type"] = "multipart/report; report-type=delivery-status"
    text = explanation or "An error occurred while trying to deliver the mail to the following recipients:\n"
    _attach(mail, "text/plain; charset=utf-8", text + "\n".join(one["recipient"] for one in failed) + "\n")
    fields = [f"Reporting-MTA: {mta}"]
    for one in failed:
        fields += ["", f"Final-Recipient: rfc822;{one['recipient']}", f"Action: {one['action']}", f"Status: {one['status']}"]
        fields.append(f"Diagnostic-Code: {one['diagnosticCode']}")
    _attach(mail, "message/delivery-status", "\n".join(fields) + "\n")
    return mail.as_bytes()


def _attach(mail: email.message.Message, content_type: str, text: str) -> None:
    part = email.message.Message()
    part["Content-Type"] = content_type
    part.set_payload(text)
    mail.attach(part)
