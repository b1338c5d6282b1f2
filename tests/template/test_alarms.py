"""Every alarm is about something that exists, says what to do, and is heard."""

import json
import re

import pytest
from conftest import EVERYTHING, ROOT, of_type

RUNBOOK = (ROOT / "docs" / "operating.md").read_text()
ALARM = "AWS::CloudWatch::Alarm"


def alarms_of(resources: dict) -> dict[str, dict]:
    """By name, without the stack's."""
    return {alarm["AlarmName"].removeprefix("postroom-"): alarm for alarm in of_type(resources, ALARM).values()}


def metrics_of(alarm: dict) -> list[dict]:
    if "Metrics" not in alarm:
        return [alarm]
    return [one["MetricStat"]["Metric"] for one in alarm["Metrics"] if "MetricStat" in one]


def dimensions(metric: dict) -> dict[str, str]:
    return {one["Name"]: one["Value"] for one in metric.get("Dimensions", [])}


@pytest.fixture(scope="module")
def alarms(everything) -> dict[str, dict]:
    return alarms_of(everything)


def test_each_alarm_has_its_section_in_the_runbook_and_no_section_is_without_an_alarm(alarms):
    runbook = RUNBOOK.split("\n## Alarms\n")[1].split("\n## ")[0]
    sections = re.findall(r"^### (\S+)$", runbook, flags=re.MULTILINE)
    assert sorted(sections) == sorted(alarms)
    for section in runbook.split("\n### ")[1:]:
        labels = " ".join(re.findall(r"\*\*(.+?)\*\*", section)).lower()
        for label in ("means", "causes", "check", "remedy"):
            assert label in labels, f"{section.splitlines()[0]} does not say: {label}"
    assert set(re.findall(r"\]\(#(\S+)\)", runbook)) <= set(alarms)


def test_each_alarm_links_its_section_and_tells_of_its_beginning_and_end(alarms):
    for name, alarm in alarms.items():
        assert alarm["AlarmDescription"].endswith(f" docs/operating.md#{name}")
        assert alarm["AlarmActions"] == alarm["OKActions"] == ["<AlarmTopic>"]


def test_the_runbook_says_who_is_to_wake_for_what(alarms):
    table = RUNBOOK.split("| wake somebody ")[1].split("\n\n")[0].splitlines()[2:]
    named = {name.strip() for row in table for cell in row.split("|")[1:3] for name in cell.split(",")}
    assert named - set(alarms) == {"all others"} and "silence" in named


def test_each_queue_is_watched(everything, alarms):
    aged, dead = set(), set()
    for alarm in alarms.values():
        if alarm.get("MetricName") == "ApproximateAgeOfOldestMessage":
            aged.add(dimensions(alarm)["QueueName"])
        if alarm.get("MetricName") == "ApproximateNumberOfMessagesVisible":
            assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
            dead.add(dimensions(alarm)["QueueName"])
    queues = {f"<{name}.QueueName>" for name in of_type(everything, "AWS::SQS::Queue")}
    assert dead == {name for name in queues if "DeadLetter" in name}
    assert aged == queues - dead and len(aged) == 5


def test_each_function_is_watched_for_errors_throttles_and_time(template, everything, alarms):
    for name, function in of_type(everything, "AWS::Serverless::Function").items():
        own = {
            alarm["MetricName"]: alarm
            for alarm in alarms.values()
            if dimensions(alarm).get("FunctionName") == f"<{name}>"
        }
        assert set(own) == {"Errors", "Throttles", "Duration"}
        timeout = function.get("Timeout", template["Globals"]["Function"]["Timeout"])
        assert own["Duration"]["Threshold"] == timeout * 1000 * 0.8
        assert own["Duration"]["Statistic"] == "Maximum"


def test_postroom_counts_what_the_alarms_ask_for(alarms):
    crates = {"Feedback": "feedback", "DelegateRouter": "delegate-router", "Inbound": "inbound"}
    asked = 0
    for alarm in alarms.values():
        for metric in metrics_of(alarm):
            namespace, _, part = metric["Namespace"].partition("/")
            if namespace != "Postroom":
                continue
            asked += 1
            source = "\n".join(
                path.read_text() for path in (ROOT / "functions" / crates[part] / "src").rglob("*.rs")
            )
            words = [metric["MetricName"], *dimensions(metric), *dimensions(metric).values(), metric["Namespace"]]
            kinds = (ROOT / "shared" / "intake" / "src" / "error.rs").read_text()
            for word in words:
                assert f'"{word}"' in source or f'"{word}"' in kinds, word
    assert asked == 9


