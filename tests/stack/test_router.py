"""Routes: the identity owner and two delegate senders receive the notifications about their mail, and no others.

The tests use four accounts. Postroom runs in the account of the stack. In the emulator, a 12-digit access key id is the root
of that account. The emulator evaluates resource policies across accounts, so the targets need the policies that they need on
AWS.
"""

import contextlib
import json
import time

import boto3
import pytest
from conftest import eventually

POSTROOM = "000000000000"
OWNER, A, B = "111111111111", "222222222222", "333333333333"
REGION = "us-east-1"
SUBJECT = "Secret offer"


def client(service: str, account: str):
    session = boto3.Session(aws_access_key_id=account, aws_secret_access_key="test", region_name=REGION)
    return session.client(service)


class Account:
    """An account with a topic, a queue that is subscribed to it, and a queue that is a target itself."""

    def __init__(self, account: str, name: str):
        self.account = account
        self.sns, self.sqs = client("sns", account), client("sqs", account)
        self.topic_arn = self.sns.create_topic(Name=f"router-test-{name}")["TopicArn"]
        self.seen: set[tuple[str, str]] = set()
        self.queue_url, self.queue_arn = self._queue(f"router-test-{name}", {"AWS": f"arn:aws:iam::{POSTROOM}:root"})
        self.subscribed_url, subscribed_arn = self._queue(f"router-test-{name}-sub", {"Service": "sns.amazonaws.com"})
        allow_postroom = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{POSTROOM}:root"}, "Action": "sns:Publish"}
        policy = {"Version": "2012-10-17", "Statement": [allow_postroom | {"Resource": self.topic_arn}]}
        self.sns.set_topic_attributes(
            TopicArn=self.topic_arn, AttributeName="Policy", AttributeValue=json.dumps(policy)
        )
        self.sns.subscribe(
            TopicArn=self.topic_arn,
            Protocol="sqs",
            Endpoint=subscribed_arn,
            Attributes={"RawMessageDelivery": "true"},
        )

    def _queue(self, name: str, who: dict) -> tuple[str, str]:
        arn = f"arn:aws:sqs:{REGION}:{self.account}:{name}"
        allow = {"Effect": "Allow", "Principal": who, "Action": "sqs:SendMessage", "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        return self.sqs.create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"], arn

    def received_by_queue(self) -> list[dict]:
        return self._without_duplicates(take(self.sqs, self.queue_url))

    def received_by_topic(self) -> list[dict]:
        return self._without_duplicates(take(self.sqs, self.subscribed_url))

    def _without_duplicates(self, messages: list[dict]) -> list[dict]:
        """Messages whose route and idempotency key are new: standard queues and topics may deliver a message twice."""
        keys = [(message["attributes"]["route"], message["attributes"]["idempotencyKey"]) for message in messages]
        fresh = {key: message for key, message in zip(keys, messages) if key not in self.seen}
        self.seen.update(fresh)
        return list(fresh.values())


def take(sqs, url: str) -> list[dict]:
    """Delete the messages of a queue and return their bodies and attributes."""
    taken = []
    ten_with_attributes = {"QueueUrl": url, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}
    while messages := sqs.receive_message(**ten_with_attributes).get("Messages"):
        for message in messages:
            attributes = message.get("MessageAttributes", {})
            values = {name: value["StringValue"] for name, value in attributes.items()}
            taken.append({"body": message["Body"], "attributes": values})
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return taken


