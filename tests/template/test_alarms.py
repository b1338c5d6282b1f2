"""Every alarm uses a metric that exists, has a section in the runbook and notifies the alarm topic."""

import json
import re

import pytest
from alarm_evaluation import metrics_of
from conftest import EVERYTHING, ROOT, contract, of_type

RUNBOOK = (ROOT / "docs" / "operating.md").read_text()
ALARM = "AWS::CloudWatch::Alarm"
FUNCTIONS = contract("metrics")
BY_NAMESPACE = {one["namespace"]: one for one in FUNCTIONS.values() if one["namespace"]}

# Metrics that AWS documents, with the dimensions that it publishes them under. A table also has metrics of its index.
INDEX = "GlobalSecondaryIndexName"
AWS_METRICS = {
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): {"QueueName"},
    ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible"): {"QueueName"},
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): {"QueueName"},
    ("AWS/SQS", "NumberOfMessagesDeleted"): {"QueueName"},
    ("AWS/SQS", "NumberOfMessagesSent"): {"QueueName"},
    # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    ("AWS/Lambda", "AsyncEventsDropped"): {"FunctionName"},
    ("AWS/Lambda", "DestinationDeliveryFailures"): {"FunctionName"},
    ("AWS/Lambda", "Duration"): {"FunctionName"},
    ("AWS/Lambda", "Errors"): {"FunctionName"},
    ("AWS/Lambda", "IteratorAge"): {"FunctionName"},
    ("AWS/Lambda", "Throttles"): {"FunctionName"},
    # https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
    ("AWS/SNS", "NumberOfMessagesPublished"): {"TopicName"},
    ("AWS/SNS", "NumberOfNotificationsFailed"): {"TopicName"},
    ("AWS/SNS", "NumberOfNotificationsFailedToRedriveToDlq"): {"TopicName"},
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
    ("AWS/DynamoDB", "ConsumedReadCapacityUnits"): {"TableName"},
    ("AWS/DynamoDB", "ConsumedWriteCapacityUnits"): {"TableName"},
    ("AWS/DynamoDB", "ReadThrottleEvents"): {"TableName"},
    ("AWS/DynamoDB", "SystemErrors"): {"TableName", "Operation"},
    ("AWS/DynamoDB", "WriteThrottleEvents"): {"TableName"},
    # https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html
    ("AWS/Firehose", "DeliveryToS3.DataFreshness"): {"DeliveryStreamName"},
    # https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-cloudwatch.html and
    # https://docs.aws.amazon.com/ses/latest/dg/monitor-sender-reputation.html: of the account, without dimensions.
    ("AWS/SES", "Bounce"): set(),
    ("AWS/SES", "Complaint"): set(),
    ("AWS/SES", "Delivery"): set(),
    ("AWS/SES", "Reject"): set(),
    ("AWS/SES", "Reputation.BounceRate"): set(),
    ("AWS/SES", "Reputation.ComplaintRate"): set(),
    ("AWS/SES", "Send"): set(),
    # https://docs.aws.amazon.com/ses/latest/dg/receiving-email-metrics.html
    ("AWS/SES", "PublishExpired"): {"RuleName"},
    ("AWS/SES", "PublishFailure"): {"RuleName"},
}
OPERATIONS = {"BatchGetItem", "GetItem", "PutItem", "Query", "UpdateItem"}


def alarms_of(resources: dict) -> dict[str, dict]:
    """By name, without the stack's."""
    return {alarm["AlarmName"].removeprefix("postroom-"): alarm for alarm in of_type(resources, ALARM).values()}


def dimensions(metric: dict) -> dict[str, str]:
    return {one["Name"]: one["Value"] for one in metric.get("Dimensions", [])}


def widgets_of(resources: dict) -> list[dict]:
    return json.loads(resources["MailDashboard"]["Properties"]["DashboardBody"])["widgets"]


@pytest.fixture(scope="module")
def alarms(everything) -> dict[str, dict]:
    return alarms_of(everything)


