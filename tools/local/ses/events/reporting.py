"""Reports what happened to a message: to the topics of its identity, to the destinations of its configuration set, by mail.

https://docs.aws.amazon.com/ses/latest/dg/monitor-sending-activity.html
"""

from __future__ import annotations

import functools
import json
import typing

from ..aws.topics import TopicError
from ..state.model import NOTIFICATION_TYPES, Account, NotificationSettings, SentMessage
from . import event_bus, feedback_mail, payloads, removal

if typing.TYPE_CHECKING:
    from ..local_ses import LocalSes

# Event types as event destinations of v2 name them.
MATCHING_TYPES = {"Rendering Failure": "RENDERING_FAILURE", "DeliveryDelay": "DELIVERY_DELAY"}
EVENT_SUBJECT = "Amazon SES Email Event Notification"


def matching_type(kind: str) -> str:
    return MATCHING_TYPES.get(kind, kind.upper())


def report(ses: LocalSes, message: SentMessage, kind: str, details: dict, recipients: list[str]) -> None:
    """Publish an event of a message everywhere it belongs. The caller holds the lock."""
    region = message.identity_arn.split(":")[3]
    _to_event_destinations(ses, ses.world.account(message.account, region), message, kind, details, recipients)
    if kind in NOTIFICATION_TYPES:
        owner = ses.world.account(message.identity_account, region)
        identity = owner.identities.get(message.identity_arn.split("/", 1)[1])
        if identity:
            _to_topic(ses, owner, identity.notifications, message, kind, details, recipients)
        sender = ses.world.account(message.account, region)
        if legacy := sender.legacy_notifications.get(message.identity_arn):
            _to_topic(ses, sender, legacy, message, kind, details, recipients)
        if kind != "Delivery" and (not identity or identity.notifications.forwarding):
            mail = feedback_mail.compose(kind, details, message, region, ses.clock.now())
            ses.publications.add(
                f"{kind} by mail",
                message.return_path,
                recipients,
                functools.partial(_to_outbox, ses, sender, message, mail),
            )


def _to_outbox(ses: LocalSes, account: Account, message: SentMessage, mail: bytes) -> None:
    ses.post(account, "feedback", "MAILER-DAEMON@amazonses.com", [message.return_path], mail, message.id)


def _to_topic(
    ses: LocalSes,
    owner: Account,
    settings: NotificationSettings,
    message: SentMessage,
    kind: str,
    details: dict,
    recipients: list[str],
) -> None:
    topic = settings.topics.get(kind)
    if not topic:
        return
    body = payloads.notification(kind, details, message, settings.headers.get(kind, False))
    text = json.dumps(body)

    def publish() -> None:
        try:
            ses.topics.publish(topic, text, owner.id, message.identity_arn, owner.region)
        except TopicError as error:
            if error.kind != "unreachable":
                removal.remove_topics(ses, owner, settings, message.identity_arn, kind, topic)
            raise

    ses.publications.add(kind, topic, recipients, publish, body=body)


def _to_event_destinations(
    ses: LocalSes, account: Account, message: SentMessage, kind: str, details: dict, recipients: list[str]
) -> None:
    configuration_set = account.configuration_sets.get(message.configuration_set or "")
    if not configuration_set:
        return
    body = payloads.event(kind, details, message)
    source_arn = account.arn(f"configuration-set/{configuration_set.name}")
    for destination in configuration_set.event_destinations.values():
        if destination.get("Enabled") and matching_type(kind) in destination["MatchingEventTypes"]:
            action, target = _action(ses, account, destination, kind, body, source_arn)
            if action:
                ses.publications.add(kind, target, recipients, action, body=body)


def _action(ses: LocalSes, account: Account, destination: dict, kind: str, body: dict, source_arn: str):
    """What to do for an event destination, and its target. Events for CloudWatch are dropped: metrics are not modelled."""
    if sns := destination.get("SnsDestination"):
        # SES ends these messages with a newline.
        text, topic = json.dumps(body) + "\n", sns["TopicArn"]
        return lambda: ses.topics.publish(topic, text, account.id, source_arn, account.region, EVENT_SUBJECT), topic
    if bus := destination.get("EventBridgeDestination"):
        arn, now = bus["EventBusArn"], ses.clock.now()
        event = event_bus.envelope(event_bus.DETAIL_TYPES[kind], body, account.id, account.region, now, [source_arn])
        return lambda: event_bus.put(ses.clients, arn, event), arn
    if firehose := destination.get("KinesisFirehoseDestination"):
        arn = firehose["DeliveryStreamArn"]
        record = {"Data": json.dumps(body) + "\n"}
        client = ses.clients.get("firehose", account.id, account.region)
        return lambda: client.put_record(DeliveryStreamName=arn.rsplit("/", 1)[-1], Record=record), arn
    return None, ""
