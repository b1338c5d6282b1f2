"""Scalar values as they stand in requests and answers."""

from __future__ import annotations

import base64
import binascii
import datetime

from botocore.model import Shape
from dateutil import parser as date_parser

from .errors import ServiceError

UTC = datetime.timezone.utc


def malformed(text: str) -> ServiceError:
    return ServiceError("ValidationError", text)


def parse_text(shape: Shape, text: str):
    """A value of a form, a query string or a path."""
    try:
        match shape.type_name:
            case "boolean":
                if text not in ("true", "false"):
                    raise malformed(f"{text!r} is not a boolean")
                return text == "true"
            case "integer" | "long":
                return int(text)
            case "float" | "double":
                return float(text)
            case "timestamp":
                return date_parser.parse(text).timestamp()
            case "blob":
                return base64.b64decode(text, validate=True)
    except (ValueError, OverflowError, binascii.Error):
        raise malformed(f"{text!r} is not a valid {shape.type_name}") from None
    return text


def iso(seconds: float) -> str:
    """A time in the format of the query protocol."""
    return (
        datetime.datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
        + f"{int(seconds * 1000) % 1000:03d}Z"
    )


def to_text(shape: Shape, value) -> str:
    """A scalar of an answer in the query protocol."""
    match shape.type_name:
        case "boolean":
            return "true" if value else "false"
        case "timestamp":
            return iso(value)
        case "blob":
            return base64.b64encode(value).decode()
    return str(value)
