"""The REST JSON protocol of SES v2: path, query string and JSON body in, JSON out.

https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
"""

from __future__ import annotations

import base64
import binascii
import json
import urllib.parse

from botocore.model import OperationModel, Shape

from . import models
from .errors import ServiceError
from .values import parse_text


def parse(method: str, raw_path: str, query: str, body: bytes) -> tuple[OperationModel, dict]:
    """The operation of a request and its parameters; times are seconds since 1970, blobs are bytes."""
    found = models.match_route(method, raw_path)
    if not found:
        raise ServiceError("UnknownOperationException", f"no operation of SES v2 is at {method} {raw_path}", status=404)
    operation, variables = found
    shape = operation.input_shape
    parameters = _read(shape, _json(body)) if shape else {}
    pairs = urllib.parse.parse_qs(query, keep_blank_values=True)
    for name, member in shape.members.items() if shape else ():
        place, wire_name = member.serialization.get("location"), member.serialization.get("name", name)
        if place == "uri" and wire_name in variables:
            parameters[name] = parse_text(member, variables[wire_name])
        elif place == "querystring" and wire_name in pairs:
            values = pairs[wire_name]
            is_list = member.type_name == "list"
            parameters[name] = (
                [parse_text(member.member, one) for one in values] if is_list else parse_text(member, values[0])
            )
    return operation, parameters


def _json(body: bytes) -> dict:
    if not body:
        return {}
    try:
        found = json.loads(body)
    except ValueError:
        raise ServiceError("SerializationException", "the body is not JSON") from None
    if not isinstance(found, dict):
        raise ServiceError("SerializationException", "the body is not a JSON object")
    return found


def _read(shape: Shape, value):
    match shape.type_name:
        case "structure":
            _require(value, dict, shape)
            members = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
            known = {key: item for key, item in value.items() if key in members and item is not None}
            return {members[key][0]: _read(members[key][1], item) for key, item in known.items()}
        case "list":
            return [_read(shape.member, item) for item in _require(value, list, shape)]
        case "map":
            return {key: _read(shape.value, item) for key, item in _require(value, dict, shape).items()}
        case "blob":
            try:
                return base64.b64decode(_require(value, str, shape), validate=True)
            except binascii.Error:
                raise ServiceError("SerializationException", f"{shape.name} is not base64") from None
        case "timestamp":
            return parse_text(shape, value) if isinstance(value, str) else float(_require(value, (int, float), shape))
        case "string":
            return _require(value, str, shape)
        case "boolean":
            return _require(value, bool, shape)
    return _require(value, (int, float), shape)


def _require(value, kind, shape: Shape):
    if not isinstance(value, kind):
        raise ServiceError("SerializationException", f"{shape.name} is not a {shape.type_name}")
    return value


def answer(operation: OperationModel, result: dict) -> bytes:
    return json.dumps(_write(operation.output_shape, result) if operation.output_shape else {}).encode()


def _write(shape: Shape, value):
    match shape.type_name:
        case "structure":
            present = {name: member for name, member in shape.members.items() if value.get(name) is not None}
            return {
                member.serialization.get("name", name): _write(member, value[name]) for name, member in present.items()
            }
        case "list":
            return [_write(shape.member, item) for item in value]
        case "map":
            return {key: _write(shape.value, item) for key, item in value.items()}
        case "blob":
            return base64.b64encode(value).decode()
    return value


def error(problem: ServiceError) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of an error answer."""
    body = {"message": problem.message} | problem.members
    return json.dumps(body).encode(), {"x-amzn-ErrorType": problem.wire_code(models.V2)}
