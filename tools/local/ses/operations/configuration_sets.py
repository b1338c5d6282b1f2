"""What both APIs do with configuration sets."""

from __future__ import annotations

import re

from ..local_ses import Call
from ..protocol.errors import ServiceError, invalid_parameter
from ..protocol.models import V1
from ..state.model import ConfigurationSet

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def create(call: Call, name: str) -> ConfigurationSet:
    if not NAME.fullmatch(name):
        code = "InvalidConfigurationSetException" if call.service == V1 else "BadRequestException"
        raise ServiceError(
            code,
            f"Invalid configuration set name <{name}>: only alphanumeric ASCII characters, '_', and '-' are allowed.",
        )
    account, limit = call.account, call.ses.world.settings.configuration_sets_per_account
    if name in account.configuration_sets:
        message = f"Configuration set <{name}> already exists."
        if call.service == V1:
            raise ServiceError("ConfigurationSetAlreadyExistsException", message, ConfigurationSetName=name)
        raise ServiceError("AlreadyExistsException", message)
    if len(account.configuration_sets) >= limit:
        raise ServiceError("LimitExceededException", f"You have reached the maximum of {limit} configuration sets.")
    account.configuration_sets[name] = ConfigurationSet(name, call.now)
    return account.configuration_sets[name]


def delete(call: Call, configuration_set: ConfigurationSet) -> None:
    arn = call.account.arn(f"configuration-set/{configuration_set.name}")
    del call.account.configuration_sets[configuration_set.name]
    call.account.tags.pop(arn, None)
    for identity in call.account.identities.values():
        if identity.configuration_set == configuration_set.name:
            identity.configuration_set = None
    for tenant in call.account.tenants.values():
        tenant.resources.pop(arn, None)


def check_reasons(call: Call, reasons: list[str]) -> list[str]:
    if len(set(reasons)) != len(reasons):
        raise invalid_parameter(call.service, "SuppressedReasons must not contain duplicates.")
    return reasons