@pytest.mark.parametrize("rate, line", [("Bounce", 0.05), ("Complaint", 0.001)])
def test_the_account_is_watched_at_half_and_at_the_review_line(alarms, rate, line):
    found = {
        name: alarm["Threshold"]
        for name, alarm in alarms.items()
        if alarm.get("MetricName") == f"Reputation.{rate}Rate"
    }
    word = rate.lower()
    assert found == {f"{word}-rate-warning": line / 2, f"{word}-rate-review": line}
    # SES publishes them now and then; an alarm that ended in between would be no alarm.
    assert alarms[f"{word}-rate-review"]["TreatMissingData"] == "ignore"


def test_silence_compares_what_was_sent_with_what_was_heard(stack):
    silence = alarms_of(stack(SilentSends="250"))["silence"]
    expression = next(one["Expression"] for one in silence["Metrics"] if "Expression" in one)
    assert expression == "IF(FILL(sent, 0) >= 250 AND FILL(heard, 0) == 0, 1, 0)"
    sent, heard = metrics_of(silence)
    assert (sent["Namespace"], sent["MetricName"], dimensions(sent)) == ("AWS/SES", "Send", {})
    assert dimensions(heard) == {"QueueName": "<FeedbackQueue.QueueName>"}
    assert {one["MetricStat"]["Period"] for one in silence["Metrics"] if "MetricStat" in one} == {6 * 3600}


def test_alarms_can_be_off_or_without_arithmetic(stack):
    off = stack(**EVERYTHING | {"Alarms": "off"})
    assert not alarms_of(off) and "AlarmTopic" not in off and "AlarmSubscription" not in off
    on, plain = alarms_of(stack(**EVERYTHING)), alarms_of(stack(**EVERYTHING | {"Alarms": "plain"}))
    assert set(on) - set(plain) == {"silence", "table-system-errors"}
    assert not any("Metrics" in alarm for alarm in plain.values())
    assert len(alarms_of(stack())) == 19


def test_parts_that_are_off_have_no_alarms(stack):
    for part in ("mirror", "router", "deliver", "inbound", "receipt", "archive"):
        assert not [name for name in alarms_of(stack(Archive="off")) if name.startswith(part)]
    rules_of_my_own = alarms_of(stack(Inbound="on", ReceiptRules="none"))
    assert "inbound-errors" in rules_of_my_own and "receipt-rule-failures" not in rules_of_my_own


def test_cloudwatch_may_publish_alarms_of_this_stack(everything):
    policy = everything["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    (allowed,) = [one for one in policy if one["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Condition"] == {
        "StringEquals": {"AWS:SourceAccount": "111122223333"},
        "ArnLike": {"AWS:SourceArn": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:postroom-*"},
    }


@pytest.mark.parametrize(
    "parameters",
    [{}, {"Alarms": "plain"}, {"Alarms": "off"}, {"Router": "on"}, {"Inbound": "on"}, {"MirrorTo": "tenant"}, EVERYTHING],
)
def test_the_dashboard_is_json_about_resources_that_exist(stack, parameters):
    resources = stack(**parameters)
    text = resources["MailDashboard"]["Properties"]["DashboardBody"]
    widgets = json.loads(text)["widgets"]
    for name in re.findall(r"<(\w+)[.>]", text):
        assert name in resources, f"{name} is not there with {parameters}"
    places = [
        (x, y)
        for one in widgets
        for x in range(one["x"], one["x"] + one["width"])
        for y in range(one["y"], one["y"] + one["height"])
    ]
    assert len(places) == len(set(places)), "widgets overlap"
    assert max(x for x, _ in places) < 24
    titles = [one["properties"]["markdown"] for one in widgets if one["type"] == "text"]
    for question in ("Is mail healthy?", "Is Postroom healthy?", "Who is the worst sender?"):
        assert any(question in title for title in titles)
    shown = {arn.split(":alarm:postroom-")[1] for one in widgets for arn in one["properties"].get("alarms", [])}
    assert shown == set(alarms_of(resources))


def test_the_dashboard_reads_what_the_watch_logs(stack):
    widgets = json.loads(stack(Router="on")["MailDashboard"]["Properties"]["DashboardBody"])["widgets"]
    queries = [one["properties"]["query"] for one in widgets if one["type"] == "log"]
    source = "\n".join(
        (ROOT / path).read_text()
        for path in ("functions/delegate-router/src/effects/watch.rs", "shared/watch/src/effects.rs")
    )
    assert len(queries) == 2
    for query in queries:
        assert query.startswith("SOURCE '<RouterLogGroup>' | filter message = ")
        message = re.search(r'message = "([^"]+)"', query).group(1)
        assert f'"{message}"' in source
    for field in ("bounces_per_10000", "complaints_per_10000", "recipients", "owner", "account"):
        assert re.search(rf"{field}\b.* = ", source) and any(field in query for query in queries)
