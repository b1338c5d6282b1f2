"""Every party hears of its own mail: an identity owner, two delegate senders, and nobody else.

Four accounts. Postroom runs in the stack's own, and a 12-digit access key id is the root of the account it names. The
emulator checks resource policies across accounts, so the targets let Postroom in as they must on AWS.
"""

import contextlib
import datetime
import json
import time
import uuid

import boto3
import pytest
from conftest import eventually

POSTROOM = "000000000000"
OWNER, A, B = "111111111111", "222222222222", "333333333333"
REGION = "us-east-1"


class Party:
    """An account with a topic, a queue that is subscribed to it, and a queue of its own."""

    def __init__(self, account: str, word: str):
        session = boto3.Session(aws_access_key_id=account, aws_secret_access_key="test", region_name=REGION)
        self.account = account
        self.sns, self.sqs = session.client("sns"), session.client("sqs")
        self.topic_arn = self.sns.create_topic(Name=f"router-test-{word}")["TopicArn"]
        self.seen: set[tuple[str, str]] = set()
        self.queue_url, self.queue_arn = self._queue(f"router-test-{word}", {"AWS": f"arn:aws:iam::{POSTROOM}:root"})
        self.subscribed_url, subscribed_arn = self._queue(f"router-test-{word}-sub", {"Service": "sns.amazonaws.com"})
        let_in = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{POSTROOM}:root"}, "Action": "sns:Publish"}
        policy = {"Version": "2012-10-17", "Statement": [let_in | {"Resource": self.topic_arn}]}
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

    def through_queue(self) -> list[dict]:
        return self._once(take(self.sqs, self.queue_url))

    def through_topic(self) -> list[dict]:
        return self._once(take(self.sqs, self.subscribed_url))

    def _once(self, messages: list[dict]) -> list[dict]:
        """As a receiver ought to read a standard queue or topic, which gets a message again when an answer was slow."""
        places = [(message["attributes"]["route"], message["attributes"]["idempotencyKey"]) for message in messages]
        fresh = {place: message for place, message in zip(places, messages) if place not in self.seen}
        self.seen.update(fresh)
        return list(fresh.values())


def take(sqs, url: str) -> list[dict]:
    """Empty a queue: bodies, and attributes where there are any."""
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
    """The stack with these parties in its postroom.toml."""

    def __init__(self, stack, word: str, folder):
        self.stack, self.word, self.folder = stack, word, folder
        self.identity = f"{word}.example"
        self.owner, self.a, self.b = (
            Party(account, f"{name}-{word}") for account, name in [(OWNER, "owner"), (A, "a"), (B, "b")]
        )

    def apply(self, routes: list[dict], lines: str = "") -> None:
        text = lines
        for route in routes:
            text += "\n[[route]]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in route.items())
        file = self.folder / "postroom.toml"
        file.write_text(text)
        answer = self.stack.postroomctl("apply", str(file), "--yes")
        assert answer.returncode == 0, answer.stdout + answer.stderr
        # For RouteCacheSeconds the function believes what it read before.
        time.sleep(1.1)

    def standard_routes(self) -> list[dict]:
        owner = {"name": "owner", "owner": OWNER, "target": self.owner.queue_arn, "redaction": "none"}
        a = {"name": "a", "owner": OWNER, "account": A, "target": self.a.topic_arn}
        b = {"name": "b", "owner": OWNER, "account": B, "target": self.b.topic_arn}
        return [owner, a, b]

    def mail(self, account: str, recipient: str, configuration_set: str | None = None) -> dict:
        mail = {
            "timestamp": now(),
            "source": f"sender@{self.identity}",
            "sourceArn": f"arn:aws:ses:{REGION}:{OWNER}:identity/{self.identity}",
            "sendingAccountId": account,
            "messageId": f"{uuid.uuid4()}-000000",
            "destination": [recipient, "someone-else@example.net"],
            "commonHeaders": {"subject": "Secret offer"},
        }
        if configuration_set:
            mail |= {"tags": {"ses:configuration-set": [configuration_set]}}
        return mail

    def publish(self, notification: dict) -> None:
        self.stack.sns.publish(TopicArn=self.stack.topic_arn, Message=json.dumps(notification))

    def bounce(self, account: str, recipient: str, configuration_set: str | None = None) -> dict:
        return bounce(self.mail(account, recipient, configuration_set), recipient)

    def settled(self) -> None:
        """Wait until nothing is on its way any more."""
        queues = self.stack.work_queues()
        # In this order, as the router fills the deliver queue.
        urls = [queues[name] for name in ("FeedbackQueue", "RouterQueue", "DeliveryQueue")]
        eventually(lambda: not any(self.stack.waiting(url) for url in urls), seconds=600)

    def watch(self) -> None:
        """Looks at every sender; again, as the schedule would, if a busy machine kept one from being looked at."""
        client = boto3.client("lambda")
        look = {"FunctionName": self.stack.outputs["ReputationMonitorFunctionName"], "Payload": json.dumps({"postroom": "check-senders"})}
        eventually(lambda: "FunctionError" not in client.invoke(**look))

    def parked(self) -> list[dict]:
        """What the targets of this test refused for good, each delivery once: parking is at least once too."""
        letters = take(self.stack.sqs, self.stack.outputs["DeliveryDeadLetterQueueUrl"])
        ours = [letter for letter in letters if self.word in letter["body"] and "reason" in letter["attributes"]]
        return list({letter["attributes"]["idempotencyKey"]: letter for letter in ours}.values())


