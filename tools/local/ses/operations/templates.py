"""Templates in both APIs.

https://docs.aws.amazon.com/ses/latest/dg/send-personalized-email-api.html
"""

from __future__ import annotations

from ..local_ses import Call
from ..mail import rendering
from ..mail.message import Content, compose
from ..protocol.errors import ServiceError, not_found
from ..protocol.models import V1
from . import tags
from .paging import page
from .registry import operation

# Parts as the v2 API names them; v1 adds "Part".
PARTS = ("Subject", "Text", "Html")


def find(call: Call, name: str) -> dict:
    """{"content": {Subject, Text, Html}, "created": seconds}"""
    found = call.account.templates.get(name)
    if found:
        return found
    message = f"Template {name} does not exist."
    if call.service == V1:
        raise ServiceError("TemplateDoesNotExistException", message, TemplateName=name)
    raise not_found(message)


def rendered(content: dict, data: str | None) -> dict:
    """The parts of a template with the data in them. Raises RenderingError."""
    values = rendering.data_of(data)
    return {part: rendering.render(content[part], values, part == "Html") for part in PARTS if content.get(part)}


def _put(call: Call, name: str, content: dict) -> None:
    try:
        for part in content.values():
            rendering.check(part)
    except rendering.InvalidTemplate as error:
        code = "InvalidTemplateException" if call.service == V1 else "BadRequestException"
        raise ServiceError(code, f"Template {name} is invalid: {error}.") from None
    created = call.account.templates.get(name, {}).get("created", call.now)
    call.account.templates[name] = {"content": content, "created": created}


def _create(call: Call, name: str, content: dict) -> None:
    if name in call.account.templates:
        raise ServiceError(
            "AlreadyExistsException",
            f"Template {name} already exists.",
            **({"Name": name} if call.service == V1 else {}),
        )
    _put(call, name, content)


def _test(call: Call, name: str, data: str) -> dict:
    content = find(call, name)["content"]
    try:
        parts = rendered(content, data)
    except rendering.RenderingError as error:
        code = "MissingRenderingAttributeException" if call.service == V1 else "BadRequestException"
        raise ServiceError(code, str(error), **({"TemplateName": name} if call.service == V1 else {})) from None
    mail = compose(Content(parts.get("Subject", ""), parts.get("Text"), parts.get("Html")))
    return {"RenderedTemplate": mail.decode("utf-8", "replace")}


def _from_v1(template: dict) -> dict:
    return {part: template[f"{part}Part"] for part in PARTS if f"{part}Part" in template}


@operation("ses", "CreateTemplate")
def create_v1(call: Call, Template: dict) -> None:
    _create(call, Template["TemplateName"], _from_v1(Template))


@operation("ses", "UpdateTemplate")
def update_v1(call: Call, Template: dict) -> None:
    find(call, Template["TemplateName"])
    _put(call, Template["TemplateName"], _from_v1(Template))


@operation("ses", "GetTemplate")
def get_v1(call: Call, TemplateName: str) -> dict:
    content = find(call, TemplateName)["content"]
    return {"Template": {"TemplateName": TemplateName} | {f"{part}Part": text for part, text in content.items()}}


@operation("ses", "DeleteTemplate")
def delete_v1(call: Call, TemplateName: str) -> None:
    call.account.templates.pop(TemplateName, None)


@operation("ses", "ListTemplates")
def list_v1(call: Call, NextToken: str | None = None, MaxItems: int | None = None) -> dict:
    items, token = page(call.service, list(call.account.templates.items()), NextToken, MaxItems, 100)
    return {
        "TemplatesMetadata": [{"Name": name, "CreatedTimestamp": one["created"]} for name, one in items],
        "NextToken": token,
    }


@operation("ses", "TestRenderTemplate", guess="The headers of the rendered mail.")
def test_v1(call: Call, TemplateName: str, TemplateData: str) -> dict:
    return _test(call, TemplateName, TemplateData)


@operation("sesv2", "CreateEmailTemplate")
def create_v2(call: Call, TemplateName: str, TemplateContent: dict, Tags=()) -> None:
    _create(call, TemplateName, TemplateContent)
    tags.put(call, call.account.arn(f"template/{TemplateName}"), Tags)


@operation("sesv2", "UpdateEmailTemplate")
def update_v2(call: Call, TemplateName: str, TemplateContent: dict) -> None:
    find(call, TemplateName)
    _put(call, TemplateName, TemplateContent)


@operation("sesv2", "GetEmailTemplate")
def get_v2(call: Call, TemplateName: str) -> dict:
    content, shown_tags = (
        find(call, TemplateName)["content"],
        tags.of(call, call.account.arn(f"template/{TemplateName}")),
    )
    return {"TemplateName": TemplateName, "TemplateContent": content, "Tags": shown_tags}


@operation("sesv2", "DeleteEmailTemplate")
def delete_v2(call: Call, TemplateName: str) -> None:
    find(call, TemplateName)
    del call.account.templates[TemplateName]
    call.account.tags.pop(call.account.arn(f"template/{TemplateName}"), None)


@operation("sesv2", "ListEmailTemplates")
def list_v2(call: Call, NextToken: str | None = None, PageSize: int | None = None) -> dict:
    items, token = page(call.service, list(call.account.templates.items()), NextToken, PageSize, 100)
    return {
        "TemplatesMetadata": [{"TemplateName": name, "CreatedTimestamp": one["created"]} for name, one in items],
        "NextToken": token,
    }


@operation("sesv2", "TestRenderEmailTemplate", guess="The headers of the rendered mail.")
def test_v2(call: Call, TemplateName: str, TemplateData: str) -> dict:
    return _test(call, TemplateName, TemplateData)
