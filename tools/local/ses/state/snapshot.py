"""Reads a state back that `model.dump` wrote."""

from __future__ import annotations

import dataclasses
import types
import typing

from .model import World


def load(data: dict) -> World:
    """Raises TypeError or KeyError for data that is no state."""
    return _build(World, data)


def _build(kind, data):
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{name: _build(hints[name], value) for name, value in data.items()})
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is dict and arguments:
        return {key: _build(arguments[1], value) for key, value in data.items()}
    if origin is list and arguments:
        return [_build(arguments[0], value) for value in data]
    if origin in (types.UnionType, typing.Union):
        (inner,) = [one for one in arguments if one is not type(None)]
        return None if data is None else _build(inner, data)
    return data
