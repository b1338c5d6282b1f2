"""Events on the default event bus of EventBridge.

The local AWS refuses events of `aws.*` sources from outside, as AWS does. So the rules of the bus are read and tested against
the event here, and the event is sent to the targets of those that match.
"""

from __future__ import annotations

import json
import uuid

from ..aws.clients import Clients
from ..policy.evaluator import Request, decide
from .times import timestamp

# https://docs.aws.amazon.com/ses/latest/dg/monitoring-eventbridge.html
DETAIL_TYPES = {
    "Bounce": "Email Bounced",
    "Complaint": "Email Complaint Received",
    "Delivery": "Email Delivered",
    "Send": "Email Sent",
    "Reject": "Email Rejected",
    "Open": "Email Opened",
    "Click": "Email Clicked",
    "Rendering Failure": "Email Rendering Failed",
    "DeliveryDelay": "Email Delivery Delayed",
    "Subscription": "Email Subscribed",
}


class TargetError(Exception):
    """A target did not take the event, or is of a kind the local SES does not know."""


def envelope(detail_type: str, detail: dict, account: str, region: str, now: float, resources: list[str]) -> dict:
    """An event as its targets receive it."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": "aws.ses",
        "account": account,
        "time": timestamp(now)[:19] + "Z",
        "region": region,
        "resources": resources,
        "detail": detail,
    }


def put(clients: Clients, bus_arn: str, event: dict) -> None:
    """Send the event to the targets of the enabled rules whose pattern it matches. Raises TargetError after trying all."""
    account, region, bus = event["account"], event["region"], bus_arn.rsplit("/", 1)[-1]
    rules_of = clients.get("events", account, region)
    text = json.dumps(event)
    problems = []
    for rule in rules_of.list_rules(EventBusName=bus)["Rules"]:
        if rule.get("State") == "DISABLED" or not rule.get("EventPattern"):
            continue
        if not rules_of.test_event_pattern(EventPattern=rule["EventPattern"], Event=text)["Result"]:
            continue
        for target in rules_of.list_targets_by_rule(Rule=rule["Name"], EventBusName=bus)["Targets"]:
            try:
                _send(clients, target, rule["Arn"], text, region)
            except Exception as error:  # noqa: BLE001  One target must not keep the event from the others.
                problems.append(f"{target['Arn']}: {error}")
    if problems:
        raise TargetError("; ".join(problems))


def _send(clients: Clients, target: dict, rule_arn: str, text: str, region: str) -> None:
    if target.keys() & {"Input", "InputPath", "InputTransformer"}:
        raise TargetError("local SES does not model targets with an input of their own")
    arn = target["Arn"]
    _, _, service, _, owner, name = arn.split(":", 5)
    client = clients.get(service, owner, region) if service in ("sqs", "sns", "lambda", "firehose") else None
    context = {"aws:SourceArn": rule_arn, "aws:SourceAccount": rule_arn.split(":")[4]}
    match service:
        case "sqs":
            url = client.get_queue_url(QueueName=name)["QueueUrl"]
            attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {})
            _require(attributes.get("Policy"), "sqs:SendMessage", arn, context)
            client.send_message(QueueUrl=url, MessageBody=text)
        case "sns":
            policy = client.get_topic_attributes(TopicArn=arn)["Attributes"].get("Policy")
            _require(policy, "sns:Publish", arn, context)
            client.publish(TopicArn=arn, Message=text)
        case "lambda":
            client.invoke(FunctionName=arn, InvocationType="Event", Payload=text)
        case "firehose":
            client.put_record(DeliveryStreamName=name.removeprefix("deliverystream/"), Record={"Data": text})
        case _:
            raise TargetError(f"local SES does not model targets of {service}")


def _require(policy: str | None, action: str, arn: str, context: dict) -> None:
    if decide(policy, Request("events.amazonaws.com", action, arn, context)) != "Allow":
        raise TargetError(f"its policy does not let events.amazonaws.com do {action}")
