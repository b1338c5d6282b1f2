"""A stack of its own from its first deployment to its end. A new version under traffic loses nothing."""

import json
import os
import pathlib
import shutil
import subprocess
import threading
import tomllib

import boto3
import pytest
import ses_payloads
from boto3.dynamodb.conditions import Attr
from conftest import ROOT, Stack, eventually

NAME = "postroom-lifecycle"
BUILD = ROOT / ".local" / "sam-build"
UNREADABLE = "not JSON "
# So long that a busy machine does not use up attempts by being slow.
PATIENT = {"QueueVisibilityTimeoutSeconds": "20", "MaxReceiveCount": "3"}


def deploy(template: pathlib.Path, **changes: str) -> dict[str, str]:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())["local"]["deploy"]["parameters"]
    parameters = dict(one.split("=", 1) for one in config["parameter_overrides"]) | PATIENT | changes
    # sam looks for its configuration beside the template, unless told.
    command = ["sam", "deploy", "--config-file", str(ROOT / "samconfig.toml"), "--config-env", "local"]
    command += ["--region", os.environ["AWS_REGION"], "--stack-name", NAME, "--template-file", str(template)]
    command += ["--parameter-overrides"]
    command += [f"{name}={value}" for name, value in parameters.items()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def left_over() -> set[str]:
    """What there still is of the stack."""
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
    """Built by the shared stack's deployment, deployed under a name of its own."""
    deployed = Stack(deploy(BUILD / "template.yaml"), NAME)
    yield deployed
    delete()


@pytest.fixture
def new_version(tmp_path) -> pathlib.Path:
    """The same programs with another byte behind their end: other code to Lambda, the same to the processor."""
    copy = tmp_path / "build"
    shutil.copytree(BUILD, copy)
    programs = list(copy.glob("*/bootstrap"))
    assert len(programs) == 5
    for program in programs:
        with program.open("ab") as file:
            file.write(b"\0")
    return copy / "template.yaml"


class Traffic(threading.Thread):
    """Bounces of ever new recipients, and now and then something unreadable, until it is told to end."""

    def __init__(self, stack: Stack, word: str):
        super().__init__(daemon=True)
        self.stack, self.word = stack, word
        self.recipients: list[str] = []
        self.unreadable: list[str] = []
        self.over = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.over.wait(0.05):
            number += 1
            if number % 25 == 0:
                message = f"{UNREADABLE}{self.word} {number}"
                self.stack.sns.publish(TopicArn=self.stack.topic_arn, Message=message)
                self.unreadable.append(message)
            else:
                recipient = f"{number}-{self.word}@example.net"
                self.stack.sns.publish(TopicArn=self.stack.topic_arn, Message=ses_payloads.bounce(recipient))
                self.recipients.append(recipient)


def suppressed(stack: Stack, word: str) -> set[str]:
    found, more = set(), {}
    wanted = Attr("pk").contains(word) & Attr("sk").eq("SUPPRESSION")
    while True:
        page = stack.table.scan(FilterExpression=wanted, ConsistentRead=True, **more)
        found |= {row["pk"].removeprefix("RECIPIENT#") for row in page["Items"]}
        if "LastEvaluatedKey" not in page:
            return found
        more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def code_of(stack: Stack) -> tuple[str, str]:
    function = boto3.client("lambda").get_function_configuration(FunctionName=stack.outputs["FunctionName"])
    return function["CodeSha256"], function["Environment"]["Variables"]["HARD_BOUNCE_DAYS"]


def test_a_new_version_under_traffic_loses_nothing(own, new_version, unique):
    before = code_of(own)
    traffic = Traffic(own, unique)
    traffic.start()
    eventually(lambda: suppressed(own, unique))
    at_start = len(traffic.recipients)
    deploy(new_version, HardBounceDays="400", BatchSize="7")
    at_end = len(traffic.recipients)
    eventually(lambda: len(traffic.recipients) > at_end + 20)
    traffic.over.set()
    traffic.join(timeout=120)
    assert not traffic.is_alive(), "what it still publishes would be missed below"

    code, days = code_of(own)
    assert code != before[0] and (before[1], days) == ("forever", "400")
    assert at_end - at_start > 20, "there was traffic during the deployment"

    eventually(lambda: own.waiting() == 0, seconds=600)
    dead = [json.loads(body)["Message"] for body in own.take_dead_letters()]
    # A redelivered one may be applied and dead; nothing may be neither.
    assert {one for one in dead if one.startswith(UNREADABLE)} == set(traffic.unreadable)
    given_up = {
        json.loads(one)["mail"]["destination"][0] for one in dead if not one.startswith(UNREADABLE)
    }
    applied = suppressed(own, unique)
    assert applied | given_up == set(traffic.recipients)
    assert not given_up, "a deployment uses up nobody's attempts"


def test_what_is_deleted_leaves_nothing(own):
    names = left_over()
    assert any("Table" in name for name in names) and any("feedback-errors" in name for name in names)
    # A function at work would write into its log group once more, which the emulator makes anew for it.
    queues = own.work_queues().values()
    eventually(lambda: not any(own.waiting(url) for url in queues), seconds=600)
    delete()
    assert left_over() == set()
