"""Tags of resources."""

from __future__ import annotations

from ..local_ses import Call
from ..protocol.errors import ServiceError, invalid_parameter, not_found
from .registry import operation

MAX_TAGS = 50


def put(call: Call, arn: str, pairs) -> None:
    """Add tags; 50 a resource."""
    tags = call.account.tags.get(arn, {}) | {pair["Key"]: pair["Value"] for pair in pairs or ()}
    if len(tags) > MAX_TAGS:
        raise ServiceError("BadRequestException", f"A resource can have no more than {MAX_TAGS} tags.")
    if tags:
        call.account.tags[arn] = tags


def of(call: Call, arn: str) -> list[dict]:
    return [{"Key": key, "Value": value} for key, value in call.account.tags.get(arn, {}).items()]


@operation("sesv2", "TagResource")
def tag_resource(call: Call, ResourceArn: str, Tags: list[dict]) -> None:
    _require(call, ResourceArn)
    put(call, ResourceArn, Tags)


@operation("sesv2", "UntagResource")
def untag_resource(call: Call, ResourceArn: str, TagKeys: list[str]) -> None:
    _require(call, ResourceArn)
    for key in TagKeys:
        call.account.tags.get(ResourceArn, {}).pop(key, None)


@operation("sesv2", "ListTagsForResource")
def list_tags_for_resource(call: Call, ResourceArn: str) -> dict:
    _require(call, ResourceArn)
    return {"Tags": of(call, ResourceArn)}


def _require(call: Call, arn: str) -> None:
    """Identities, configuration sets, templates and tenants have tags."""
    kind, _, name = arn.removeprefix(call.account.arn("")).partition("/")
    known = {
        "identity": call.account.identities,
        "configuration-set": call.account.configuration_sets,
        "template": call.account.templates,
        "tenant": {f"{tenant.name}/{tenant.id}": tenant for tenant in call.account.tenants.values()},
    }
    if not arn.startswith(call.account.arn("")) or kind not in known:
        raise invalid_parameter(call.service, f"Invalid resource ARN: {arn}.")
    if name not in known[kind]:
        raise not_found(f"Resource {arn} does not exist.")
