"""Checks a request against the constraints of the service model, with the wording of AWS."""

from __future__ import annotations

import re

from botocore.model import OperationModel, Shape

from . import models
from .errors import ServiceError


def validate(operation: OperationModel, parameters: dict) -> None:
    """Raise ValidationError (v1) or BadRequestException (v2) for missing members and values outside their constraint."""
    problems = list(_problems(operation.input_shape, parameters, "")) if operation.input_shape else []
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected"
        is_v1 = operation.service_model.service_name == models.V1
        raise ServiceError("ValidationError" if is_v1 else "BadRequestException", f"{count}: {'; '.join(problems)}")


def _problems(shape: Shape, value, path: str):
    match shape.type_name:
        case "structure":
            for name in shape.required_members:
                if name not in value:
                    place = _join(path, name)
                    yield f"Value null at '{place}' failed to satisfy constraint: Member must not be null"
            for name, item in value.items():
                yield from _problems(shape.members[name], item, _join(path, name))
        case "list":
            for number, item in enumerate(value, 1):
                yield from _problems(shape.member, item, f"{path}.{number}.member")
        case "map":
            for key, item in value.items():
                yield from _problems(shape.key, key, f"{path}.key")
                yield from _problems(shape.value, item, f"{path}.value")
        case "string":
            yield from _string_problems(shape, value, path)
        case "integer" | "long":
            low, high = shape.metadata.get("min"), shape.metadata.get("max")
            if low is not None and value < low:
                yield f"Value '{value}' at '{path}' failed to satisfy constraint: Member must have value greater than or equal to {low}"
            if high is not None and value > high:
                yield f"Value '{value}' at '{path}' failed to satisfy constraint: Member must have value less than or equal to {high}"


def _string_problems(shape: Shape, value: str, path: str):
    start = f"Value '{value}' at '{path}' failed to satisfy constraint:"
    if shape.enum and value not in shape.enum:
        yield f"{start} Member must satisfy enum value set: [{', '.join(shape.enum)}]"
    if len(value) < shape.metadata.get("min", 0):
        yield f"{start} Member must have length greater than or equal to {shape.metadata['min']}"
    if len(value) > shape.metadata.get("max", len(value)):
        yield f"{start} Member must have length less than or equal to {shape.metadata['max']}"
    if (pattern := shape.metadata.get("pattern")) and not re.fullmatch(pattern, value):
        yield f"{start} Member must satisfy regular expression pattern: {pattern}"


def _join(path: str, name: str) -> str:
    name = name[0].lower() + name[1:]
    return f"{path}.{name}" if path else name