class Routed:
    """The stack with routes to the accounts."""

    def __init__(self, stack, unique: str, folder):
        self.stack, self.unique, self.folder = stack, unique, folder
        self.identity = f"{unique}.example"
        self.identity_arn = f"arn:aws:ses:{REGION}:{OWNER}:identity/{self.identity}"
        self.owner, self.a, self.b = (
            Account(account, f"{name}-{unique}") for account, name in [(OWNER, "owner"), (A, "a"), (B, "b")]
        )

    def apply(self, routes: list[dict], thresholds: str = "") -> None:
        # A section that is not written stays, so those of an earlier test are removed.
        toml = ("" if routes else "route = []\n") + (thresholds or "[thresholds]\n")
        for route in routes:
            toml += "\n[[route]]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in route.items())
        file = self.folder / "postroom.toml"
        file.write_text(toml)
        answer = self.stack.postroomctl("apply", str(file), "--yes")
        assert answer.returncode == 0, answer.stdout + answer.stderr
        # The router caches routes for RouteCacheSeconds.
        time.sleep(1.1)

    def standard_routes(self) -> list[dict]:
        owner = {"name": "owner", "owner": OWNER, "target": self.owner.queue_arn, "redaction": "none"}
        a = {"name": "a", "owner": OWNER, "account": A, "target": self.a.topic_arn}
        b = {"name": "b", "owner": OWNER, "account": B, "target": self.b.topic_arn}
        return [owner, a, b]

    def set_up_identity(self) -> None:
        """The owner's identity: its bounces are published to Postroom's topic, and the delegates may send with it."""
        ses = client("ses", OWNER)
        ses.verify_domain_identity(Domain=self.identity)
        topic = {"Identity": self.identity, "NotificationType": "Bounce"}
        ses.set_identity_notification_topic(**topic, SnsTopic=self.stack.topic_arn)
        ses.set_identity_headers_in_notifications_enabled(**topic, Enabled=True)
        who = {"AWS": [f"arn:aws:iam::{account}:root" for account in (A, B, POSTROOM)]}
        allow = {"Effect": "Allow", "Principal": who, "Action": "ses:SendEmail", "Resource": self.identity_arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        ses.put_identity_policy(Identity=self.identity, PolicyName="delegates", Policy=policy)

    def send(self, account: str, recipient: str, *others: str, **parameters) -> None:
        """A delegate sends with the owner's identity."""
        self.stack.local_ses.send(
            recipient,
            client("sesv2", account),
            f"sender@{self.identity}",
            FromEmailAddressIdentityArn=self.identity_arn,
            Destination={"ToAddresses": [recipient, *others]},
            subject=SUBJECT,
            **parameters,
        )

    def bounce(self, account: str, recipient: str) -> dict:
        """A delegate's mail to two recipients, of which one bounces. Returns the notification that SES published."""
        self.stack.local_ses.set_outcomes(recipient, "bounce")
        self.send(account, recipient, "someone-else@example.net")
        (notification,) = self.stack.local_ses.published("Bounce", recipient)
        return notification

    def wait_until_idle(self) -> None:
        """Wait until the queues are empty."""
        queues = self.stack.source_queues()
        # In this order, because the router fills the delivery queue.
        urls = [queues[name] for name in ("FeedbackQueue", "RouterQueue", "DeliveryQueue")]
        eventually(lambda: not any(self.stack.queue_length(url) for url in urls), seconds=600)

    def check_senders(self) -> None:
        """Invoke the reputation monitor. Repeated after an error, as the schedule does."""
        client = boto3.client("lambda")
        request = {
            "FunctionName": self.stack.outputs["ReputationMonitorFunctionName"],
            "Payload": json.dumps({"postroom": "check-senders"}),
        }
        eventually(lambda: "FunctionError" not in client.invoke(**request))

    def dead_letters(self) -> list[dict]:
        """The dead-lettered deliveries of this test without duplicates."""
        letters = take(self.stack.sqs, self.stack.outputs["DeliveryDeadLetterQueueUrl"])
        ours = [letter for letter in letters if self.unique in letter["body"] and "reason" in letter["attributes"]]
        return list({letter["attributes"]["idempotencyKey"]: letter for letter in ours}.values())


@pytest.fixture
def routed(stack, unique, tmp_path) -> Routed:
    routed = Routed(stack, unique, tmp_path)
    routed.set_up_identity()
    take(stack.sqs, stack.outputs["DeliveryDeadLetterQueueUrl"])
    yield routed
    try:
        # Messages in the queues would be routed by the routes of the next test.
        routed.wait_until_idle()
    finally:
        # An empty file: the routes and thresholds of this test do not affect the next one.
        routed.apply([])


@pytest.fixture
def unrouted(stack, unique):
    """A function that returns the messages of the unrouted topic."""
    arn = f"arn:aws:sqs:{REGION}:{POSTROOM}:router-test-unrouted-{unique}"
    sns = {"Service": "sns.amazonaws.com"}
    allow = {"Effect": "Allow", "Principal": sns, "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    url = stack.sqs.create_queue(QueueName=arn.rsplit(":", 1)[1], Attributes={"Policy": policy})["QueueUrl"]
    subscription = stack.sns.subscribe(
        TopicArn=stack.outputs["UnroutedTopicArn"],
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"RawMessageDelivery": "true"},
        ReturnSubscriptionArn=True,
    )
    yield lambda: take(stack.sqs, url)
    stack.sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    stack.sqs.delete_queue(QueueUrl=url)


def test_the_owner_and_the_sending_account_receive_a_bounce_and_the_other_delegate_does_not(routed):
    routed.apply(routed.standard_routes())
    notification = routed.bounce(A, f"{routed.unique}@example.net")
    (owners,) = eventually(routed.owner.received_by_queue)
    (redacted,) = eventually(routed.a.received_by_topic)
    assert json.loads(owners["body"]) == notification
    assert (owners["attributes"]["sendingAccount"], owners["attributes"]["type"]) == (A, "Bounce")
    shown = json.loads(redacted["body"])
    assert shown["mail"]["destination"] == [f"{routed.unique}@example.net"], "the other recipient is removed"
    assert SUBJECT not in redacted["body"]
    routed.wait_until_idle()
    assert routed.b.received_by_topic() == []


def test_a_delivery_to_a_missing_topic_is_dead_lettered_and_the_other_targets_receive_theirs(routed):
    missing = f"arn:aws:sns:{REGION}:{A}:router-test-missing-{routed.unique}"
    routed.apply([*routed.standard_routes(), {"name": "missing", "owner": OWNER, "account": A, "target": missing}])
    routed.bounce(A, f"{routed.unique}@example.net")
    assert len(eventually(routed.owner.received_by_queue)) == 1
    assert len(eventually(routed.a.received_by_topic)) == 1
    (letter,) = eventually(routed.dead_letters)
    assert letter["attributes"]["target"] == f"topic:{missing}"
    assert letter["attributes"]["reason"].startswith("NotFound")
    routed.wait_until_idle()
    assert (routed.owner.received_by_queue(), routed.a.received_by_topic()) == ([], []), "no target receives the notification twice"


def test_a_delivery_to_a_topic_without_permission_is_dead_lettered(routed):
    closed = {"Version": "2012-10-17", "Statement": []}
    routed.a.sns.set_topic_attributes(
        TopicArn=routed.a.topic_arn, AttributeName="Policy", AttributeValue=json.dumps(closed)
    )
    routed.apply(routed.standard_routes())
    routed.bounce(A, f"{routed.unique}@example.net")
    assert len(eventually(routed.owner.received_by_queue)) == 1
    (letter,) = eventually(routed.dead_letters)
    assert letter["attributes"]["reason"].startswith(("AuthorizationError", "AccessDenied"))


def test_the_unrouted_topic_receives_a_notification_without_a_route(routed, unrouted):
    routed.apply([{"name": "b", "owner": OWNER, "account": B, "target": routed.b.topic_arn}])
    notification = routed.bounce(A, f"{routed.unique}@example.net")
    mine = []

    def arrived():
        mine.extend(one for one in unrouted() if routed.unique in one["body"])
        return mine

    eventually(arrived)
    # SNS may deliver it more than once.
    for one in mine:
        assert json.loads(one["body"]) == notification
        assert one["attributes"]["reason"] == "no-route"
    routed.wait_until_idle()
    assert routed.b.received_by_topic() == []


def test_a_campaign_over_the_threshold_sends_one_alert_and_is_paused_until_the_undo_command(routed):
    """The account of Postroom is the delegate: it can pause only its own configuration sets."""
    name = f"campaign-{routed.unique}"
    ses = boto3.client("sesv2")
    # Bounces are reported by the identity and by the configuration set, and count once.
    routed.stack.local_ses.create_reporting_configuration_set(name, routed.stack.topic_arn, ["SEND", "BOUNCE"])

    def sending_enabled() -> bool:
        return ses.get_configuration_set(ConfigurationSetName=name)["SendingOptions"]["SendingEnabled"]

    owner = {"name": "owner", "owner": OWNER, "events": ["Alert"], "target": routed.owner.queue_arn}
    delegate = {"name": "delegate", "account": POSTROOM, "events": ["Alert"], "target": routed.a.topic_arn}
    other_delegate = {"name": "b", "account": B, "target": routed.b.topic_arn}
    thresholds = '[thresholds]\nenforcements = ["pause-configuration-set"]\n'
    thresholds += '[thresholds.bounces]\nwarn = "10 %"\nenforce = "20 %"\nmin-hour-recipients = 10\nmin-day-recipients = 1000\nmin-events = 3\n'
    routes = [owner, delegate, other_delegate]
    routed.apply(routes)
    for number in range(12):
        recipient = f"{number}-{routed.unique}@example.net"
        routed.stack.local_ses.set_outcomes(recipient, "bounce" if number < 6 else "delivery")
        routed.send(POSTROOM, recipient, ConfigurationSetName=name)
    routed.wait_until_idle()
    # Thresholds are set last, or a scheduled check could evaluate a part of the campaign.
    routed.apply(routes, thresholds)
    routed.check_senders()

    def alerts(account: Account, read) -> list[dict]:
        """The alerts about this campaign. The accounts also receive alerts about the senders of other tests."""
        return [message for message in read(account) if message["attributes"]["identity"] == routed.identity]

    # An interrupted alert is sent by the first check after its claim has expired: within ten minutes.
    (to_owner,) = eventually(lambda: alerts(routed.owner, Account.received_by_queue), seconds=660)
    (to_delegate,) = eventually(lambda: alerts(routed.a, Account.received_by_topic))
    alert = json.loads(to_owner["body"])
    assert alert == json.loads(to_delegate["body"])
    assert (alert["alertType"], alert["count"], alert["recipients"]) == ("Enforcement", 6, 12)
    assert not sending_enabled()

    routed.check_senders()
    routed.wait_until_idle()
    assert alerts(routed.owner, Account.received_by_queue) == alerts(routed.a, Account.received_by_topic) == []
    assert routed.b.received_by_topic() == []

    (enforcement,) = [item["id"] for item in alert["enforcements"] if item["id"]]
    undo = routed.stack.postroomctl("reputation", "undo", enforcement)
    assert undo.returncode == 0, undo.stderr
    assert sending_enabled()
    with contextlib.suppress(ses.exceptions.ClientError):
        ses.delete_configuration_set(ConfigurationSetName=name)
