"""Configuration sets in v2."""

from __future__ import annotations

from .. import lookup
from ..local_ses import Call
from . import configuration_sets, tags
from .paging import page
from .registry import operation

# What a new configuration set has, as GetConfigurationSet shows it.
DEFAULTS = {
    "DeliveryOptions": {"TlsPolicy": "OPTIONAL"},
    "ReputationOptions": {"ReputationMetricsEnabled": False},
    "SendingOptions": {"SendingEnabled": True},
}


@operation("sesv2", "CreateConfigurationSet")
def create(call: Call, ConfigurationSetName: str, Tags=(), **options: dict) -> None:
    configuration_sets.check_reasons(call, options.get("SuppressionOptions", {}).get("SuppressedReasons", []))
    found = configuration_sets.create(call, ConfigurationSetName)
    found.options = DEFAULTS | options
    tags.put(call, call.account.arn(f"configuration-set/{found.name}"), Tags)


@operation("sesv2", "DeleteConfigurationSet")
def delete(call: Call, ConfigurationSetName: str) -> None:
    configuration_sets.delete(call, lookup.find_configuration_set(call, ConfigurationSetName))


@operation("sesv2", "GetConfigurationSet")
def get(call: Call, ConfigurationSetName: str) -> dict:
    found = lookup.find_configuration_set(call, ConfigurationSetName)
    shown_tags = tags.of(call, call.account.arn(f"configuration-set/{found.name}"))
    return DEFAULTS | found.options | {"ConfigurationSetName": found.name, "Tags": shown_tags}


@operation("sesv2", "ListConfigurationSets", guess="Filter is not modelled and is ignored.")
def list_configuration_sets(
    call: Call, Filter: dict | None = None, NextToken: str | None = None, PageSize: int | None = None
) -> dict:
    items, token = page(call.service, list(call.account.configuration_sets), NextToken, PageSize, 1000)
    return {"ConfigurationSets": items, "NextToken": token}


@operation("sesv2", "PutConfigurationSetSendingOptions")
def put_sending(call: Call, ConfigurationSetName: str, SendingEnabled: bool = False) -> None:
    lookup.find_configuration_set(call, ConfigurationSetName).options["SendingOptions"] = {
        "SendingEnabled": SendingEnabled
    }


@operation("sesv2", "PutConfigurationSetSuppressionOptions")
def put_suppression(call: Call, ConfigurationSetName: str, **options) -> None:
    found = lookup.find_configuration_set(call, ConfigurationSetName)
    configuration_sets.check_reasons(call, options.get("SuppressedReasons", []))
    found.options["SuppressionOptions"] = {"SuppressedReasons": []} | options


def _put_options(operation_name: str, member: str, guess: str = "") -> None:
    """Register an operation that replaces one group of options by its parameters."""

    @operation("sesv2", operation_name, guess=guess)
    def put(call: Call, ConfigurationSetName: str, **options) -> None:
        lookup.find_configuration_set(call, ConfigurationSetName).options[member] = options.get(member, options)


_put_options(
    "PutConfigurationSetDeliveryOptions", "DeliveryOptions", "Pools and the maximum delivery time have no effect."
)
_put_options("PutConfigurationSetReputationOptions", "ReputationOptions")
_put_options(
    "PutConfigurationSetTrackingOptions", "TrackingOptions", "Mail is not rewritten; opens and clicks are scripted."
)
_put_options("PutConfigurationSetVdmOptions", "VdmOptions", "Stored and shown; no effect.")
_put_options("PutConfigurationSetArchivingOptions", "ArchivingOptions", "Stored and shown; no effect.")
