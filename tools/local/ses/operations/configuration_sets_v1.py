"""Configuration sets in v1."""

from __future__ import annotations

from .. import lookup
from ..local_ses import Call
from ..protocol.errors import ServiceError
from . import configuration_sets
from .event_destinations import to_v1
from .paging import page
from .registry import operation


@operation("ses", "CreateConfigurationSet")
def create(call: Call, ConfigurationSet: dict) -> None:
    configuration_sets.create(call, ConfigurationSet["Name"])


@operation("ses", "DeleteConfigurationSet")
def delete(call: Call, ConfigurationSetName: str) -> None:
    configuration_sets.delete(call, lookup.find_configuration_set(call, ConfigurationSetName))


@operation("ses", "ListConfigurationSets")
def list_configuration_sets(call: Call, NextToken: str | None = None, MaxItems: int | None = None) -> dict:
    items, token = page(call.service, list(call.account.configuration_sets), NextToken, MaxItems, 1000)
    return {"ConfigurationSets": [{"Name": name} for name in items], "NextToken": token}


@operation("ses", "DescribeConfigurationSet")
def describe(call: Call, ConfigurationSetName: str, ConfigurationSetAttributeNames: list[str] = ()) -> dict:
    found = lookup.find_configuration_set(call, ConfigurationSetName)
    answer: dict = {"ConfigurationSet": {"Name": found.name}}
    if "eventDestinations" in ConfigurationSetAttributeNames:
        shown = [to_v1(one) for one in found.event_destinations.values()]
        answer["EventDestinations"] = [one for one in shown if one]
    if "trackingOptions" in ConfigurationSetAttributeNames and "TrackingOptions" in found.options:
        answer["TrackingOptions"] = {"CustomRedirectDomain": found.options["TrackingOptions"]["CustomRedirectDomain"]}
    if "deliveryOptions" in ConfigurationSetAttributeNames:
        required = found.options.get("DeliveryOptions", {}).get("TlsPolicy") == "REQUIRE"
        answer["DeliveryOptions"] = {"TlsPolicy": "Require" if required else "Optional"}
    if "reputationOptions" in ConfigurationSetAttributeNames:
        answer["ReputationOptions"] = found.options.get("ReputationOptions", {"ReputationMetricsEnabled": False}) | {
            "SendingEnabled": found.sending_enabled
        }
    return answer


@operation("ses", "PutConfigurationSetDeliveryOptions")
def put_delivery_options(call: Call, ConfigurationSetName: str, DeliveryOptions: dict | None = None) -> None:
    found = lookup.find_configuration_set(call, ConfigurationSetName)
    found.options.setdefault("DeliveryOptions", {})["TlsPolicy"] = (
        (DeliveryOptions or {}).get("TlsPolicy", "Optional").upper()
    )


@operation("ses", "UpdateConfigurationSetSendingEnabled")
def update_sending(call: Call, ConfigurationSetName: str, Enabled: bool) -> None:
    lookup.find_configuration_set(call, ConfigurationSetName).options["SendingOptions"] = {"SendingEnabled": Enabled}


@operation("ses", "UpdateConfigurationSetReputationMetricsEnabled")
def update_reputation_metrics(call: Call, ConfigurationSetName: str, Enabled: bool) -> None:
    found = lookup.find_configuration_set(call, ConfigurationSetName)
    found.options.setdefault("ReputationOptions", {})["ReputationMetricsEnabled"] = Enabled


@operation("ses", "CreateConfigurationSetTrackingOptions", guess="The domain is not checked.")
def create_tracking(call: Call, ConfigurationSetName: str, TrackingOptions: dict) -> None:
    found = lookup.find_configuration_set(call, ConfigurationSetName)
    if "TrackingOptions" in found.options:
        message = f"Configuration set <{found.name}> already has tracking options."
        raise ServiceError("TrackingOptionsAlreadyExistsException", message, ConfigurationSetName=found.name)
    found.options["TrackingOptions"] = TrackingOptions


@operation("ses", "UpdateConfigurationSetTrackingOptions", guess="The domain is not checked.")
def update_tracking(call: Call, ConfigurationSetName: str, TrackingOptions: dict) -> None:
    _with_tracking(call, ConfigurationSetName).options["TrackingOptions"] = TrackingOptions


@operation("ses", "DeleteConfigurationSetTrackingOptions")
def delete_tracking(call: Call, ConfigurationSetName: str) -> None:
    del _with_tracking(call, ConfigurationSetName).options["TrackingOptions"]


def _with_tracking(call: Call, name: str):
    found = lookup.find_configuration_set(call, name)
    if "TrackingOptions" not in found.options:
        message = f"Configuration set <{name}> has no tracking options."
        raise ServiceError("TrackingOptionsDoesNotExistException", message, ConfigurationSetName=name)
    return found
