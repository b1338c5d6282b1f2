"""One-click unsubscribe: links that postroomctl creates, requests of mail programs and of scanners."""

import re
import urllib.error
import urllib.request

import boto3
import pytest
from function_url import serve

BODY = b"List-Unsubscribe=One-Click"


@pytest.fixture(scope="module")
def url(stack):
    assert re.fullmatch(r"https://[a-z0-9]+\.lambda-url\.us-east-1\.on\.aws/", stack.outputs["UnsubscribeUrl"])
    resources = boto3.client("cloudformation").describe_stack_resources(StackName=stack.name)["StackResources"]
    (function,) = [one["PhysicalResourceId"] for one in resources if one["LogicalResourceId"] == "UnsubscribeFunction"]
    with serve(function) as address:
        yield address


def link(stack, address: str, url: str, *options: str) -> str:
    """The link in the header that postroomctl prints, at the address of the test's server."""
    secret = stack.outputs["UnsubscribeSecretArn"]
    arguments = ["--scope", "tenant:acme", "--mailbox", "unsubscribe@shop.example", "--key-secret", secret]
    answer = stack.postroomctl("unsubscribe-link", address, *arguments, "--url", "https://host/{token}", *options)
    assert answer.returncode == 0, answer.stderr
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n" in answer.stdout
    return url + re.search(r"<https://host/([a-z0-9]+)>", answer.stdout).group(1)


def request(url: str, method: str, body: bytes | None = None):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, body, method=method), timeout=60) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def sources(stack, address: str) -> list[str]:
    return [name for row in stack.suppressions(address) for name in row if "|" in name]


def test_a_post_unsubscribes_and_a_get_of_a_scanner_does_not(stack, url, unique):
    address = f"jane-{unique}@client.example"
    of_jane = link(stack, address, url)
    for _ in range(3):
        status, page = request(of_jane, "GET")
        assert status == 200 and "<form method=\"post\">" in page and address not in page
    assert request(of_jane, "HEAD") == (200, "")
    assert sources(stack, address) == []

    assert request(of_jane, "POST", BODY)[0] == 200
    assert sources(stack, address) == ["tenant:acme|unsubscribe"]
    check = stack.postroomctl("check", address, "--tenant", "acme")
    assert check.returncode == 1, check.stdout + check.stderr


def test_requests_without_a_valid_token_or_form_change_nothing(stack, url, unique):
    address = f"joe-{unique}@client.example"
    of_joe = link(stack, address, url, "--valid-days", "30")
    assert request(of_joe, "POST", b"something=else")[0] == 400
    assert request(of_joe, "DELETE")[0] == 405
    assert request(of_joe[:-1] + ("a" if of_joe[-1] != "a" else "b"), "POST", BODY)[0] == 404
    assert request(url, "GET")[0] == 404
    assert sources(stack, address) == []