def test_each_alarm_has_a_section_in_the_runbook_and_no_section_is_without_an_alarm(alarms):
    runbook = RUNBOOK.split("\n## Alarms\n")[1].split("\n## ")[0]
    sections = re.findall(r"^### (\S+)$", runbook, flags=re.MULTILINE)
    assert sorted(sections) == sorted(alarms)
    for section in runbook.split("\n### ")[1:]:
        labels = " ".join(re.findall(r"\*\*(.+?)\*\*", section)).lower()
        for label in ("means", "causes", "check", "remedy"):
            assert label in labels, f"{section.splitlines()[0]} does not say: {label}"
    assert set(re.findall(r"\]\(#(\S+)\)", runbook)) <= set(alarms)


def test_the_runbook_gives_each_alarm_an_urgency(alarms):
    table = next(part for part in RUNBOOK.split("\n\n") if part.startswith("| ") and "all others" in part)
    named = {name.strip() for row in table.splitlines()[2:] for cell in row.split("|")[1:3] for name in cell.split(",")}
    assert named - set(alarms) == {"all others"} and "silence" in named


def test_each_alarm_links_its_section_and_notifies_when_it_goes_off_and_when_it_ends(alarms):
    for name, alarm in alarms.items():
        assert alarm["AlarmDescription"].endswith(f" docs/operating.md#{name}")
        assert len(alarm["AlarmDescription"]) - len("docs/operating.md") + 500 <= 1024, "the limit with a long RunbookUrl"
        assert alarm["AlarmActions"] == alarm["OKActions"] == ["<AlarmTopic>"]


def test_alarms_on_functions_use_metrics_of_their_own_stack_that_the_functions_emit(alarms):
    used = {one["namespace"]: set() for one in FUNCTIONS.values()}
    for name, alarm in alarms.items():
        for metric in metrics_of(alarm):
            if not metric["Namespace"].startswith("Postroom/"):
                continue
            values = dimensions(metric)
            assert values.pop("Stack") == "postroom", name
            declared = BY_NAMESPACE[metric["Namespace"]]["metrics"][metric["MetricName"]]
            assert sorted(values) == sorted(declared), name
            suffix = ",".join(f"{dimension}={value}" for dimension, value in values.items())
            used[metric["Namespace"]].add(metric["MetricName"] + (f"{{{suffix}}}" if suffix else ""))
    # A run of each function emits them: each_metric_that_an_alarm_watches_is_emitted.
    assert used == {one["namespace"]: set(one["watched"]) for one in FUNCTIONS.values()}


def test_alarms_on_services_use_metrics_and_dimensions_that_aws_documents(alarms):
    for name, alarm in alarms.items():
        for metric in metrics_of(alarm):
            if metric["Namespace"].startswith("AWS/"):
                values = dimensions(metric)
                assert set(values) - {INDEX} == AWS_METRICS[metric["Namespace"], metric["MetricName"]], name
                assert INDEX not in values or metric["Namespace"] == "AWS/DynamoDB"
                assert values.get("Operation", "Query") in OPERATIONS


def test_alarms_on_resources_name_resources_that_exist(everything, alarms):
    kinds = {
        "QueueName": "AWS::SQS::Queue",
        "FunctionName": "AWS::Serverless::Function",
        "TopicName": "AWS::SNS::Topic",
        "TableName": "AWS::DynamoDB::Table",
        "DeliveryStreamName": "AWS::KinesisFirehose::DeliveryStream",
    }
    for name, alarm in alarms.items():
        for metric in metrics_of(alarm):
            for dimension, value in dimensions(metric).items():
                if kind := kinds.get(dimension):
                    assert everything[re.match(r"<(\w+)", value).group(1)]["Type"] == kind, name
                elif dimension == INDEX:
                    indexes = everything["Table"]["Properties"]["GlobalSecondaryIndexes"]
                    assert value in [index["IndexName"] for index in indexes]
                elif dimension == "RuleName":
                    assert value == everything["ReceiptRule"]["Properties"]["Rule"]["Name"]


def test_each_queue_has_an_alarm(everything, alarms):
    by_age, by_count = set(), set()
    for alarm in alarms.values():
        names = [metric["MetricName"] for metric in metrics_of(alarm)]
        queues = {dimensions(metric).get("QueueName") for metric in metrics_of(alarm)}
        if "ApproximateAgeOfOldestMessage" in names:
            assert len(queues) == 1
            by_age |= queues
        if names == ["ApproximateNumberOfMessagesVisible"]:
            assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
            by_count |= queues
    queues = {f"<{name}.QueueName>" for name in of_type(everything, "AWS::SQS::Queue")}
    assert by_count == {name for name in queues if "DeadLetter" in name}
    assert by_age == queues - by_count


