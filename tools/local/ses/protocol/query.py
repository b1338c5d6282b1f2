"""The query protocol of SES v1: form parameters in, XML out.

https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

from __future__ import annotations

import urllib.parse
from xml.etree import ElementTree

from botocore.model import OperationModel, Shape

from . import models
from .errors import NotModelled, ServiceError
from .values import parse_text, to_text


def parse(body: bytes) -> tuple[OperationModel, dict]:
    """The operation of a request and its parameters; times are seconds since 1970, blobs are bytes."""
    fields = dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    action = fields.pop("Action", None)
    if not action:
        raise ServiceError("MissingAction", "Missing Action")
    model = models.service(models.V1)
    if action not in model.operation_names:
        raise ServiceError("InvalidAction", f"Could not find operation {action} for version 2010-12-01")
    operation = model.operation_model(action)
    return operation, _read(operation.input_shape, fields) if operation.input_shape else {}


def _read(shape: Shape, fields: dict[str, str]):
    """A value from the fields below it; the prefix of their names is already removed."""
    match shape.type_name:
        case "structure":
            found = {}
            for name, member in shape.members.items():
                below = _below(fields, member.serialization.get("name", name))
                if below:
                    found[name] = _read(member, below)
            return found
        case "list":
            items = _below(fields, shape.member.serialization.get("name", "member"))
            numbers = sorted({int(key.split(".")[0]) for key in items if key.split(".")[0].isdecimal()})
            return [_read(shape.member, _below(items, str(number))) for number in numbers]
        case "map":
            raise NotModelled("a map in a query request")
    return parse_text(shape, fields.get("", ""))


def _below(fields: dict[str, str], name: str) -> dict[str, str]:
    return {key[len(name) + 1 :]: value for key, value in fields.items() if key == name or key.startswith(name + ".")}


def answer(operation: OperationModel, result: dict, request_id: str) -> bytes:
    root = ElementTree.Element(f"{operation.name}Response", xmlns=operation.service_model.metadata["xmlNamespace"])
    shape = operation.output_shape
    if shape:
        _write(
            ElementTree.SubElement(root, shape.serialization.get("resultWrapper", f"{operation.name}Result")),
            shape,
            result,
        )
    metadata = ElementTree.SubElement(root, "ResponseMetadata")
    ElementTree.SubElement(metadata, "RequestId").text = request_id
    return ElementTree.tostring(root, encoding="utf-8")


def _write(element: ElementTree.Element, shape: Shape, value) -> None:
    match shape.type_name:
        case "structure":
            for name, member in shape.members.items():
                if value.get(name) is not None:
                    _write(ElementTree.SubElement(element, member.serialization.get("name", name)), member, value[name])
        case "list":
            for item in value:
                _write(
                    ElementTree.SubElement(element, shape.member.serialization.get("name", "member")),
                    shape.member,
                    item,
                )
        case "map":
            for key, item in value.items():
                entry = ElementTree.SubElement(element, "entry")
                ElementTree.SubElement(entry, "key").text = key
                _write(ElementTree.SubElement(entry, "value"), shape.value, item)
        case _:
            element.text = to_text(shape, value)


def error(problem: ServiceError, request_id: str) -> bytes:
    namespace = models.service(models.V1).metadata["xmlNamespace"]
    root = ElementTree.Element("ErrorResponse", xmlns=namespace)
    element = ElementTree.SubElement(root, "Error")
    sender_fault = problem.http_status(models.V1) < 500
    ElementTree.SubElement(element, "Type").text = "Sender" if sender_fault else "Receiver"
    ElementTree.SubElement(element, "Code").text = problem.wire_code(models.V1)
    ElementTree.SubElement(element, "Message").text = problem.message
    for name, value in problem.members.items():
        ElementTree.SubElement(element, name).text = value
    ElementTree.SubElement(root, "RequestId").text = request_id
    return ElementTree.tostring(root, encoding="utf-8")
