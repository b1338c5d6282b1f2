"""Fixtures of the stack tests. They deploy Postroom to the local AWS and use it through SES, SNS, SQS and postroomctl.

Run all with `make stack-test`, one with `tools/local/stack.py exec pytest tests/stack -k NAME`.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time
import uuid

import boto3
import pytest
from boto3.dynamodb.conditions import Key
from local_ses import LocalSes
from ses_permissions import calls_without_permission

ROOT = pathlib.Path(__file__).resolve().parents[2]
STACK = ROOT / "tools" / "local" / "stack.py"
ACCOUNT = "000000000000"
IDENTITY = "stack-test.example"
# The demo's three seconds are too short for a slow machine: a message would become a dead letter.
VISIBILITY_SECONDS = 10
# The maximum time until a condition is true. A busy machine needs many times as long as an idle one.
TIMEOUT_SECONDS = 180


class Stack:
    """A deployed stack."""

    def __init__(self, outputs: dict[str, str], name: str = "postroom"):
        self.outputs, self.name = outputs, name
        self.topic_arn = outputs["TopicArn"]
        self.sns = boto3.client("sns")
        self.sqs = boto3.client("sqs")
        self.ses = boto3.client("ses")
        self.local_ses = LocalSes(f"sender@{IDENTITY}")
        self.table = boto3.resource("dynamodb").Table(outputs["TableName"])

    def report_identity(self, domain: str) -> None:
        """Verify a domain, and let its bounces and complaints be published to the stack's topic."""
        self.ses.verify_domain_identity(Domain=domain)
        for kind in ("Bounce", "Complaint"):
            self.ses.set_identity_notification_topic(Identity=domain, NotificationType=kind, SnsTopic=self.topic_arn)

    def suppressions(self, address: str) -> list[dict]:
        return self._rows(address, "SUPPRESSION")

    def history(self, address: str) -> list[dict]:
        return self._rows(address, "EVENT#")

    def _rows(self, address: str, sort_key_prefix: str) -> list[dict]:
        key = Key("pk").eq(f"RECIPIENT#{address.lower()}") & Key("sk").begins_with(sort_key_prefix)
        return self.table.query(KeyConditionExpression=key, ConsistentRead=True)["Items"]

    def queue_length(self, url: str | None = None) -> int:
        """Visible and invisible messages in a queue. Default: the queue of the feedback function."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.sqs.get_queue_attributes(QueueUrl=url or self.outputs["QueueUrl"], AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def take_dead_letters(self) -> list[str]:
        """Delete the messages in the feedback function's dead-letter queue and return their bodies."""
        url = self.outputs["DeadLetterQueueUrl"]
        bodies = []
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                bodies.append(message["Body"])
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def source_queues(self) -> dict[str, str]:
        """The URLs of all queues except dead-letter queues, by logical id."""
        resources = boto3.client("cloudformation").describe_stack_resources(StackName=self.name)["StackResources"]
        queues = [resource for resource in resources if resource["ResourceType"] == "AWS::SQS::Queue"]
        urls = {queue["LogicalResourceId"]: queue["PhysicalResourceId"] for queue in queues}
        return {name: url for name, url in urls.items() if "DeadLetter" not in name}

    def set_visibility_timeout(self, seconds: int, *urls: str) -> None:
        """Set the visibility timeout of the queues."""
        for url in urls:
            self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})

    @contextlib.contextmanager
    def intake_disabled(self):
        """Disable the event source mapping. Messages that are sent meanwhile arrive in one batch."""
        client = boto3.client("lambda")
        mapping = client.list_event_source_mappings(FunctionName=self.outputs["FunctionName"])["EventSourceMappings"][0]
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        try:
            yield
        finally:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    def postroomctl(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(["postroomctl", *arguments], capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="session")
def stack(request):
    """The deployed stack. After the last test, the roles must allow every call that a function made to SES."""
    # The first build takes minutes. Its progress is not captured.
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print()
        subprocess.run([sys.executable, STACK, "deploy"], check=True)
    # The variables contain the table's name only after the deployment.
    environment = subprocess.run([sys.executable, STACK, "env", "--json"], check=True, capture_output=True).stdout
    os.environ.update(json.loads(environment))
    stack = Stack(json.loads((ROOT / ".local" / "outputs.json").read_text()))
    stack.report_identity(IDENTITY)
    stack.set_visibility_timeout(VISIBILITY_SECONDS, *stack.source_queues().values())
    stack.take_dead_letters()
    calls_before = len(stack.local_ses.calls())
    yield stack
    assert calls_without_permission(stack.local_ses.calls()[calls_before:]) == []


@pytest.fixture
def unique() -> str:
    """A text that no other test and no earlier run uses."""
    return uuid.uuid4().hex[:12]


def eventually(condition, seconds: float = TIMEOUT_SECONDS):
    """Wait until the condition returns a true value, and return it."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"the condition is not true after {seconds} s"
        time.sleep(0.1)
    return result
