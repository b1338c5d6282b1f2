"""Sending in v2.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
"""

from __future__ import annotations

from ..local_ses import Call
from ..mail.message import Content, compose
from ..protocol.errors import NotModelled, ServiceError, invalid_parameter
from ..sending.submit import Submission, submit
from .registry import operation
from .send_v1 import MAX_BULK, address_headers, recipients_of, templated

BULK_STATUSES = {
    "MessageRejected": "MESSAGE_REJECTED",
    "MailFromDomainNotVerifiedException": "MAIL_FROM_DOMAIN_NOT_VERIFIED",
    "BadRequestException": "INVALID_PARAMETER",
    "TooManyRequestsException": "ACCOUNT_THROTTLED",
}
NAMES = {
    "FromEmailAddress": "sender",
    "FeedbackForwardingEmailAddress": "return_path",
    "FromEmailAddressIdentityArn": "source_arn",
    "FeedbackForwardingEmailAddressIdentityArn": "return_path_arn",
    "ConfigurationSetName": "configuration_set",
    "EmailTags": "tags",
    "TenantName": "tenant",
}


@operation(
    "sesv2",
    "SendEmail",
    limited=False,
    guess="Contact lists and endpoints are not modelled. Tracking overrides have no effect.",
)
def send_email(
    call: Call, Content: dict, Destination: dict | None = None, ReplyToAddresses: list[str] = (), **others
) -> dict:
    _refuse_unknown(others)
    fields = {field: others[name] for name, field in NAMES.items() if others.get(name)}
    given = [kind for kind in ("Simple", "Raw", "Template") if kind in Content]
    if len(given) != 1:
        raise invalid_parameter(call.service, "Content must have exactly one of Simple, Raw and Template.")
    recipients = recipients_of(Destination or {})
    if "Raw" in Content:
        # Without a destination the headers of the mail name the recipients.
        return {
            "MessageId": submit(
                call, Submission("SendRawEmail", Content["Raw"]["Data"], recipients=recipients or None, **fields)
            )
        }
    if not fields.get("sender"):
        raise invalid_parameter(call.service, "FromEmailAddress is required.")
    addresses = address_headers(fields["sender"], Destination or {}, list(ReplyToAddresses))
    if "Simple" in Content:
        submission = Submission("SendEmail", _simple(Content["Simple"], addresses), **fields)
    else:
        submission = _templated(
            call, "SendTemplatedEmail", Content["Template"], Content["Template"].get("TemplateData"), addresses, fields
        )
    submission.recipients = recipients
    return {"MessageId": submit(call, submission)}


def _simple(simple: dict, addresses: dict) -> bytes:
    text, html = (simple["Body"].get(kind, {}).get("Data") for kind in ("Text", "Html"))
    return compose(
        Content(
            simple["Subject"]["Data"], text, html, simple.get("Headers", []), simple.get("Attachments", []), addresses
        )
    )


def _templated(call: Call, action: str, template: dict, data: str | None, addresses: dict, fields: dict) -> Submission:
    name = template.get("TemplateName") or template.get("TemplateArn", "").rpartition("/")[2]
    inline = template.get("TemplateContent")
    if not name and not inline:
        raise invalid_parameter(call.service, "A template needs TemplateName, TemplateArn or TemplateContent.")
    parts = {"headers": template.get("Headers", []), "attachments": template.get("Attachments", [])}
    return templated(call, action, name, data, addresses, fields, inline, **parts)


@operation(
    "sesv2", "SendBulkEmail", limited=False, guess="Endpoints are not modelled. Tracking overrides have no effect."
)
def send_bulk_email(
    call: Call,
    DefaultContent: dict,
    BulkEmailEntries: list[dict],
    ReplyToAddresses: list[str] = (),
    DefaultEmailTags: list[dict] = (),
    **others,
) -> dict:
    _refuse_unknown(others)
    if "Template" not in DefaultContent:
        raise invalid_parameter(call.service, "DefaultContent must have a template.")
    if not 0 < len(BulkEmailEntries) <= MAX_BULK:
        raise invalid_parameter(call.service, f"The number of entries must be between 1 and {MAX_BULK}.")
    if not others.get("FromEmailAddress"):
        raise invalid_parameter(call.service, "FromEmailAddress is required.")
    results = []
    for entry in BulkEmailEntries:
        template = dict(DefaultContent["Template"])
        if headers := entry.get("ReplacementHeaders"):
            template["Headers"] = headers
        replacement = entry.get("ReplacementEmailContent", {}).get("ReplacementTemplate", {})
        tags = entry.get("ReplacementTags") or list(DefaultEmailTags)
        fields = {field: value for name, field in NAMES.items() if (value := (others | {"EmailTags": tags}).get(name))}
        addresses = address_headers(fields["sender"], entry["Destination"], list(ReplyToAddresses))
        data = replacement.get("ReplacementTemplateData") or template.get("TemplateData")
        submission = _templated(call, "SendBulkTemplatedEmail", template, data, addresses, fields)
        submission.recipients = recipients_of(entry["Destination"])
        results.append(_bulk_result(call, submission))
    return {"BulkEmailEntryResults": results}


def _bulk_result(call: Call, submission: Submission) -> dict:
    try:
        return {"Status": "SUCCESS", "MessageId": submit(call, submission)}
    except ServiceError as error:
        if error.code not in BULK_STATUSES:
            raise
        return {"Status": BULK_STATUSES[error.code], "Error": error.message}


def _refuse_unknown(others: dict) -> None:
    for name in ("EndpointId", "ListManagementOptions"):
        if others.get(name):
            raise NotModelled(f"{name} of SendEmail")