def now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def bounce(mail: dict, recipient: str) -> dict:
    details = {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": [{"emailAddress": recipient, "action": "failed", "status": "5.1.1"}],
        "timestamp": now(),
        "feedbackId": f"{uuid.uuid4()}-000000",
    }
    return {"notificationType": "Bounce", "bounce": details, "mail": mail}


@pytest.fixture
def routed(stack, unique, tmp_path) -> Routed:
    routed = Routed(stack, unique, tmp_path)
    take(stack.sqs, stack.outputs["DeliveryDeadLetterQueueUrl"])
    yield routed
    try:
        # What is still on its way would take the next test's routes.
        routed.settled()
    finally:
        # An empty file: nothing of this test is routed or watched in the next.
        routed.apply([])


@pytest.fixture
def unrouted(stack, unique):
    """What arrives at the unrouted topic."""
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


def test_a_bounce_reaches_its_delegate_and_the_owner_and_not_the_other_delegate(routed):
    routed.apply(routed.standard_routes())
    notification = routed.bounce(A, f"{routed.word}@example.net")
    routed.publish(notification)
    (owners,) = eventually(routed.owner.through_queue)
    (redacted,) = eventually(routed.a.through_topic)
    assert json.loads(owners["body"]) == notification
    assert (owners["attributes"]["sendingAccount"], owners["attributes"]["type"]) == (A, "Bounce")
    shown = json.loads(redacted["body"])
    assert shown["mail"]["destination"] == [f"{routed.word}@example.net"], "and no other recipient"
    assert "Secret offer" not in redacted["body"]
    routed.settled()
    assert routed.b.through_topic() == []


def test_a_target_that_refuses_is_parked_and_the_others_got_theirs(routed):
    missing = f"arn:aws:sns:{REGION}:{A}:router-test-missing-{routed.word}"
    routed.apply([*routed.standard_routes(), {"name": "missing", "owner": OWNER, "account": A, "target": missing}])
    routed.publish(routed.bounce(A, f"{routed.word}@example.net"))
    assert len(eventually(routed.owner.through_queue)) == 1
    assert len(eventually(routed.a.through_topic)) == 1
    (parked,) = eventually(routed.parked)
    assert parked["attributes"]["target"] == f"topic:{missing}"
    assert parked["attributes"]["reason"].startswith("NotFound")
    routed.settled()
    assert (routed.owner.through_queue(), routed.a.through_topic()) == ([], []), "once is enough"


