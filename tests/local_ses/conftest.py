"""Tests of the local SES: boto3 and the AWS CLI drive it; the other services are those of the local AWS, ministack.

Run with `tools/local/stack.py exec pytest tests/local_ses`. Nothing is built or deployed for them.
"""

import base64
import contextlib
import functools
import io
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import unittest.mock
import urllib.error
import urllib.request
import uuid

import boto3
import botocore.config
import botocore.exceptions
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "local"))
# Before boto3 makes a client: the machine's own settings must not matter.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ |= {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
os.environ["NO_PROXY"] = "127.0.0.1"

# It sets a variable of its own, which must stay.
import awscli.clidriver  # noqa: E402
from ses.local_ses import LocalSes  # noqa: E402
from ses.server import Server  # noqa: E402
from ses.state.model import Settings  # noqa: E402

REGION = "us-east-1"
ACCOUNT, OWNER, DELEGATE = "000000000000", "111111111111", "222222222222"
ONCE = botocore.config.Config(retries={"total_max_attempts": 1}, inject_host_prefix=False)
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory):
    """The URL of a ministack of this test run."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("ministack")
    env = os.environ | {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "AUTH": "true", "TMPDIR": str(folder)}
    env |= {"MINISTACK_REGION": REGION, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "ministack"], env=env, cwd=folder, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError, urllib.error.URLError):
                OPENER.open(f"{url}/_ministack/health", timeout=5)
                break
            assert time.monotonic() < deadline and process.poll() is None, (folder / "log").read_text()
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(20)


class Control:
    """The control API."""

    def __init__(self, url: str):
        self._url = f"{url}/_local_ses"

    def __call__(self, method: str, path: str, body: dict | None = None) -> dict:
        data = json.dumps(body).encode() if body is not None else None
        with OPENER.open(urllib.request.Request(self._url + path, data, method=method), timeout=60) as answer:
            return json.load(answer)

    def outbox(self, query: str = "") -> list[dict]:
        """The mails, their text decoded."""
        mails = self("GET", f"/outbox{query}")["mails"]
        return [mail | {"text": base64.b64decode(mail["raw"]).decode()} for mail in mails]

    def settle(self) -> None:
        """Wait until everything that is due is published."""
        assert self("POST", "/publications/wait", {"seconds": 30})["idle"]


@functools.cache
def client(service: str, url: str, account: str, region: str):
    keys = {"aws_access_key_id": account, "aws_secret_access_key": "test", "region_name": region}
    return boto3.Session(**keys).client(service, endpoint_url=url, config=ONCE)


@functools.cache
def cli_driver(account: str):
    """The AWS CLI. It reads the credentials once, so an account has one of its own."""
    return awscli.clidriver.create_clidriver()


class World:
    """A server, and clients of it and of the local AWS."""

    def __init__(self, server: Server, aws_url: str | None):
        self.server, self.aws_url = server, aws_url
        self.control = Control(server.url)

    def ses(self, service: str = "sesv2", account: str = ACCOUNT, region: str = REGION):
        return client(service, self.server.url, account, region)

    def aws(self, service: str, account: str = ACCOUNT, region: str = REGION):
        return client(service, self.aws_url, account, region)

    def cli(self, *arguments: str, account: str = ACCOUNT) -> dict:
        """Run the AWS CLI in this process and return its answer."""
        env = {
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_MAX_ATTEMPTS": "1",
        }
        env |= {"AWS_ENDPOINT_URL_SES": self.server.url, "AWS_ENDPOINT_URL_SESV2": self.server.url}
        printed, errors = io.StringIO(), io.StringIO()
        with (
            unittest.mock.patch.dict(os.environ, env),
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(errors),
        ):
            code = cli_driver(account).main([*arguments, "--output", "json"])
        assert code == 0, errors.getvalue()
        return json.loads(printed.getvalue()) if printed.getvalue().strip() else {}

    def topic(self, account: str = ACCOUNT, *, allow: bool = True) -> "Topic":
        return Topic(self, account, allow)


class Topic:
    """A topic with a queue that is subscribed to it. Its policy allows SES unless `allow` is false."""

    def __init__(self, world: World, account: str, allow: bool):
        word = uuid.uuid4().hex[:12]
        self.sns, self.sqs = world.aws("sns", account), world.aws("sqs", account)
        self.arn = self.sns.create_topic(Name=f"topic-{word}")["TopicArn"]
        queue_arn = f"arn:aws:sqs:{REGION}:{account}:queue-{word}"
        policy = allow_policy("sns.amazonaws.com", "sqs:SendMessage", queue_arn)
        self.url = self.sqs.create_queue(QueueName=f"queue-{word}", Attributes={"Policy": policy})["QueueUrl"]
        raw = {"RawMessageDelivery": "true"}
        self.sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=queue_arn, Attributes=raw)
        self.set_policy(
            allow_policy("ses.amazonaws.com", "sns:Publish", self.arn)
            if allow
            else allow_policy("s3.amazonaws.com", "sns:Publish", self.arn)
        )

    def set_policy(self, policy: str) -> None:
        self.sns.set_topic_attributes(TopicArn=self.arn, AttributeName="Policy", AttributeValue=policy)

    def texts(self) -> list[str]:
        """Take what arrived; the order is the order of arrival."""
        taken, misses = [], 0
        while misses < 2:
            messages = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", [])
            misses += not messages
            for message in messages:
                taken.append(message["Body"])
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
            if not messages:
                time.sleep(0.05)
        return taken

    def messages(self) -> list[dict]:
        """What arrived, without the messages that tell that the topic was set."""
        return [
            json.loads(text)
            for text in self.texts()
            if "AmazonSnsSubscriptionSucceeded" not in text and text.startswith("{")
        ]


def allow_policy(service: str, action: str, resource: str, condition: dict | None = None) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": resource}
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [statement | ({"Condition": condition} if condition else {})]}
    )


@pytest.fixture(scope="session")
def server(local_aws):
    server = Server(LocalSes(local_aws, Settings(second=0)))
    yield server
    server.close()


@pytest.fixture
def world(server, local_aws) -> World:
    """An empty SES without limits of calls a second."""
    server.ses.reset()
    return World(server, local_aws)


@pytest.fixture
def control(world) -> Control:
    return world.control


@contextlib.contextmanager
def refused(code: str, text: str = ""):
    """The call inside is answered with this error."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        yield caught
    error = caught.value.response["Error"]
    assert error["Code"] == code and text in error["Message"], error


def v2_mail(to: str, sender: str = "sender@shop.example", **others) -> dict:
    body = {"Text": {"Data": "It is on its way."}}
    simple = {"Subject": {"Data": "Your order"}, "Body": body}
    return {"FromEmailAddress": sender, "Destination": {"ToAddresses": [to]}, "Content": {"Simple": simple}} | others
