"""Accepts a message: checks it, keeps it in the outbox, and applies its outcomes."""

from __future__ import annotations

import dataclasses
import email.utils
import re

from ..events.times import sent_message_id
from ..local_ses import Call
from ..mail import message
from ..protocol.errors import ServiceError, invalid_parameter
from ..state.model import SentMessage
from . import checks, outcomes

# SES takes 40 MB after base64.
MAX_BYTES = 40 * 1024 * 1024
# Headers that are settings for SES, and are not sent.
SETTING_HEADERS = {
    "x-ses-configuration-set", "x-ses-message-tags", "x-ses-source-arn", "x-ses-from-arn", "x-ses-return-path-arn", "x-ses-tenant",
}  # fmt: skip
TAG = re.compile(r"[A-Za-z0-9_.@-]{1,256}")


@dataclasses.dataclass
class Submission:
    """A message as a request gives it. `action` is the action that the policies of the identity must allow."""

    action: str
    raw: bytes
    sender: str | None = None
    recipients: list[str] | None = None
    return_path: str | None = None
    source_arn: str | None = None
    return_path_arn: str | None = None
    configuration_set: str | None = None
    tags: list[dict] = dataclasses.field(default_factory=list)
    tenant: str | None = None
    template: str | None = None
    rendering_error: str | None = None


def submit(call: Call, submission: Submission) -> str:
    """The id of the accepted message. The caller holds the lock."""
    headers, _ = message.split(submission.raw)
    _read_setting_headers(submission, headers)
    kept_headers = [pair for pair in headers if pair[0].lower() not in SETTING_HEADERS]
    header_from = message.header(headers, "From")
    sender = submission.sender or header_from
    if not sender:
        raise invalid_parameter(call.service, "Missing required header 'From'.")
    recipients = submission.recipients
    if recipients is None:
        recipients = [one for name in ("To", "Cc", "Bcc") for one in message.addresses(message.header(headers, name))]
    checks.check_recipients(call, recipients)
    checks.check_address(call, sender)
    if len(submission.raw) > MAX_BYTES:
        raise invalid_parameter(
            call.service, f"Message length is more than {MAX_BYTES} bytes long: '{len(submission.raw)}'."
        )
    if duplicate := message.duplicate_header(headers):
        raise invalid_parameter(call.service, f"Duplicate header '{duplicate}'.")
    return_path = submission.return_path or message.header(headers, "Return-Path") or sender

    owner, identity = checks.resolve_identity(call, sender, submission.source_arn)
    call.resources.append(owner.arn(f"identity/{identity.name}"))
    checks.check_authorization(call, owner, identity, submission.action, sender, return_path, recipients)
    if message.bare_address(return_path) != message.bare_address(sender):
        return_owner, return_identity = checks.resolve_identity(call, return_path, submission.return_path_arn)
        checks.check_authorization(
            call, return_owner, return_identity, submission.action, sender, return_path, recipients
        )
    checks.check_sandbox(call, recipients)
    name = submission.configuration_set or (identity.configuration_set if owner is call.account else None)
    configuration_set = checks.check_configuration_set(call, name)
    tenant = checks.check_tenant(call, submission.tenant, owner, identity, configuration_set)
    if (
        identity.mail_from_domain
        and identity.mail_from_on_mx_failure == "REJECT_MESSAGE"
        and identity.mail_from_status != "SUCCESS"
    ):
        raise ServiceError(
            "MailFromDomainNotVerifiedException", f"MAIL FROM domain {identity.mail_from_domain} is not verified."
        )
    tags = _tags(call, submission, configuration_set.name if configuration_set else None, sender)
    checks.check_account(call, len(recipients))

    sent = SentMessage(
        id=sent_message_id(call.now),
        sent=call.now,
        account=call.account.id,
        source=sender,
        from_address=message.bare_address(sender),
        destinations=recipients,
        headers=[[name, value] for name, value in kept_headers],
        return_path=message.bare_address(return_path),
        identity_arn=owner.arn(f"identity/{identity.name}"),
        identity_account=owner.id,
        caller=call.caller.name,
        source_ip=call.source_ip,
        operation=call.operation,
        configuration_set=configuration_set.name if configuration_set else None,
        tenant=tenant.name if tenant else None,
        tags=tags,
        template=submission.template,
    )
    call.account.messages[sent.id] = sent
    call.account.sends += [call.now] * len(recipients)
    _send(call, sent, submission)
    return sent.id


def _send(call: Call, sent: SentMessage, submission: Submission) -> None:
    if submission.rendering_error:
        outcomes.rendering_failure(call.ses, sent, submission.rendering_error)
    elif outcomes.apply_all(call.ses, sent):
        region = call.account.region
        host = "email.amazonses.com" if region == "us-east-1" else f"{region}.amazonses.com"
        # Bcc and settings are not sent; SES sets the Message-ID, and the date of a mail without one.
        raw = message.without_headers(submission.raw, SETTING_HEADERS | {"bcc", "message-id", "return-path"})
        added = [("Message-ID", f"<{sent.id}@{host}>")]
        if not message.header(sent.headers, "Date"):
            added.append(("Date", email.utils.formatdate(sent.sent)))
        raw = message.with_headers(raw, added)
        call.ses.post(call.account, "sent", sent.from_address, sent.destinations, raw, sent.id)


def _read_setting_headers(submission: Submission, headers: list[tuple[str, str]]) -> None:
    """Headers apply where the request has no value.

    https://docs.aws.amazon.com/ses/latest/dg/sending-authorization-delegate-sender-tasks-email.html
    """
    fields = {
        "x-ses-configuration-set": "configuration_set",
        "x-ses-source-arn": "source_arn",
        "x-ses-return-path-arn": "return_path_arn",
        "x-ses-tenant": "tenant",
    }
    for name, field in fields.items():
        if value := message.header(headers, name):
            setattr(submission, field, getattr(submission, field) or value)
    if (text := message.header(headers, "x-ses-message-tags")) and not submission.tags:
        pairs = (pair.partition("=") for pair in text.split(",") if "=" in pair)
        submission.tags = [{"Name": name.strip(), "Value": value.strip()} for name, _, value in pairs]


def _tags(call: Call, submission: Submission, configuration_set: str | None, sender: str) -> dict[str, list[str]]:
    for tag in submission.tags:
        if not TAG.fullmatch(tag["Name"]) or not TAG.fullmatch(tag["Value"]):
            raise invalid_parameter(call.service, f"Invalid tag: {tag['Name']}={tag['Value']}.")
    automatic = {
        "ses:operation": [call.operation],
        "ses:configuration-set": [configuration_set] if configuration_set else None,
        "ses:source-ip": [call.source_ip],
        "ses:from-domain": [message.bare_address(sender).rpartition("@")[2]],
        "ses:caller-identity": [call.caller.name],
        "ses:tenant-name": [submission.tenant] if submission.tenant else None,
    }
    tags = {name: value for name, value in automatic.items() if value}
    for tag in submission.tags:
        tags.setdefault(tag["Name"], []).append(tag["Value"])
    return tags