def test_the_index_and_the_table_have_alarms_on_throttles(alarms):
    for kind in ("Read", "Write"):
        throttles = metrics_of(alarms[f"table-{kind.lower()}-throttles"])
        assert {one["MetricName"] for one in throttles} == {f"{kind}ThrottleEvents"}
        # DynamoDB counts throttles of an index under its name only.
        assert [dimensions(one).get(INDEX) for one in throttles] == [None, "listing"]


def test_each_function_has_alarms_on_errors_throttles_and_duration(everything, alarms):
    for name, function in of_type(everything, "AWS::Serverless::Function").items():
        own = {
            alarm["MetricName"]: alarm
            for alarm in alarms.values()
            if dimensions(alarm).get("FunctionName") == f"<{name}>"
        }
        assert {"Errors", "Throttles", "Duration"} <= set(own), name
        assert own["Duration"]["Threshold"] == function["Timeout"] * 1000 * 0.8, name
        assert own["Duration"]["Statistic"] == "Maximum"


@pytest.mark.parametrize("rate, review", [("Bounce", 0.05), ("Complaint", 0.001)])
def test_the_account_has_alarms_at_the_review_rate_and_at_half_of_it(alarms, rate, review):
    found = {
        name: alarm["Threshold"]
        for name, alarm in alarms.items()
        if alarm.get("MetricName") == f"Reputation.{rate}Rate"
    }
    word = rate.lower()
    assert found == {f"{word}-rate-warning": review / 2, f"{word}-rate-review": review}
    # SES publishes the rates irregularly; an alarm keeps its state between them.
    assert alarms[f"{word}-rate-review"]["TreatMissingData"] == "ignore"


def test_silence_compares_sent_mail_with_received_notifications(stack):
    silence = alarms_of(stack(SilenceMinSends="250"))["silence"]
    expression = next(one["Expression"] for one in silence["Metrics"] if "Expression" in one)
    assert expression == "IF(FILL(sent, 0) >= 250 AND FILL(received, 0) == 0, 1, 0)"
    sent, received = metrics_of(silence)
    assert (sent["Namespace"], sent["MetricName"], dimensions(sent)) == ("AWS/SES", "Send", {})
    assert dimensions(received) == {"QueueName": "<FeedbackQueue.QueueName>"}
    assert {one["MetricStat"]["Period"] for one in silence["Metrics"] if "MetricStat" in one} == {6 * 3600}


def test_alarms_can_be_off(stack):
    off = stack(**EVERYTHING | {"Alarms": "off"})
    assert not alarms_of(off) and "AlarmTopic" not in off and "AlarmSubscription" not in off
    assert "MailDashboard" in off
    assert "MonitoringStack" not in stack(Alarms="off", Dashboard="off")


def test_a_second_stack_has_no_alarms_about_the_whole_account(stack):
    resources = stack(**EVERYTHING | {"AccountAlarms": "off"})
    watched = [metric for alarm in alarms_of(resources).values() for metric in metrics_of(alarm)]
    # The metrics of a receipt rule have the name of the rule.
    assert {metric["MetricName"] for metric in watched if metric["Namespace"] == "AWS/SES"} == {"PublishFailure", "PublishExpired"}
    assert all(dimensions(metric) for metric in watched)


