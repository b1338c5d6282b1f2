"""The list of modelled operations."""

from __future__ import annotations

import dataclasses
import typing

DOCUMENTED = "documented"


@dataclasses.dataclass(frozen=True)
class Operation:
    """`guess` names what AWS does not document. `limited` operations are allowed once a second."""

    service: str
    name: str
    handler: typing.Callable[..., dict | None]
    guess: str
    limited: bool


OPERATIONS: dict[tuple[str, str], Operation] = {}


def operation(service: str, name: str, *, guess: str = "", limited: bool = True):
    """Register a handler. It gets the call and the parameters by their names in the API, and returns the members of the answer."""

    def register(handler):
        OPERATIONS[service, name] = Operation(service, name, handler, guess, limited)
        return handler

    return register