def test_a_topic_that_does_not_let_the_router_in_is_parked_too(routed):
    closed = {"Version": "2012-10-17", "Statement": []}
    routed.a.sns.set_topic_attributes(
        TopicArn=routed.a.topic_arn, AttributeName="Policy", AttributeValue=json.dumps(closed)
    )
    routed.apply(routed.standard_routes())
    routed.publish(routed.bounce(A, f"{routed.word}@example.net"))
    assert len(eventually(routed.owner.through_queue)) == 1
    (parked,) = eventually(routed.parked)
    assert parked["attributes"]["reason"].startswith(("AuthorizationError", "AccessDenied"))


def test_what_no_route_is_for_arrives_at_the_unrouted_topic(routed, unrouted):
    routed.apply([{"name": "b", "owner": OWNER, "account": B, "target": routed.b.topic_arn}])
    notification = routed.bounce(A, f"{routed.word}@example.net")
    routed.publish(notification)
    mine = []

    def arrived():
        mine.extend(one for one in unrouted() if routed.word in one["body"])
        return mine

    eventually(arrived)
    # Once or, when an answer was slow, more than once.
    for one in mine:
        assert json.loads(one["body"]) == notification
        assert one["attributes"]["reason"] == "no-route"
    routed.settled()
    assert routed.b.through_topic() == []


def test_a_bad_campaign_alerts_once_is_paused_and_resumed_by_one_command(routed):
    """Postroom's own account is the delegate here: only the sending account's configuration sets can be paused."""
    name = f"campaign-{routed.word}"
    ses = boto3.client("sesv2")
    ses.create_configuration_set(ConfigurationSetName=name)

    def sends() -> bool:
        return ses.get_configuration_set(ConfigurationSetName=name)["SendingOptions"]["SendingEnabled"]

    owner = {"name": "owner", "owner": OWNER, "events": ["Alert"], "target": routed.owner.queue_arn}
    delegate = {"name": "delegate", "account": POSTROOM, "events": ["Alert"], "target": routed.a.topic_arn}
    stranger = {"name": "b", "account": B, "target": routed.b.topic_arn}
    lines = '[thresholds]\nenforcements = ["pause-configuration-set"]\n'
    lines += '[thresholds.bounces]\nwarn = "10 %"\nenforce = "20 %"\nmin-hour-recipients = 10\nmin-day-recipients = 1000\nmin-events = 3\n'
    routes = [owner, delegate, stranger]
    routed.apply(routes)
    for number in range(12):
        recipient = f"{number}-{routed.word}@example.net"
        mail = routed.mail(POSTROOM, recipient, name) | {"destination": [recipient]}
        routed.publish({"eventType": "Send", "send": {}, "mail": mail})
        if number < 6:
            routed.publish(bounce(mail, recipient))
    routed.settled()
    # Only now, or a scheduled look would see a part of the campaign.
    routed.apply(routes, lines)
    routed.watch()

    def alerts(party: Party, read) -> list[dict]:
        """Of this campaign: these parties hear of every sender of theirs, and other tests' senders bounce too."""
        return [one for one in read(party) if one["attributes"]["identity"] == routed.identity]

    # An alert whose telling was interrupted is told by the first look after five minutes (CLAIM): at most ten.
    (to_owner,) = eventually(lambda: alerts(routed.owner, Party.through_queue), seconds=660)
    (to_delegate,) = eventually(lambda: alerts(routed.a, Party.through_topic))
    alert = json.loads(to_owner["body"])
    assert alert == json.loads(to_delegate["body"])
    assert (alert["alertType"], alert["count"], alert["recipients"]) == ("Enforcement", 6, 12)
    assert not sends()

    routed.watch()
    routed.settled()
    assert alerts(routed.owner, Party.through_queue) == alerts(routed.a, Party.through_topic) == []
    assert routed.b.through_topic() == []

    (act,) = [act["enforcement"] for act in alert["enforcements"] if act["enforcement"]]
    undone = routed.stack.postroomctl("reputation", "undo", act)
    assert undone.returncode == 0, undone.stderr
    assert sends()
    with contextlib.suppress(ses.exceptions.ClientError):
        ses.delete_configuration_set(ConfigurationSetName=name)
