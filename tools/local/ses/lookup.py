"""Finds resources, or raises the error SES answers when they do not exist."""

from __future__ import annotations

import re

from .local_ses import Call
from .protocol.errors import ServiceError, invalid_parameter, not_found
from .protocol.models import V1
from .state.model import ConfigurationSet, Identity, NotificationSettings, Tenant

IDENTITY_ARN = re.compile(r"arn:[\w-]+:ses:([a-z0-9-]+):(\d{12}):identity/(.+)")


def identity_name(call: Call, identity: str) -> str:
    """The name of an identity given by name or by an ARN of the caller's account and Region."""
    found = IDENTITY_ARN.fullmatch(identity)
    own = found and found.groups()[:2] == (call.account.region, call.account.id)
    return normalized(found[3] if own else identity)


def normalized(identity: str) -> str:
    """Domains are case-insensitive; the local part of an address is not."""
    local, at, domain = identity.rpartition("@")
    return f"{local}{at}{domain.lower()}"


def find_identity(call: Call, identity: str) -> Identity:
    """v2 only: NotFoundException when there is none."""
    found = call.account.identities.get(identity_name(call, identity))
    if not found:
        raise not_found(f"Email identity {identity} does not exist.")
    call.resources.append(call.account.arn(f"identity/{found.name}"))
    return found


def notification_settings(call: Call, identity: str) -> tuple[NotificationSettings, str]:
    """v1 only: the settings and the ARN of an identity, or of another account's identity that has legacy settings here."""
    if identity in call.account.legacy_notifications:
        return call.account.legacy_notifications[identity], identity
    found = call.account.identities.get(identity_name(call, identity))
    if not found:
        raise invalid_identity(identity)
    return found.notifications, call.account.arn(f"identity/{found.name}")


def invalid_identity(identity: str) -> ServiceError:
    """The error of v1 for every reason why an identity cannot be used, also for a topic in another Region."""
    return ServiceError(
        "InvalidParameterValue", f"Identity {identity} is invalid. Must be a verified email address or domain."
    )


def find_configuration_set(call: Call, name: str) -> ConfigurationSet:
    found = call.account.configuration_sets.get(name)
    if found:
        call.resources.append(call.account.arn(f"configuration-set/{name}"))
        return found
    message = f"Configuration set <{name}> does not exist."
    if call.service == V1:
        raise ServiceError("ConfigurationSetDoesNotExistException", message, ConfigurationSetName=name)
    raise not_found(message)


def find_tenant(call: Call, name: str) -> Tenant:
    found = call.account.tenants.get(name)
    if not found:
        raise not_found(f"Tenant {name} does not exist.")
    call.resources.append(found.arn)
    return found


def require_address(call: Call, address: str) -> str:
    """An address with exactly one @ and a domain."""
    local, at, domain = address.rpartition("@")
    if not at or not local or "@" in local or not re.fullmatch(r"[A-Za-z0-9.-]+", domain):
        raise invalid_parameter(call.service, f"Invalid email address<{address}>.")
    return address