def test_parts_that_are_off_have_no_alarms(stack):
    few = alarms_of(stack(Archive="off", ReputationMonitor="off"))
    for part in ("mirror", "router", "delivery", "inbound", "receipt", "archive", "reputation"):
        assert not [name for name in few if name.startswith(part)]
    assert "reputation-monitor-stopped" in alarms_of(stack())
    own_rules = alarms_of(stack(Inbound="on", ReceiptRules="none"))
    assert "inbound-errors" in own_rules and "receipt-rule-failures" not in own_rules


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
    [
        {},
        {"Alarms": "off"},
        {"ReputationMonitor": "off"},
        {"Router": "on"},
        {"Inbound": "on"},
        {"MirrorTo": "tenant"},
        {"Archive": "off"},
        {"AccountAlarms": "off"},
        EVERYTHING,
    ],
)
def test_the_dashboard_is_json_about_resources_that_exist(stack, parameters):
    resources = stack(**parameters)
    text = resources["MailDashboard"]["Properties"]["DashboardBody"]
    widgets = widgets_of(resources)
    for name in re.findall(r"<(\w+)[.>]", text):
        assert name in resources, f"{name} does not exist with {parameters}"
    places = [
        (x, y)
        for one in widgets
        for x in range(one["x"], one["x"] + one["width"])
        for y in range(one["y"], one["y"] + one["height"])
    ]
    assert len(places) == len(set(places)), "widgets overlap"
    assert max(x for x, _ in places) < 24
    titles = [one["properties"]["markdown"] for one in widgets if one["type"] == "text"]
    for question in ("Is mail healthy?", "Is Postroom healthy?", "Which sender has the highest rates?"):
        assert any(question in title for title in titles)
    shown = {arn.split(":alarm:postroom-")[1] for one in widgets for arn in one["properties"].get("alarms", [])}
    assert shown == set(alarms_of(resources))


def test_the_dashboard_has_a_name_of_its_own_in_each_region(everything):
    assert everything["MailDashboard"]["Properties"]["DashboardName"] == "postroom-eu-west-1"


def expanded(rows: list[list]) -> list[list]:
    """The dashboard syntax `.` repeats the item above, `...` the whole row before."""
    full = []
    for row in rows:
        names = [item for item in row if isinstance(item, str)]
        if names[:1] == ["..."]:
            names = full[-1]
        full.append([full[-1][index] if item == "." else item for index, item in enumerate(names)])
    return full


def test_the_dashboard_shows_metrics_that_exist(everything):
    shown = set()
    for widget in widgets_of(everything):
        rows = widget["properties"].get("metrics", [])
        for namespace, metric, *names_and_values in filter(None, expanded(rows)):
            names = names_and_values[::2]
            if namespace.startswith("AWS/"):
                assert set(names) == AWS_METRICS[namespace, metric]
            else:
                assert names == ["Stack", *BY_NAMESPACE[namespace]["metrics"][metric]]
                assert names_and_values[1] == "postroom"
                shown.add((namespace, metric))
        for expression in (row[0]["expression"] for row in rows if isinstance(row[0], dict)):
            for schema, metric in re.findall(r"SEARCH\('\{(.+?)\} Stack=\"postroom\" MetricName=\"(\w+)\"'", expression):
                namespace, *names = schema.split(",")
                assert names == ["Stack", *BY_NAMESPACE[namespace]["metrics"][metric]]
                shown.add((namespace, metric))
    assert {namespace for namespace, _ in shown} == set(BY_NAMESPACE)


def test_the_dashboard_queries_messages_and_fields_that_the_reputation_monitor_logs(everything):
    queries = [one["properties"]["query"] for one in widgets_of(everything) if one["type"] == "log"]
    messages = contract("logs")["reputation-monitor"]
    queried = set()
    for query in queries:
        assert query.startswith("SOURCE '<ReputationMonitorLogGroup>' | filter message = ")
        message = re.search(r'message = "([^"]+)"', query).group(1)
        queried.add(message)
        commands = query.split(" | ")
        text = " ".join(one for one in commands if one.startswith(("stats", "display")))
        defined = set(re.findall(r" as (\w+)", text)) | {"stats", "display", "latest", "as", "by", "timestamp"}
        assert set(re.findall(r"\w+", text)) - defined == set(messages[message])
    assert queried == set(messages)


def test_the_runbook_has_the_number_of_billed_metrics(stack, alarms):
    """CloudWatch bills an alarm for each metric that it watches."""

    def figures(found: dict) -> str:
        return f"{len(found)} alarms with {sum(len(metrics_of(one)) for one in found.values())} metrics"

    by_default = figures(alarms_of(stack()))
    assert f"{by_default} by default, {figures(alarms)} if every part is deployed" in RUNBOOK
