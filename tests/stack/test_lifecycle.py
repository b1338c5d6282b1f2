"""Deployment, update under traffic and deletion of a stack."""

import json
import os
import pathlib
import shutil
import subprocess
import threading
import tomllib

import boto3
import pytest
from boto3.dynamodb.conditions import Attr
from conftest import ROOT, Stack, eventually

NAME = "postroom-lifecycle"
BUILD = ROOT / ".local" / "sam-build"
UNREADABLE = "not JSON "
SENDER_DOMAIN = "lifecycle-test.example"
# Long enough that a busy machine does not use up the attempts of a message.
LONG_TIMEOUTS = {"QueueVisibilityTimeoutSeconds": "20", "MaxReceiveCount": "3"}


def deploy(template: pathlib.Path, **changes: str) -> dict[str, str]:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())["local"]["deploy"]["parameters"]
    parameters = dict(one.split("=", 1) for one in config["parameter_overrides"]) | LONG_TIMEOUTS | changes
    # Without --config-file, sam reads the configuration beside the template.
    command = ["sam", "deploy", "--config-file", str(ROOT / "samconfig.toml"), "--config-env", "local"]
    command += ["--region", os.environ["AWS_REGION"], "--stack-name", NAME, "--template-file", str(template)]
    command += ["--parameter-overrides"]
    command += [f"{name}={value}" for name, value in parameters.items()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def remaining_resources() -> set[str]:
    """The names of the stack's resources that exist."""
    found = {queue.rsplit("/", 1)[1] for queue in boto3.client("sqs").list_queues().get("QueueUrls", [])}
    found |= {topic["TopicArn"].rsplit(":", 1)[1] for topic in boto3.client("sns").list_topics()["Topics"]}
    found |= {one["FunctionName"] for one in boto3.client("lambda").list_functions()["Functions"]}
    found |= {bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]}
    found |= set(boto3.client("dynamodb").list_tables()["TableNames"])
    found |= {role["RoleName"] for role in boto3.client("iam").list_roles()["Roles"]}
    found |= {one["AlarmName"] for one in boto3.client("cloudwatch").describe_alarms()["MetricAlarms"]}
    found |= {group["logGroupName"] for group in boto3.client("logs").describe_log_groups()["logGroups"]}
    return {name for name in found if name.startswith(NAME)}


def delete() -> None:
    client = boto3.client("cloudformation")
    client.delete_stack(StackName=NAME)
    client.get_waiter("stack_delete_complete").wait(StackName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 600})


@pytest.fixture(scope="module")
def own(stack):
    """A stack with its own name. The deployment of the shared stack has built the functions."""
    deployed = Stack(deploy(BUILD / "template.yaml"), NAME)
    yield deployed
    delete()


@pytest.fixture
def new_version(tmp_path) -> pathlib.Path:
    """The same programs with an additional byte at the end: a new version for Lambda with the same behaviour."""
    copy = tmp_path / "build"
    shutil.copytree(BUILD, copy)
    programs = list(copy.glob("*/bootstrap"))
    assert len(programs) == 8
    for program in programs:
        with program.open("ab") as file:
            file.write(b"\0")
    return copy / "template.yaml"


class Traffic(threading.Thread):
    """Publishes bounces of new recipients and some unreadable messages until `stopped` is set."""

    def __init__(self, stack: Stack, text: str):
        super().__init__(daemon=True)
        self.stack, self.text = stack, text
        self.recipients: list[str] = []
        self.unreadable: list[str] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.stopped.wait(0.05):
            number += 1
            if number % 25 == 0:
                message = f"{UNREADABLE}{self.text} {number}"
                self.stack.sns.publish(TopicArn=self.stack.topic_arn, Message=message)
                self.unreadable.append(message)
            else:
                recipient = f"{number}-{self.text}@example.net"
                self.stack.local_ses.bounce(recipient, sender=f"sender@{SENDER_DOMAIN}")
                self.recipients.append(recipient)


def suppressed(stack: Stack, text: str) -> set[str]:
    found, more = set(), {}
    wanted = Attr("pk").contains(text) & Attr("sk").eq("SUPPRESSION")
    while True:
        page = stack.table.scan(FilterExpression=wanted, ConsistentRead=True, **more)
        found |= {row["pk"].removeprefix("RECIPIENT#") for row in page["Items"]}
        if "LastEvaluatedKey" not in page:
            return found
        more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def code_and_hard_bounce_days(stack: Stack) -> tuple[str, str]:
    function = boto3.client("lambda").get_function_configuration(FunctionName=stack.outputs["FunctionName"])
    return function["CodeSha256"], function["Environment"]["Variables"]["HARD_BOUNCE_DAYS"]


def test_an_update_under_traffic_loses_no_message(own, new_version, unique):
    before = code_and_hard_bounce_days(own)
    own.report_identity(SENDER_DOMAIN)
    traffic = Traffic(own, unique)
    traffic.start()
    eventually(lambda: suppressed(own, unique))
    at_start = len(traffic.recipients)
    deploy(new_version, HardBounceDays="400", BatchSize="7")
    at_end = len(traffic.recipients)
    eventually(lambda: len(traffic.recipients) > at_end + 20)
    traffic.stopped.set()
    traffic.join(timeout=120)
    assert not traffic.is_alive(), "the recipients must be complete before they are compared"

    code, days = code_and_hard_bounce_days(own)
    assert code != before[0] and (before[1], days) == ("forever", "400")
    assert at_end - at_start > 20, "there must be traffic during the deployment"

    eventually(lambda: own.queue_length() == 0, seconds=600)
    dead = [json.loads(body)["Message"] for body in own.take_dead_letters()]
    # A message that is delivered again may be applied and a dead letter. No message may be neither.
    assert {message for message in dead if message.startswith(UNREADABLE)} == set(traffic.unreadable)
    dead_lettered = {
        json.loads(message)["mail"]["destination"][0] for message in dead if not message.startswith(UNREADABLE)
    }
    applied = suppressed(own, unique)
    assert applied | dead_lettered == set(traffic.recipients)
    assert not dead_lettered, "an update must not use up the attempts of a message"


def test_a_deleted_stack_leaves_no_resources(own):
    names = remaining_resources()
    assert any("Table" in name for name in names) and any("feedback-errors" in name for name in names)
    # A running function writes to its log group, and the emulator would create the group again.
    queues = own.source_queues().values()
    eventually(lambda: not any(own.queue_length(url) for url in queues), seconds=600)
    delete()
    assert remaining_resources() == set()
