"""Real faults: the deployed alarms go off on what the local stack then measures.

The emulator neither publishes metrics of SQS nor extracts metrics from logs. The tests read the attributes of the queue, which SQS
publishes as metrics, and the lines of the function's log, from which CloudWatch extracts its metrics.
"""

import json
import pathlib
import sys

import boto3
from conftest import ROOT, eventually

sys.path.insert(0, str(pathlib.Path(ROOT) / "tests" / "template"))

from alarm_evaluation import metric_key, metrics_of, state  # noqa: E402


def deployed_alarm(stack, name: str) -> dict:
    found = boto3.client("cloudwatch").describe_alarms(AlarmNames=[f"{stack.name}-{name}"])["MetricAlarms"]
    assert len(found) == 1, f"{name} is not deployed"
    return found[0]


def logged_metrics(stack, function: str) -> dict[tuple, float]:
    """The sum of each metric in the log of a function, by namespace, name and dimensions."""
    logs, sums = boto3.client("logs"), {}
    group = boto3.client("lambda").get_function_configuration(FunctionName=stack.outputs[function])["LoggingConfig"]["LogGroup"]
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
        for event in page["events"]:
            try:
                line = json.loads(event["message"])
                directives = line["_aws"]["CloudWatchMetrics"]
            except (ValueError, KeyError, TypeError):
                continue
            for directive in directives:
                dimensions = sorted((name, line[name]) for name in directive["Dimensions"][0])
                for metric in directive["Metrics"]:
                    value = line[metric["Name"]]
                    if isinstance(value, (int, float)):
                        key = (directive["Namespace"], metric["Name"], *dimensions)
                        sums[key] = sums.get(key, 0) + value
    return sums


def goes_off(stack, name: str, function: str) -> bool:
    """Whether the alarm goes off on the metrics in the log of the function, if they last as long as the alarm looks at."""
    alarm = deployed_alarm(stack, name)
    (metric,) = metrics_of(alarm)
    value = logged_metrics(stack, function).get(metric_key(metric))
    if value is None:
        return False
    return state(alarm, {metric_key(metric): [[value]] * int(alarm["EvaluationPeriods"])}) == "ALARM"


def dead_letters_go_off(stack, name: str, url: str) -> bool:
    attributes = stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    alarm = deployed_alarm(stack, name)
    (metric,) = metrics_of(alarm)
    assert dict(metric_key(metric)[2:])["QueueName"] == url.rsplit("/", 1)[1]
    return state(alarm, {metric_key(metric): [[float(attributes["ApproximateNumberOfMessages"])]]}) == "ALARM"


def test_a_message_that_is_not_from_ses_sets_off_the_alarms_for_working_hours_only(stack, unique):
    stack.sns.publish(TopicArn=stack.topic_arn, Message=f"not from SES {unique}")
    eventually(lambda: goes_off(stack, "feedback-parse-failures", "FunctionName"))
    eventually(lambda: dead_letters_go_off(stack, "feedback-dead-letters", stack.outputs["DeadLetterQueueUrl"]))
    eventually(lambda: dead_letters_go_off(stack, "router-dead-letters", stack.outputs["RouterDeadLetterQueueUrl"]))
    stack.take_dead_letters()


def test_a_notification_without_a_route_sets_off_its_alarm(stack, unique):
    stack.local_ses.bounce(f"{unique}@example.net")
    eventually(lambda: goes_off(stack, "router-no-route", "RouterFunctionName"))


def test_runs_of_the_schedules_are_counted_and_their_absence_sets_off_the_alarms(stack):
    for name, function, event in [
        ("reputation-monitor-stopped", "ReputationMonitorFunctionName", {"postroom": "check-senders"}),
        ("settings-guard-stopped", "SettingsGuardFunctionName", {"postroom": "compare-settings"}),
        ("digests-stopped", "RouterFunctionName", {"postroom": "digest"}),
    ]:
        answer = boto3.client("lambda").invoke(FunctionName=stack.outputs[function], Payload=json.dumps(event))
        assert "FunctionError" not in answer, answer["Payload"].read()
        alarm = deployed_alarm(stack, name)
        (metric,) = metrics_of(alarm)
        runs = eventually(lambda: logged_metrics(stack, function).get(metric_key(metric)))  # noqa: B023
        assert state(alarm, {metric_key(metric): [[runs]] * 3}) == "OK"
        assert state(alarm, {}) == "ALARM"
