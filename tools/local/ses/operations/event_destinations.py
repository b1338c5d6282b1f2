"""Event destinations of configuration sets, in both APIs.

https://docs.aws.amazon.com/ses/latest/dg/event-destinations-manage.html
"""

from __future__ import annotations

import re

import botocore.exceptions

from .. import lookup
from ..aws.topics import TopicError
from ..local_ses import Call
from ..protocol.errors import ServiceError, not_found
from ..protocol.models import V1
from ..state.model import ConfigurationSet
from .registry import operation

MAX_DESTINATIONS = 10
VALIDATED = "Successfully validated SNS topic for Amazon SES event publishing."
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
KINDS = ("SnsDestination", "EventBridgeDestination", "KinesisFirehoseDestination", "CloudWatchDestination")
GUESS = "The wording of the errors. Firehose roles are not assumed; CloudWatch destinations get no metrics."
V1_TYPES = {"renderingFailure": "RENDERING_FAILURE"}


@operation("sesv2", "CreateConfigurationSetEventDestination", guess=GUESS)
def create_v2(call: Call, ConfigurationSetName: str, EventDestinationName: str, EventDestination: dict) -> None:
    _create(call, ConfigurationSetName, {"Name": EventDestinationName} | EventDestination)


@operation("sesv2", "UpdateConfigurationSetEventDestination", guess=GUESS)
def update_v2(call: Call, ConfigurationSetName: str, EventDestinationName: str, EventDestination: dict) -> None:
    _update(call, ConfigurationSetName, {"Name": EventDestinationName} | EventDestination)


@operation("sesv2", "DeleteConfigurationSetEventDestination")
def delete_v2(call: Call, ConfigurationSetName: str, EventDestinationName: str) -> None:
    _delete(call, ConfigurationSetName, EventDestinationName)


@operation("sesv2", "GetConfigurationSetEventDestinations")
def get_v2(call: Call, ConfigurationSetName: str) -> dict:
    found = lookup.find_configuration_set(call, ConfigurationSetName)
    return {"EventDestinations": list(found.event_destinations.values())}


@operation("ses", "CreateConfigurationSetEventDestination", guess=GUESS)
def create_v1(call: Call, ConfigurationSetName: str, EventDestination: dict) -> None:
    _create(call, ConfigurationSetName, _from_v1(EventDestination))


@operation("ses", "UpdateConfigurationSetEventDestination", guess=GUESS)
def update_v1(call: Call, ConfigurationSetName: str, EventDestination: dict) -> None:
    _update(call, ConfigurationSetName, _from_v1(EventDestination))


@operation("ses", "DeleteConfigurationSetEventDestination")
def delete_v1(call: Call, ConfigurationSetName: str, EventDestinationName: str) -> None:
    _delete(call, ConfigurationSetName, EventDestinationName)


def _create(call: Call, set_name: str, destination: dict) -> None:
    found, name = lookup.find_configuration_set(call, set_name), destination["Name"]
    if name in found.event_destinations:
        message = f"An event destination <{name}> already exists in configuration set <{set_name}>."
        if call.service == V1:
            raise ServiceError(
                "EventDestinationAlreadyExistsException",
                message,
                ConfigurationSetName=set_name,
                EventDestinationName=name,
            )
        raise ServiceError("AlreadyExistsException", message)
    if len(found.event_destinations) >= MAX_DESTINATIONS:
        raise ServiceError(
            "LimitExceededException",
            f"A configuration set can have no more than {MAX_DESTINATIONS} event destinations.",
        )
    _check(call, found, destination)
    found.event_destinations[name] = {"Enabled": False} | destination


def _update(call: Call, set_name: str, destination: dict) -> None:
    found = lookup.find_configuration_set(call, set_name)
    _require(call, found, destination["Name"])
    _check(call, found, destination)
    found.event_destinations[destination["Name"]] = {"Enabled": False} | destination


def _delete(call: Call, set_name: str, name: str) -> None:
    found = lookup.find_configuration_set(call, set_name)
    _require(call, found, name)
    del found.event_destinations[name]


def _require(call: Call, found: ConfigurationSet, name: str) -> None:
    if name in found.event_destinations:
        return
    message = f"Event destination <{name}> does not exist in configuration set <{found.name}>."
    if call.service == V1:
        raise ServiceError(
            "EventDestinationDoesNotExistException", message, ConfigurationSetName=found.name, EventDestinationName=name
        )
    raise not_found(message)


