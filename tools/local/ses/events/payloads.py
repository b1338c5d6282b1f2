"""The JSON of notifications and events.

https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

from __future__ import annotations

import email.utils

from ..state.model import SentMessage
from .times import sent_message_id, timestamp

# Headers beyond this size are left out, and `headersTruncated` is true.
MAX_HEADER_BYTES = 10 * 1024
# The member that describes the event, by its type.
MEMBERS = {"Rendering Failure": "failure", "DeliveryDelay": "deliveryDelay"}


def member_of(kind: str) -> str:
    return MEMBERS.get(kind, kind.lower())


def notification(kind: str, details: dict, message: SentMessage, with_headers: bool) -> dict:
    """A notification for the topic of an identity: Bounce, Complaint or Delivery."""
    return {"notificationType": kind, member_of(kind): details, "mail": _mail(message, with_headers)}


def event(kind: str, details: dict, message: SentMessage) -> dict:
    """An event for the destinations of a configuration set. Headers are always included."""
    return {"eventType": kind, "mail": _mail(message, True) | {"tags": message.tags}, member_of(kind): details}


def _mail(message: SentMessage, with_headers: bool) -> dict:
    mail = {
        "timestamp": timestamp(message.sent),
        "source": message.source,
        "sourceArn": message.identity_arn,
        "sourceIp": message.source_ip,
        "callerIdentity": message.caller,
        "sendingAccountId": message.account,
        "messageId": message.id,
        "destination": message.destinations,
    }
    if with_headers:
        kept, truncated = truncate(message.headers)
        mail |= {
            "headersTruncated": truncated,
            "headers": kept,
            "commonHeaders": common_headers(message.headers, message.id),
        }
    return mail


def truncate(headers: list[list[str]]) -> tuple[list[dict], bool]:
    """The headers that fit, and whether some do not."""
    kept, size = [], 0
    for name, value in headers:
        size += len(name) + len(value) + 4
        if size > MAX_HEADER_BYTES:
            return kept, True
        kept.append({"name": name, "value": value})
    return kept, False


def common_headers(headers: list[list[str]], message_id: str | None = None) -> dict:
    """From, Date, To, Cc, Bcc, Reply-To, Message-ID and Subject, each only if the mail has it."""
    found = {}
    for name, value in headers:
        found.setdefault(name.lower(), value)
    common = {}
    for header, member in (("from", "from"), ("to", "to"), ("cc", "cc"), ("bcc", "bcc"), ("reply-to", "replyTo")):
        if header in found:
            common[member] = _addresses(found[header])
    for header, member in (("sender", "sender"), ("date", "date"), ("message-id", "messageId"), ("subject", "subject")):
        if header in found:
            common[member] = found[header]
    return common | ({"messageId": message_id} if message_id else {})


def _addresses(value: str) -> list[str]:
    pairs = email.utils.getaddresses([value])
    return [email.utils.formataddr(pair) if pair[0] else pair[1] for pair in pairs if pair[1]] or [value]


# What happened


def bounce(outcome: dict, recipients: list[str], now: float, region: str) -> dict:
    """Members that the outcome does not name take those of an unknown user; None leaves a member out."""
    recipient = {"action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
    recipient |= {name: outcome[name] for name in recipient if name in outcome}
    named = outcome.get("recipients", recipients)
    bounced = [one if isinstance(one, dict) else {"emailAddress": one} | recipient for one in named]
    details = {
        "feedbackId": sent_message_id(now),
        "bounceType": outcome.get("bounceType", "Permanent"),
        "bounceSubType": outcome.get("bounceSubType", "General"),
        "bouncedRecipients": [_present(one) for one in bounced],
        "timestamp": timestamp(now),
        "remoteMtaIp": outcome.get("remoteMtaIp", "127.0.2.0"),
        "reportingMTA": outcome.get("reportingMTA", f"dns; a8-70.smtp-out.{_mail_host(region)}"),
    }
    return _present(details)


def complaint(outcome: dict, recipients: list[str], now: float) -> dict:
    """A complaint without feedback report has only the recipients, the time and the ids."""
    details = {
        "feedbackId": sent_message_id(now),
        "complaintSubType": outcome.get("complaintSubType"),
        "complainedRecipients": [{"emailAddress": one} for one in outcome.get("recipients", recipients)],
        "timestamp": timestamp(now),
    }
    if outcome.get("report", True):
        report = {
            "userAgent": outcome.get("userAgent", "Amazon SES Mailbox Simulator"),
            "complaintFeedbackType": outcome.get("complaintFeedbackType", "abuse"),
            "arrivalDate": outcome.get("arrivalDate", timestamp(now)),
        }
        details |= _present(report)
    return details


def delivery(outcome: dict, recipients: list[str], sent: float, now: float, region: str) -> dict:
    details = {
        "timestamp": timestamp(now),
        "processingTimeMillis": max(1, round((now - sent) * 1000)),
        "recipients": recipients,
        "smtpResponse": outcome.get("smtpResponse", "250 2.6.0 Message received"),
        "remoteMtaIp": outcome.get("remoteMtaIp", "127.0.2.0"),
        "reportingMTA": outcome.get("reportingMTA", f"a8-70.smtp-out.{_mail_host(region)}"),
    }
    return _present(details)


def delivery_delay(outcome: dict, recipients: list[str], sent: float, now: float) -> dict:
    delayed = {
        "status": outcome.get("status", "4.4.1"),
        "diagnosticCode": outcome.get("diagnosticCode", "smtp; 421 4.4.1 Unable to connect to remote host"),
    }
    return {
        "timestamp": timestamp(now),
        "delayType": outcome.get("delayType", "TransientCommunicationFailure"),
        "expirationTime": timestamp(sent + 14 * 3600),
        "delayedRecipients": [{"emailAddress": one} | delayed for one in recipients],
    }


def reject(outcome: dict) -> dict:
    return {"reason": outcome.get("reason", "Bad content")}


def rendering_failure(template: str | None, message: str) -> dict:
    return {"errorMessage": message, "templateName": template or ""}


def opened(outcome: dict, now: float) -> dict:
    return {
        "ipAddress": outcome.get("ipAddress", "192.0.2.1"),
        "timestamp": timestamp(now),
        "userAgent": outcome.get("userAgent", "Mozilla/5.0"),
    }


def clicked(outcome: dict, now: float) -> dict:
    return opened(outcome, now) | {
        "link": outcome.get("link", "https://example.com/"),
        "linkTags": outcome.get("linkTags"),
    }


def subscription(outcome: dict, now: float) -> dict:
    old = {"unsubscribeAll": False, "topicSubscriptionStatus": []}
    return {
        "contactList": outcome.get("contactList", "contacts"),
        "timestamp": timestamp(now),
        "source": outcome.get("source", "UnsubscribeHeader"),
        "newTopicPreferences": outcome.get("newTopicPreferences", old | {"unsubscribeAll": True}),
        "oldTopicPreferences": outcome.get("oldTopicPreferences", old),
    }


def _mail_host(region: str) -> str:
    return "amazonses.com" if region == "us-east-1" else f"{region}.amazonses.com"


def _present(members: dict) -> dict:
    return {name: value for name, value in members.items() if value is not None}
