"""Processes a request: caller, limits, faults, validation, operation, call log."""

from __future__ import annotations

import base64
import dataclasses
import time
import uuid

from botocore.model import OperationModel

from . import operations  # noqa: F401  Registers the operations.
from .control.faults import Fault
from .local_ses import Call, LocalSes
from .operations.registry import OPERATIONS
from .protocol import models, query, rest_json
from .protocol.errors import NotModelled, ServiceError, throttled
from .protocol.validation import validate


@dataclasses.dataclass
class Request:
    """An HTTP request, its path still encoded."""

    method: str
    path: str
    query: str
    authorization: str | None
    body: bytes
    source_ip: str = "127.0.0.1"


@dataclasses.dataclass
class Response:
    """`lost` closes the connection instead of answering."""

    status: int
    body: bytes
    content_type: str
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    lost: bool = False


# Longer texts are cut in the call log.
LONGEST_LOGGED_BYTES = 2_000


def handle(ses: LocalSes, request: Request) -> Response:
    """Answer a request of v1 (POST /) or v2 (/v2/...)."""
    service = models.V2 if request.path.startswith("/v2/") else models.V1
    request_id = str(uuid.uuid4())
    operation, parameters, call, caller, lost = None, {}, None, None, False
    try:
        caller = ses.callers.resolve(request.authorization)
        operation, parameters = _parse(service, request)
        call = Call(ses, service, operation.name, caller, request.source_ip)
        result, lost = _perform(call, operation, parameters)
        response = _answer(service, operation, result, request_id)
        error = None
    except ServiceError as problem:
        response, error = _error(service, problem, request_id), problem.wire_code(service)
    ses.calls.add(
        at=ses.clock.now(),
        service=service,
        operation=operation.name if operation else "",
        action=f"ses:{operation.name}" if operation else "",
        account=caller.account if caller else "",
        region=caller.region if caller else "",
        access_key=caller.access_key if caller else "",
        identity=caller.identity if caller else "",
        resources=call.resources if call else [],
        parameters=_logged(parameters),
        status=response.status,
        error=error,
    )
    response.lost = lost
    return response


def _parse(service: str, request: Request) -> tuple[OperationModel, dict]:
    if service == models.V2:
        return rest_json.parse(request.method, request.path, request.query, request.body)
    if request.method != "POST" or request.path != "/":
        raise ServiceError(
            "UnknownOperationException", f"no operation is at {request.method} {request.path}", status=404
        )
    return query.parse(request.body)


def _perform(call: Call, model: OperationModel, parameters: dict) -> tuple[dict, bool]:
    """The members of the answer, and whether the answer is to be lost."""
    ses, service, caller = call.ses, call.service, call.caller
    operation = OPERATIONS.get((service, model.name))
    if not operation:
        raise NotModelled(f"{service}:{model.name}")
    faults = ses.faults.take(service, model.name, caller.account)
    _apply_before(service, faults)
    settings = ses.world.settings
    scope = model.name if settings.limit_scope == "operation" else "all"
    if operation.limited and not ses.rates.allow((service, scope, caller.account, caller.region), 1, settings.second):
        raise throttled(service)
    validate(model, parameters)
    with ses.lock:
        result = operation.handler(call, **parameters)
    return result or {}, any(fault.lose_answer for fault in faults)


def _apply_before(service: str, faults: list[Fault]) -> None:
    for fault in faults:
        time.sleep(fault.delay_seconds)
        if fault.throttle:
            raise throttled(service)
        if fault.error:
            status = fault.error.get("status")
            raise ServiceError(fault.error["code"], fault.error.get("message", "a fault of the local SES"), status)


def _answer(service: str, operation: OperationModel, result: dict, request_id: str) -> Response:
    if service == models.V1:
        return Response(200, query.answer(operation, result, request_id), "text/xml", {"x-amzn-RequestId": request_id})
    return Response(200, rest_json.answer(operation, result), "application/json", {"x-amzn-RequestId": request_id})


def _error(service: str, problem: ServiceError, request_id: str) -> Response:
    status = problem.http_status(service)
    if service == models.V1:
        return Response(status, query.error(problem, request_id), "text/xml", {"x-amzn-RequestId": request_id})
    body, headers = rest_json.error(problem)
    return Response(status, body, "application/json", headers | {"x-amzn-RequestId": request_id})


def _logged(value):
    """The parameters as JSON: blobs in base64, long ones cut."""
    if isinstance(value, dict):
        return {name: _logged(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_logged(item) for item in value]
    if isinstance(value, bytes):
        value = base64.b64encode(value).decode()
    return value[:LONGEST_LOGGED_BYTES] if isinstance(value, str) else value
