"""Pages of lists."""

from __future__ import annotations

import base64
import binascii

from ..protocol.errors import ServiceError
from ..protocol.models import V1


def page(service: str, items: list, token: str | None, size: int | None, default: int) -> tuple[list, str | None]:
    """The items of a page and the token of the next one. A token is the number of items before the page, in base64."""
    try:
        start = int(base64.b64decode(token, validate=True)) if token else 0
    except (ValueError, binascii.Error):
        code = "InvalidParameterValue" if service == V1 else "InvalidNextTokenException"
        raise ServiceError(code, "Invalid NextToken value provided.") from None
    end = start + max(1, min(size or default, 1000))
    following = base64.b64encode(str(end).encode()).decode() if end < len(items) else None
    return items[start:end], following
