"""Renders templates: variables, {{#if}}, {{else}} and {{#each}} of Handlebars. Other helpers are not modelled.

https://docs.aws.amazon.com/ses/latest/dg/send-personalized-email-advanced.html
"""

from __future__ import annotations

import html
import json
import re

from ..protocol.errors import NotModelled

TOKEN = re.compile(r"\{\{\{\s*([^{}]+?)\s*\}\}\}|\{\{\s*([^{}]+?)\s*\}\}")


class RenderingError(Exception):
    """The template cannot be rendered with this data. The text is that of SES's event."""


class InvalidTemplate(Exception):
    """The blocks of a template do not match."""


def data_of(text: str | None) -> dict:
    try:
        data = json.loads(text or "{}")
    except ValueError:
        raise RenderingError("Template rendering data is invalid: it is not JSON") from None
    if not isinstance(data, dict):
        raise RenderingError("Template rendering data is invalid: it is not a JSON object")
    return data


def render(template: str, data: dict, escape: bool = False) -> str:
    """Raises RenderingError for a variable that the data does not have."""
    text, _ = _render(_tokens(template), 0, [data], escape, True)
    return text


def check(template: str) -> None:
    """Raises InvalidTemplate, or NotModelled for a helper."""
    depth = []
    for kind, value in _tokens(template):
        if kind == "open":
            depth.append(value.split()[0])
        elif kind == "close" and (not depth or depth.pop() != value):
            raise InvalidTemplate(f"unexpected {{{{/{value}}}}}")
    if depth:
        raise InvalidTemplate(f"{{{{#{depth[-1]}}}}} is not closed")


def _tokens(template: str) -> list[tuple[str, str]]:
    found, end = [], 0
    for match in TOKEN.finditer(template):
        found.append(("text", template[end : match.start()]))
        end = match.end()
        raw, name = match.groups()
        if raw:
            found.append(("raw", raw))
        elif name.startswith("#"):
            if name[1:].split()[0] not in ("if", "each"):
                raise NotModelled(f"the template helper {name}")
            found.append(("open", name[1:]))
        elif name.startswith("/"):
            found.append(("close", name[1:].strip()))
        elif name == "else":
            found.append(("else", ""))
        else:
            found.append(("variable", name))
    return [*found, ("text", template[end:])]


def _render(tokens: list, at: int, scopes: list, escape: bool, visible: bool) -> tuple[str, int]:
    """The text of a block and the place of the token that ends it."""
    parts = []
    while at < len(tokens):
        kind, value = tokens[at]
        if kind in ("close", "else"):
            return "".join(parts), at
        if kind == "open":
            text, at = _block(tokens, at, scopes, escape, visible)
            parts.append(text)
        elif visible:
            parts.append(value if kind == "text" else _value(value, scopes, escape and kind != "raw"))
        at += 1
    return "".join(parts), at


def _block(tokens: list, at: int, scopes: list, escape: bool, visible: bool) -> tuple[str, int]:
    helper, name = (tokens[at][1].split(maxsplit=1) + [""])[:2]
    value = _find(name, scopes, None) if visible else None
    items = (
        value if helper == "each" and isinstance(value, (list, tuple)) else [None] if helper == "if" and value else []
    )
    texts, end = [], at
    for item in items:
        text, end = _render(tokens, at + 1, scopes + ([item] if helper == "each" else []), escape, visible)
        texts.append(text)
    if not items:
        _, end = _render(tokens, at + 1, scopes, escape, False)
    if tokens[end][0] == "else":
        text, end = _render(tokens, end + 1, scopes, escape, visible and not items)
        texts.append("" if items else text)
    return "".join(texts), end


_MISSING = object()


def _value(name: str, scopes: list, escape: bool) -> str:
    value = _find(name, scopes, _MISSING)
    if value is _MISSING:
        raise RenderingError(f"Attribute '{name}' is not present in the rendering data.")
    text = value if isinstance(value, str) else json.dumps(value)
    return html.escape(text) if escape else text


def _find(name: str, scopes: list, default):
    if name == "this":
        return scopes[-1]
    path = name.removeprefix("this.").split(".")
    for scope in reversed(scopes):
        value = scope
        for step in path:
            if not isinstance(value, dict) or step not in value:
                break
            value = value[step]
        else:
            return value
    return default
