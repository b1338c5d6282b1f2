"""Bounces and complaints by mail, as feedback forwarding sends them.

https://docs.aws.amazon.com/ses/latest/dg/monitor-sending-activity-using-notifications-email.html
"""

from __future__ import annotations

import email.message
import email.utils

from ..state.model import SentMessage


def compose(kind: str, details: dict, message: SentMessage, region: str, now: float) -> bytes:
    """A report to the Return-Path: a delivery status notification (RFC 3464) or a feedback report (RFC 5965)."""
    report = _bounce(details, message, region) if kind == "Bounce" else _complaint(details, message)
    report["To"] = message.return_path
    report["Date"] = email.utils.formatdate(now)
    report["Message-ID"] = f"<{details['feedbackId']}@{_host(region)}>"
    return report.as_bytes()


def _bounce(details: dict, message: SentMessage, region: str) -> email.message.Message:
    fields = [f"Reporting-MTA: {details.get('reportingMTA', 'dns; amazonses.com')}"]
    for recipient in details["bouncedRecipients"]:
        fields.append("")
        fields.append(f"Final-Recipient: rfc822;{recipient['emailAddress']}")
        for name, member in (("Action", "action"), ("Status", "status"), ("Diagnostic-Code", "diagnosticCode")):
            if recipient.get(member):
                fields.append(f"{name}: {recipient[member]}")
    addresses = "\n".join(one["emailAddress"] for one in details["bouncedRecipients"])
    report = _report("delivery-status", f"An error occurred while trying to deliver the mail to the following recipients:\n{addresses}\n")
    _attach(report, "message/delivery-status", "\n".join(fields) + "\n")
    _attach(report, "text/rfc822-headers", _original_headers(message, region))
    report["From"] = f"MAILER-DAEMON@{_host(region)}"
    report["Subject"] = "Delivery Status Notification (Failure)"
    return report


def _complaint(details: dict, message: SentMessage) -> email.message.Message:
    recipients = ", ".join(one["emailAddress"] for one in details["complainedRecipients"])
    fields = ["Version: 1", f"User-Agent: {details.get('userAgent', 'Amazon SES')}"]
    fields.append(f"Feedback-Type: {details.get('complaintFeedbackType', 'abuse')}")
    report = _report("feedback-report", f"This is an email complaint for an email sent to {recipients}.\n")
    _attach(report, "message/feedback-report", "\n".join(fields) + "\n")
    _attach(report, "text/rfc822-headers", _original_headers(message, "us-east-1"))
    report["From"] = "complaints@email-abuse.amazonses.com"
    report["Subject"] = f"complaint about message from {message.source_ip}"
    return report


def _report(report_type: str, text: str) -> email.message.Message:
    report = email.message.Message()
    report["MIME-Version"] = "1.0"
    report["Content-Type"] = f"multipart/report; report-type={report_type}"
    _attach(report, "text/plain", text)
    return report


def _attach(report: email.message.Message, content_type: str, text: str) -> None:
    part = email.message.Message()
    part["Content-Type"] = f"{content_type}; charset=utf-8" if content_type == "text/plain" else content_type
    part.set_payload(text)
    report.attach(part)


def _original_headers(message: SentMessage, region: str) -> str:
    kept = [(name, value) for name, value in message.headers if name.lower() != "message-id"]
    lines = [f"{name}: {value}" for name, value in [*kept, ("Message-ID", f"<{message.id}@{_message_id_host(region)}>")]]
    return "\n".join(lines) + "\n"


def _host(region: str) -> str:
    return "amazonses.com" if region == "us-east-1" else f"{region}.amazonses.com"


def _message_id_host(region: str) -> str:
    return "email.amazonses.com" if region == "us-east-1" else f"{region}.amazonses.com"
