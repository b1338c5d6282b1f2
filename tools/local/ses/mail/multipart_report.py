"""Mails of the type multipart/report (RFC 6522): delivery status notifications and feedback reports."""

from __future__ import annotations

import email.header
import email.utils
import uuid


def compose(report_type: str, headers: dict[str, str], parts: list[tuple[str, str]], now: float) -> bytes:
    """`parts` are content types and texts. Date and the headers of MIME are added."""
    boundary = f"report-{uuid.uuid4()}"
    lines = [f"{name}: {email.header.Header(value).encode()}" for name, value in headers.items()]
    lines += [
        f"Date: {email.utils.formatdate(now)}",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type={report_type}; boundary="{boundary}"',
        "",
    ]
    for content_type, text in parts:
        lines += [f"--{boundary}", f"Content-Type: {content_type}", "", *text.splitlines(), ""]
    lines += [f"--{boundary}--", ""]
    return "\r\n".join(lines).encode()


def delivery_status(mta: str, recipients: list[dict]) -> tuple[str, str]:
    """The part for machines of a DSN (RFC 3464). Recipients have emailAddress, and maybe action, status and diagnosticCode."""
    lines = [f"Reporting-MTA: {mta}"]
    for recipient in recipients:
        lines += ["", f"Final-Recipient: rfc822;{recipient['emailAddress']}"]
        for name, member in (("Action", "action"), ("Status", "status"), ("Diagnostic-Code", "diagnosticCode")):
            if recipient.get(member):
                lines.append(f"{name}: {recipient[member]}")
    return "message/delivery-status", "\n".join(lines) + "\n"
