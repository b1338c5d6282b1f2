"""Sending in v1.

https://docs.aws.amazon.com/ses/latest/APIReference/API_SendEmail.html
"""

from __future__ import annotations

from ..local_ses import Call
from ..mail.message import Content, compose
from ..mail.rendering import RenderingError
from ..protocol.errors import ServiceError, invalid_parameter
from ..sending.checks import check_recipients
from ..sending.submit import Submission, submit
from . import templates
from .registry import operation

MAX_BULK = 50
# Errors of SendBulkTemplatedEmail's entries, by the code of the exception.
BULK_STATUSES = {
    "MessageRejected": "MessageRejected",
    "MailFromDomainNotVerifiedException": "MailFromDomainNotVerified",
    "InvalidParameterValue": "InvalidParameterValue",
    "Throttling": "AccountThrottled",
}


def recipients_of(destination: dict) -> list[str]:
    return [one for kind in ("ToAddresses", "CcAddresses", "BccAddresses") for one in destination.get(kind, [])]


def address_headers(sender: str, destination: dict, reply_to: list[str]) -> dict[str, list[str]]:
    to, cc = destination.get("ToAddresses", []), destination.get("CcAddresses", [])
    return {"From": [sender], "Reply-To": reply_to, "To": to, "Cc": cc}


def _common(parameters: dict) -> dict:
    """The parameters that all of these operations share, as fields of a submission."""
    names = {
        "Source": "sender",
        "ReturnPath": "return_path",
        "SourceArn": "source_arn",
        "ReturnPathArn": "return_path_arn",
        "ConfigurationSetName": "configuration_set",
        "Tags": "tags",
    }
    return {field: parameters[name] for name, field in names.items() if parameters.get(name)}


@operation("ses", "SendEmail", limited=False)
def send_email(
    call: Call, Source: str, Destination: dict, Message: dict, ReplyToAddresses: list[str] = (), **others
) -> dict:
    body = Message["Body"]
    text, html = (body.get(kind, {}).get("Data") for kind in ("Text", "Html"))
    if text is None and html is None:
        raise invalid_parameter(call.service, "Missing body.")
    content = Content(
        Message["Subject"]["Data"], text, html, addresses=address_headers(Source, Destination, list(ReplyToAddresses))
    )
    fields = _common(others | {"Source": Source})
    return {
        "MessageId": submit(
            call, Submission("SendEmail", compose(content), recipients=recipients_of(Destination), **fields)
        )
    }


@operation("ses", "SendRawEmail", limited=False)
def send_raw_email(
    call: Call, RawMessage: dict, Destinations: list[str] | None = None, FromArn: str | None = None, **others
) -> dict:
    submission = Submission("SendRawEmail", RawMessage["Data"], recipients=Destinations or None, **_common(others))
    submission.source_arn = submission.source_arn or FromArn
    return {"MessageId": submit(call, submission)}


@operation("ses", "SendTemplatedEmail", limited=False, guess="TemplateArn is not modelled and is ignored.")
def send_templated_email(
    call: Call,
    Source: str,
    Destination: dict,
    Template: str,
    TemplateData: str,
    ReplyToAddresses: list[str] = (),
    **others,
) -> dict:
    fields = _common(others | {"Source": Source})
    addresses = address_headers(Source, Destination, list(ReplyToAddresses))
    submission = templated(call, "SendTemplatedEmail", Template, TemplateData, addresses, fields)
    submission.recipients = recipients_of(Destination)
    return {"MessageId": submit(call, submission)}


def templated(
    call: Call,
    action: str,
    name: str,
    data: str | None,
    addresses: dict,
    fields: dict,
    inline: dict | None = None,
    **parts,
) -> Submission:
    """A submission of a template. A template that cannot be rendered is accepted, and becomes a Rendering Failure event."""
    template = inline or templates.find(call, name)["content"]
    try:
        rendered, error = templates.rendered(template, data), None
    except RenderingError as problem:
        rendered, error = {}, str(problem)
    content = Content(
        rendered.get("Subject", ""), rendered.get("Text"), rendered.get("Html"), addresses=addresses, **parts
    )
    return Submission(action, compose(content), template=name, rendering_error=error, **fields)


@operation("ses", "SendBulkTemplatedEmail", limited=False, guess="TemplateArn is not modelled and is ignored.")
def send_bulk_templated_email(
    call: Call,
    Source: str,
    Template: str,
    DefaultTemplateData: str,
    Destinations: list[dict],
    ReplyToAddresses: list[str] = (),
    DefaultTags=(),
    **others,
) -> dict:
    if not 0 < len(Destinations) <= MAX_BULK:
        raise invalid_parameter(call.service, f"The number of destinations must be between 1 and {MAX_BULK}.")
    statuses = []
    for entry in Destinations:
        destination = entry["Destination"]
        tags = entry.get("ReplacementTags") or list(DefaultTags)
        fields = _common(others | {"Source": Source, "Tags": tags})
        data = entry.get("ReplacementTemplateData") or DefaultTemplateData
        submission = templated(
            call,
            "SendBulkTemplatedEmail",
            Template,
            data,
            address_headers(Source, destination, list(ReplyToAddresses)),
            fields,
        )
        submission.recipients = recipients_of(destination)
        statuses.append(_bulk_status(call, submission))
    return {"Status": statuses}


def _bulk_status(call: Call, submission: Submission) -> dict:
    try:
        check_recipients(call, submission.recipients)
        return {"Status": "Success", "MessageId": submit(call, submission)}
    except ServiceError as error:
        if error.code not in BULK_STATUSES:
            raise
        return {"Status": BULK_STATUSES[error.code], "Error": error.message}
