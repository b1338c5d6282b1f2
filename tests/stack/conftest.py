"""The stack tests: Postroom deployed to the local AWS, used from outside through SES, SNS, SQS and postroomctl.

Run with `make stack-test`, or one of them with `tools/local/stack.py exec pytest tests/stack -k NAME`.
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
# A slow machine takes longer than the demonstration's three seconds, and would use up a message's attempts by that.
VISIBILITY_SECONDS = 10
# Long, as waiting ends with the condition: a busy machine takes many times as long as an idle one.
PATIENCE_SECONDS = 180


class Stack:
    """The deployed stack as its users see it."""

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

    def waiting(self, url: str | None = None) -> int:
        """Messages that are in a queue, the feedback function's unless told, those being worked on included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.sqs.get_queue_attributes(QueueUrl=url or self.outputs["QueueUrl"], AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def take_dead_letters(self) -> list[str]:
        """Empty the dead-letter queue and return the bodies."""
        url = self.outputs["DeadLetterQueueUrl"]
        bodies = []
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                bodies.append(message["Body"])
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def work_queues(self) -> dict[str, str]:
        """The URLs of all queues but those of dead letters, by their names in the template."""
        resources = boto3.client("cloudformation").describe_stack_resources(StackName=self.name)["StackResources"]
        queues = [one for one in resources if one["ResourceType"] == "AWS::SQS::Queue"]
        urls = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in queues}
        return {name: url for name, url in urls.items() if "DeadLetter" not in name}

    def hand_out_again_after(self, seconds: int, *urls: str) -> None:
        """Set the visibility timeout of these queues."""
        for url in urls:
            self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})

    @contextlib.contextmanager
    def intake_paused(self):
        """Keep the function from its queue, so that what is sent meanwhile arrives as one batch."""
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
    """The stack. After the last test every call that a function made to SES must be one its role allows."""
    # A first build takes minutes: let its progress through instead of capturing it.
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print()
        subprocess.run([sys.executable, STACK, "deploy"], check=True)
    # The variables again, for a plain `pytest` too: they name the table only once it exists.
    environment = subprocess.run([sys.executable, STACK, "env", "--json"], check=True, capture_output=True).stdout
    os.environ.update(json.loads(environment))
    stack = Stack(json.loads((ROOT / ".local" / "outputs.json").read_text()))
    stack.report_identity(IDENTITY)
    stack.hand_out_again_after(VISIBILITY_SECONDS, *stack.work_queues().values())
    stack.take_dead_letters()
    calls_before = len(stack.local_ses.calls())
    yield stack
    assert calls_without_permission(stack.local_ses.calls()[calls_before:]) == []


@pytest.fixture
def unique() -> str:
    """A word no other test and no earlier run used."""
    return uuid.uuid4().hex[:12]


def eventually(condition, seconds: float = PATIENCE_SECONDS):
    """Wait until the condition is true, and return what it returned."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)
    return answer
