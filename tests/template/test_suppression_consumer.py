"""The example consumer of change notices ends in the same state in any order of the notices that the function publishes."""

import itertools
import json
import re
import sys
from datetime import datetime, timezone

import pytest
from conftest import ROOT, parse
from test_lint import run

sys.path.insert(0, str(ROOT / "examples"))
from suppression_consumer import apply, consume, is_suppressed, open_database  # noqa: E402

TEMPLATE = ROOT / "examples" / "suppression-consumer.yaml"
SNAPSHOT = ROOT / "functions" / "suppression-changes" / "tests" / "snapshots" / "outcomes__outcomes.snap"
# As `suppression-changes` publishes them.
NOTICES = [json.loads(line) for line in re.findall(r"^  notice (.*)$", SNAPSHOT.read_text(), flags=re.MULTILINE)]
NOW = datetime(2026, 3, 3, tzinfo=timezone.utc)


def of_scope(scope: str) -> list[dict]:
    return [notice for notice in NOTICES if notice["scope"] == scope and notice["address"] == "jane@example.net"]


def test_the_newest_notice_of_a_scope_decides_in_any_order_and_number():
    notices = sorted(of_scope("global"), key=lambda notice: notice["version"])
    states = [notice["state"] for notice in notices]
    assert "ended" in states and "suppressed" in states
    newest = notices[-1]["state"] == "suppressed"
    for order in itertools.permutations(notices):
        database = open_database(":memory:")
        for notice in order + order[:1]:
            apply(database, notice)
        assert is_suppressed(database, "Jane@example.net", {"global"}, now=NOW) == newest


def test_a_list_affects_only_its_own_mail_and_a_scope_only_its_sender():
    database = open_database(":memory:")
    for notice in of_scope("domain:shop.example"):
        if notice["list"]:
            apply(database, notice)
    scopes = {"global", "domain:shop.example"}
    assert is_suppressed(database, "jane@example.net", scopes, "news", now=NOW)
    assert is_suppressed(database, "jane@example.net", scopes, "news/offers", now=NOW)
    assert not is_suppressed(database, "jane@example.net", scopes, "other", now=NOW)
    assert not is_suppressed(database, "jane@example.net", {"global"}, "news", now=NOW)


def test_a_suppression_ends_at_its_end_without_a_notice():
    (notice,) = [one for one in of_scope("tenant:acme") if one["source"] == "ses-list"]
    database = open_database(":memory:")
    apply(database, notice)
    assert notice["until"] == "2026-04-01T08:00:00.000Z"
    assert is_suppressed(database, "jane@example.net", {"tenant:acme"}, now=NOW)
    assert not is_suppressed(database, "jane@example.net", {"tenant:acme"}, now=datetime(2026, 4, 2, tzinfo=timezone.utc))


class Queue:
    """A queue with messages of a topic."""

    def __init__(self, *notices: dict):
        self.messages = [
            {"MessageId": str(number), "ReceiptHandle": str(number), "Body": json.dumps({"Message": json.dumps(notice)})}
            for number, notice in enumerate(notices)
        ]

    def receive_message(self, **_) -> dict:
        return {"Messages": list(self.messages)}

    def delete_message(self, QueueUrl: str, ReceiptHandle: str) -> None:
        self.messages = [one for one in self.messages if one["ReceiptHandle"] != ReceiptHandle]


def test_a_notice_that_is_not_applied_stays_in_the_queue(capsys):
    good = of_scope("global")[0]
    queue, database = Queue(good, good | {"schemaVersion": 2}, {}, good), open_database(":memory:")
    consume(queue, "url", database)
    assert [message["MessageId"] for message in queue.messages] == ["1", "2"]
    assert "schemaVersion 2" in capsys.readouterr().err
    assert database.execute("SELECT count(*) FROM suppression").fetchone() == (1,)


def test_the_template_is_valid_and_its_policy_is_minimal():
    run("cfn-lint", str(TEMPLATE))
    resources = parse(TEMPLATE)["Resources"]
    (statement,) = resources["ConsumerPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["sqs:ReceiveMessage", "sqs:DeleteMessage"]
    called = set(re.findall(r"sqs\.(\w+)\(", (ROOT / "examples" / "suppression_consumer.py").read_text()))
    assert called == {"receive_message", "delete_message"}
    allowed, _ = resources["NoticeQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Ref": "SuppressionTopicArn"}}}


@pytest.mark.parametrize("name", ["suppression_consumer.py", "suppression-consumer.yaml"])
def test_the_documentation_links_the_example(name):
    assert f"(../examples/{name})" in (ROOT / "docs" / "suppression-changes.md").read_text()