def _check(call: Call, found: ConfigurationSet, destination: dict) -> None:
    """Exactly one destination, which exists; a topic gets a test message."""
    if not NAME.fullmatch(destination["Name"]):
        raise _invalid(call, "", f"Invalid event destination name <{destination['Name']}>.", found, destination)
    kinds = [kind for kind in KINDS if kind in destination]
    if len(kinds) != 1 or not destination.get("MatchingEventTypes"):
        message = "An event destination must have exactly one destination and at least one matching event type."
        raise _invalid(call, "", message, found, destination)
    account, region = call.account.id, call.account.region
    if sns := destination.get("SnsDestination"):
        arn = call.account.arn(f"configuration-set/{found.name}")
        try:
            with call.unlocked():
                call.ses.topics.publish(sns["TopicArn"], VALIDATED, account, arn, region)
        except TopicError:
            raise _invalid(
                call, "SNS", f"Could not publish to SNS topic <{sns['TopicArn']}>.", found, destination
            ) from None
    elif bus := destination.get("EventBridgeDestination"):
        if bus["EventBusArn"] != f"arn:aws:events:{region}:{account}:event-bus/default":
            raise _invalid(
                call,
                "",
                f"Invalid event bus <{bus['EventBusArn']}>: only the default event bus is supported.",
                found,
                destination,
            )
    elif firehose := destination.get("KinesisFirehoseDestination"):
        _check_stream(call, found, destination, firehose["DeliveryStreamArn"])


def _check_stream(call: Call, found: ConfigurationSet, destination: dict, arn: str) -> None:
    start = f"arn:aws:firehose:{call.account.region}:{call.account.id}:deliverystream/"
    client = call.ses.clients.get("firehose", call.account.id, call.account.region)
    try:
        if not arn.startswith(start):
            raise ValueError(arn)
        with call.unlocked():
            client.describe_delivery_stream(DeliveryStreamName=arn.removeprefix(start))
    except (ValueError, botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
        raise _invalid(call, "Firehose", f"Could not find the delivery stream <{arn}>.", found, destination) from None


def _invalid(call: Call, kind: str, message: str, found: ConfigurationSet, destination: dict) -> ServiceError:
    if call.service != V1:
        return ServiceError("BadRequestException", message)
    if not kind:
        return ServiceError("InvalidParameterValue", message)
    names = {"ConfigurationSetName": found.name, "EventDestinationName": destination["Name"]}
    return ServiceError(f"Invalid{kind}DestinationException", message, **names)


def _from_v1(destination: dict) -> dict:
    types = [V1_TYPES.get(one, one.upper()) for one in destination.get("MatchingEventTypes", [])]
    kept = {name: destination[name] for name in ("Name", "Enabled", "CloudWatchDestination") if name in destination}
    if sns := destination.get("SNSDestination"):
        kept["SnsDestination"] = {"TopicArn": sns["TopicARN"]}
    if firehose := destination.get("KinesisFirehoseDestination"):
        kept["KinesisFirehoseDestination"] = {
            "IamRoleArn": firehose["IAMRoleARN"],
            "DeliveryStreamArn": firehose["DeliveryStreamARN"],
        }
    for dimension in kept.get("CloudWatchDestination", {}).get("DimensionConfigurations", ()):
        source = dimension["DimensionValueSource"]
        dimension["DimensionValueSource"] = re.sub("[A-Z]", lambda letter: "_" + letter[0], source).upper()
    return kept | {"MatchingEventTypes": types}


def to_v1(destination: dict) -> dict | None:
    """An event destination as v1 shows it; None for one of EventBridge, which v1 does not know."""
    if "EventBridgeDestination" in destination:
        return None
    names = {value: key for key, value in V1_TYPES.items()}
    types = [names.get(one, one.lower()) for one in destination["MatchingEventTypes"]]
    kept = {"Name": destination["Name"], "Enabled": destination["Enabled"], "MatchingEventTypes": types}
    if sns := destination.get("SnsDestination"):
        kept["SNSDestination"] = {"TopicARN": sns["TopicArn"]}
    if firehose := destination.get("KinesisFirehoseDestination"):
        kept["KinesisFirehoseDestination"] = {
            "IAMRoleARN": firehose["IamRoleArn"],
            "DeliveryStreamARN": firehose["DeliveryStreamArn"],
        }
    if cloudwatch := destination.get("CloudWatchDestination"):
        source = {"MESSAGE_TAG": "messageTag", "EMAIL_HEADER": "emailHeader", "LINK_TAG": "linkTag"}
        kept["CloudWatchDestination"] = {
            "DimensionConfigurations": [
                one | {"DimensionValueSource": source[one["DimensionValueSource"]]}
                for one in cloudwatch["DimensionConfigurations"]
            ]
        }
    return kept
