"""A change of a suppression reaches an application: from SES's report to the database of the example consumer."""

import json
import sys

import boto3
import pytest
from conftest import ROOT, eventually

sys.path.insert(0, str(ROOT / "examples"))
from suppression_consumer import consume, is_suppressed, open_database  # noqa: E402


@pytest.fixture(scope="module")
def notice_queue(stack):
    """The URL of a queue that is subscribed to the topic for change notices, as examples/suppression-consumer.yaml makes it."""
    name, topic = "suppression-changes-test", stack.outputs["SuppressionTopicArn"]
    url = stack.sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    stack.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    subscription = stack.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]
    yield url
    stack.sns.unsubscribe(SubscriptionArn=subscription)
    stack.sqs.delete_queue(QueueUrl=url)


class ShortPolls:
    """The client of SQS without the 20 seconds of a long poll."""

    def __init__(self, client):
        self.client = client

    def receive_message(self, **arguments) -> dict:
        return self.client.receive_message(**arguments | {"WaitTimeSeconds": 1})

    def delete_message(self, **arguments) -> None:
        self.client.delete_message(**arguments)


def test_a_bounce_and_its_release_reach_the_application(stack, notice_queue, unique):
    recipient = f"{unique}@example.net"
    database, sqs = open_database(":memory:"), ShortPolls(boto3.client("sqs"))

    def suppressed() -> bool:
        consume(sqs, notice_queue, database)
        return is_suppressed(database, recipient, {"global"})

    stack.local_ses.bounce(recipient)
    eventually(suppressed)
    # An application that lost its database.
    database = open_database(":memory:")
    assert stack.postroomctl("suppression", "republish", "--since", "2026-01-01").returncode == 0
    eventually(suppressed)
    assert stack.postroomctl("suppression", "release", recipient, "--reason", "stack test").returncode == 0
    eventually(lambda: not suppressed())
    dead = stack.outputs["SuppressionChangesDeadLetterQueueUrl"]
    assert stack.queue_length(dead) == 0
