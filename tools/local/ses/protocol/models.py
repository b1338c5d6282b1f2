"""The service models of SES, as botocore ships them."""

from __future__ import annotations

import dataclasses
import functools
import re
import urllib.parse

import botocore.loaders
from botocore.model import OperationModel, ServiceModel

V1, V2 = "ses", "sesv2"


@functools.cache
def service(name: str) -> ServiceModel:
    """The model of `ses` (API of 2010-12-01) or `sesv2` (API of 2019-09-27)."""
    return ServiceModel(botocore.loaders.Loader().load_service_model(name, "service-2"), name)


@dataclasses.dataclass(frozen=True)
class Route:
    """The method and path of a v2 operation."""

    operation: str
    method: str
    pattern: re.Pattern


@functools.cache
def routes() -> list[Route]:
    """The routes of v2, those with the fewest variable parts first."""
    model = service(V2)
    found = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        path = http["requestUri"].rstrip("/")
        pattern = "".join(
            f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{[^}]+\})", path)
        )
        found.append((path.count("{"), Route(name, http["method"], re.compile(pattern + "/?"))))
    return [route for _, route in sorted(found, key=lambda one: one[0])]


def match_route(method: str, raw_path: str) -> tuple[OperationModel, dict[str, str]] | None:
    """The v2 operation of a request, with the decoded variables of its path. The path must not be decoded yet."""
    for route in routes():
        if route.method == method and (found := route.pattern.fullmatch(raw_path)):
            variables = {name: urllib.parse.unquote(value) for name, value in found.groupdict().items()}
            return service(V2).operation_model(route.operation), variables
    return None
