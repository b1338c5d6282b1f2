"""Topics, original headers and feedback forwarding of identities. Only v1 has them all.

https://docs.aws.amazon.com/ses/latest/dg/configure-sns-notifications.html
"""

from __future__ import annotations

import json

from .. import lookup
from ..aws.topics import TopicError
from ..local_ses import Call
from ..protocol.errors import ServiceError, invalid_parameter
from ..state.model import NOTIFICATION_TYPES
from .registry import operation


@operation(
    "ses",
    "SetIdentityNotificationTopic",
    guess="The message for a topic SES cannot publish to. The codes are documented.",
)
def set_identity_notification_topic(
    call: Call, Identity: str, NotificationType: str, SnsTopic: str | None = None
) -> None:
    settings, arn = lookup.notification_settings(call, Identity)
    if not SnsTopic:
        if NotificationType != "Delivery" and not settings.forwarding:
            raise invalid_parameter(
                call.service,
                f"Cannot clear the {NotificationType} topic of {Identity} while feedback forwarding is disabled.",
            )
        settings.topics.pop(NotificationType, None)
        settings.headers.pop(NotificationType, None)
        return
    with call.unlocked():
        _publish_test(call, Identity, arn, NotificationType, SnsTopic)
    settings.topics[NotificationType] = SnsTopic


def _publish_test(call: Call, identity: str, arn: str, kind: str, topic: str) -> None:
    name = arn.split("/", 1)[1]
    text = (
        f"You have successfully subscribed your Amazon SNS topic '{topic}' to receive '{kind}' notifications "
        f"from Amazon SES for identity '{name}'."
    )
    body = json.dumps({"notificationType": "AmazonSnsSubscriptionSucceeded", "message": text})
    try:
        call.ses.topics.publish(topic, body, call.account.id, arn, call.account.region)
    except TopicError as error:
        if error.kind == "region":
            # SES blames the identity when the topic is in another Region.
            raise lookup.invalid_identity(identity) from None
        raise ServiceError(
            "InvalidParameterValue", f"SNS topic {topic} is invalid or SES could not publish to it."
        ) from None


@operation("ses", "SetIdentityHeadersInNotificationsEnabled")
def set_identity_headers(call: Call, Identity: str, NotificationType: str, Enabled: bool) -> None:
    settings, _ = lookup.notification_settings(call, Identity)
    if Enabled and NotificationType not in settings.topics:
        raise invalid_parameter(
            call.service, f"An SNS topic for {NotificationType} must be set to include headers in notifications."
        )
    settings.headers[NotificationType] = Enabled


@operation("ses", "SetIdentityFeedbackForwardingEnabled", guess="The wording of the error.")
def set_identity_feedback_forwarding(call: Call, Identity: str, ForwardingEnabled: bool) -> None:
    settings, _ = lookup.notification_settings(call, Identity)
    if not ForwardingEnabled and not {"Bounce", "Complaint"} <= settings.topics.keys():
        raise invalid_parameter(
            call.service,
            f"SNS topics for Bounce and Complaint must be set to disable feedback forwarding of {Identity}.",
        )
    settings.forwarding = ForwardingEnabled


@operation("ses", "GetIdentityNotificationAttributes")
def get_identity_notification_attributes(call: Call, Identities: list[str]) -> dict:
    if len(Identities) > 100:
        raise invalid_parameter(call.service, "Identities must have no more than 100 elements.")
    found = {}
    for name in Identities:
        # Unknown identities are left out of the answer.
        try:
            settings, _ = lookup.notification_settings(call, name)
        except ServiceError:
            continue
        attributes = {"ForwardingEnabled": settings.forwarding}
        for kind in NOTIFICATION_TYPES:
            if kind in settings.topics:
                attributes[f"{kind}Topic"] = settings.topics[kind]
            attributes[f"HeadersIn{kind}NotificationsEnabled"] = settings.headers.get(kind, False)
        found[name] = attributes
    return {"NotificationAttributes": found}
