"""Bounces and complaints by mail, as feedback forwarding sends them.

https://docs.aws.amazon.com/ses/latest/dg/monitor-sending-activity-using-notifications-email.html
"""

from __future__ import annotations

import email.utils

from ..mail import multipart_report
from ..state.model import SentMessage


def compose(kind: str, details: dict, message: SentMessage, region: str, now: float) -> bytes:
    """A report to the Return-Path: a delivery status notification (RFC 3464) or a feedback report (RFC 5965)."""
    headers = {"To": message.return_path, "Message-ID": f"<{details['feedbackId']}@{_host(region)}>"}
    original = ("text/rfc822-headers", _original_headers(message, region))
    return (_bounce if kind == "Bounce" else _complaint)(details, message, headers, original, region, now)


def _bounce(
    details: dict, message: SentMessage, headers: dict, original: tuple[str, str], region: str, now: float
) -> bytes:
    recipients = details["bouncedRecipients"]
    addresses = "\n".join(one["emailAddress"] for one in recipients)
    text = f"An error occurred while trying to deliver the mail to the following recipients:\n{addresses}\n"
    status = multipart_report.delivery_status(details.get("reportingMTA", "dns; amazonses.com"), recipients)
    headers |= {"From": f"MAILER-DAEMON@{_host(region)}", "Subject": "Delivery Status Notification (Failure)"}
    return multipart_report.compose(
        "delivery-status", headers, [("text/plain; charset=utf-8", text), status, original], now
    )


def _complaint(
    details: dict, message: SentMessage, headers: dict, original: tuple[str, str], region: str, now: float
) -> bytes:
    recipients = ", ".join(one["emailAddress"] for one in details["complainedRecipients"])
    text = f"This is an email complaint for an email sent to {recipients}.\n"
    kind = details.get("complaintFeedbackType", "abuse")
    fields = f"Version: 1\nUser-Agent: {details.get('userAgent', 'Amazon SES')}\nFeedback-Type: {kind}\n"
    headers |= {
        "From": "complaints@email-abuse.amazonses.com",
        "Subject": f"complaint about message from {message.source_ip}",
    }
    parts = [("text/plain; charset=utf-8", text), ("message/feedback-report", fields), original]
    return multipart_report.compose("feedback-report", headers, parts, now)


def _original_headers(message: SentMessage, region: str) -> str:
    """The headers as the mail was sent, with the Message-ID and the date that SES added."""
    headers = {name: value for name, value in message.headers if name.lower() != "message-id"}
    headers = {"Date": email.utils.formatdate(message.sent)} | headers
    headers |= {"Message-ID": f"<{message.id}@{_message_id_host(region)}>"}
    return "".join(f"{name}: {value}\n" for name, value in headers.items())


def _host(region: str) -> str:
    return "amazonses.com" if region == "us-east-1" else f"{region}.amazonses.com"


def _message_id_host(region: str) -> str:
    return "email.amazonses.com" if region == "us-east-1" else f"{region}.amazonses.com"
