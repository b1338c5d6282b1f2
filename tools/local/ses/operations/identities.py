"""What both APIs do with identities."""

from __future__ import annotations

import hashlib
import re

from .. import lookup
from ..local_ses import Call
from ..protocol.errors import ServiceError, invalid_parameter
from ..protocol.models import V1
from ..state.model import Identity

DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]*[a-z0-9]")


def create(call: Call, name: str) -> Identity:
    """A new identity, verified at once unless the settings say otherwise."""
    name = lookup.normalized(name)
    if "@" in name:
        lookup.require_address(call, name)
    elif not DOMAIN.fullmatch(name):
        raise invalid_parameter(call.service, f"Invalid domain name {name}.")
    if name in call.account.identities:
        return call.account.identities[name]
    settings = call.ses.world.settings
    if len(call.account.identities) >= settings.identities_per_account:
        message = f"You have reached the maximum of {settings.identities_per_account} identities."
        raise ServiceError("LimitExceeded" if call.service == V1 else "LimitExceededException", message)
    status = "SUCCESS" if settings.verify_at_once else "PENDING"
    identity = Identity(name, call.now, status, verification_token=token(name, "verification"))
    if identity.is_domain:
        identity.dkim_tokens = [token(name, f"dkim{number}")[:32].lower() for number in range(3)]
    call.account.identities[name] = identity
    return identity


def delete(call: Call, name: str) -> None:
    call.account.identities.pop(name, None)
    call.account.tags.pop(call.account.arn(f"identity/{name}"), None)
    for tenant in call.account.tenants.values():
        tenant.resources.pop(call.account.arn(f"identity/{name}"), None)


def token(name: str, purpose: str) -> str:
    """The same token for the same identity, as SES gives."""
    return hashlib.sha256(f"{purpose}:{name}".encode()).hexdigest()[:43]


def dkim_status(identity: Identity) -> str:
    return identity.verification_status if identity.dkim_tokens else "NOT_STARTED"
