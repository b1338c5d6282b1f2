"""Each alarm goes off on its fault, and on nothing else.

There are three kinds of proof, which docs/alarms.md lists:

- `stack`: tests/stack/test_alarms.py causes the fault on the local stack. The deployed alarm goes off on what then is measured.
- `emission`: a run of the function emits the watched metric with exactly its name and dimensions (the Rust test
  `each_metric_that_an_alarm_watches_is_emitted`, through metrics.json).
- `points`: AWS documents the metric with these dimensions (test_alarms.py). Here the alarm is evaluated on synthetic points.

Every alarm is evaluated here, whatever its other proof is.
"""

import ast
import re

import pytest
from alarm_evaluation import metric_key, metrics_of, period_of, state
from conftest import EVERYTHING, ROOT, contract
from test_alarms import alarms_of

STACK_TESTS = ROOT / "tests" / "stack" / "test_alarms.py"
PAGE = (ROOT / "docs" / "alarms.md").read_text()
NAMESPACES = {one["namespace"] for one in contract("metrics").values()}

# How many periods in a row the fault takes to be one, and how often it may occur without an alarm.
AT_ONCE = dict(faults=1, tolerated=0)
TWO_OF_THREE = dict(faults=2, tolerated=1)


def counted(value: float = 1, **limits) -> dict:
    """A metric that counts faults: no data or zero is no fault."""
    return dict(healthy=[0], fault=[value], **limits)


def slow(limit: float, **limits) -> dict:
    return dict(healthy=[limit * 0.5], fault=[limit * 1.01], **limits)


DEAD_LETTERS = counted(**AT_ONCE)
HEARTBEAT = dict(heartbeat=True)
QUEUE_AGE = dict(queue_age=True)

CASES = {
    "feedback-dead-letters": DEAD_LETTERS,
    "feedback-queue-age": QUEUE_AGE,
    "feedback-errors": counted(**TWO_OF_THREE),
    "feedback-throttles": counted(**TWO_OF_THREE),
    "feedback-duration": slow(48_000, **TWO_OF_THREE),
    "feedback-parse-failures": counted(**AT_ONCE),
    "feedback-write-failures": counted(**TWO_OF_THREE),
    "feedback-panics": counted(**AT_ONCE),
    "topic-delivery-failures": counted(**AT_ONCE),
    "topic-lost-notifications": counted(**AT_ONCE),
    "table-read-throttles": counted(**TWO_OF_THREE),
    "table-write-throttles": counted(**TWO_OF_THREE),
    "table-system-errors": counted(**TWO_OF_THREE),
    "silence": dict(silence=True),
    "archive-delay": dict(healthy=[300], fault=[1801], faults=2, tolerated=1),
    "archive-dead-letters": DEAD_LETTERS,
    "bounce-rate-warning": dict(rate=0.025),
    "bounce-rate-review": dict(rate=0.05),
    "complaint-rate-warning": dict(rate=0.0005),
    "complaint-rate-review": dict(rate=0.001),
    "suppression-changes-dead-letters": DEAD_LETTERS,
    "suppression-changes-iterator-age": slow(900_000, **TWO_OF_THREE),
    "suppression-changes-publish-failures": counted(**TWO_OF_THREE),
    "suppression-changes-errors": counted(**TWO_OF_THREE),
    "suppression-changes-throttles": counted(**TWO_OF_THREE),
    "suppression-changes-duration": slow(48_000, **TWO_OF_THREE),
    "suppression-changes-stopped": HEARTBEAT,
    "mirror-dead-letters": DEAD_LETTERS,
    "mirror-queue-age": QUEUE_AGE,
    "mirror-errors": counted(**TWO_OF_THREE),
    "mirror-throttles": counted(**TWO_OF_THREE),
    "mirror-duration": slow(48_000, **TWO_OF_THREE),
    "mirror-stopped": HEARTBEAT,
    "reputation-monitor-errors": counted(**TWO_OF_THREE),
    "reputation-monitor-throttles": counted(**TWO_OF_THREE),
    "reputation-monitor-duration": slow(192_000, **TWO_OF_THREE),
    "reputation-monitor-check-failures": counted(**TWO_OF_THREE),
    "reputation-monitor-stopped": HEARTBEAT,
    "settings-drift": counted(**AT_ONCE),
    "settings-guard-errors": counted(**TWO_OF_THREE),
    "settings-guard-throttles": counted(**TWO_OF_THREE),
    "settings-guard-duration": slow(672_000, **TWO_OF_THREE),
    "settings-guard-check-failures": counted(**TWO_OF_THREE),
    "settings-guard-stopped": HEARTBEAT,
    "router-dead-letters": DEAD_LETTERS,
    "router-queue-age": QUEUE_AGE,
    "delivery-dead-letters": DEAD_LETTERS,
    "delivery-queue-age": QUEUE_AGE,
    "router-errors": counted(**TWO_OF_THREE),
    "router-throttles": counted(**TWO_OF_THREE),
    "router-duration": slow(48_000, **TWO_OF_THREE),
    "router-no-route": counted(**AT_ONCE),
    "router-unidentified-accounts": counted(**AT_ONCE),
    "router-routing-failures": counted(**TWO_OF_THREE),
    "digest-failures": counted(**TWO_OF_THREE),
    "digests-stopped": HEARTBEAT,
    "inbound-dead-letters": DEAD_LETTERS,
    "inbound-queue-age": QUEUE_AGE,
    "inbound-errors": counted(**TWO_OF_THREE),
    "inbound-throttles": counted(**TWO_OF_THREE),
    "inbound-duration": slow(24_000, **TWO_OF_THREE),
    "inbound-time-budget": counted(**AT_ONCE),
    "inbound-parse-failures": counted(**AT_ONCE),
    "inbound-write-failures": counted(**TWO_OF_THREE),
    "inbound-hand-over-failures": counted(**AT_ONCE),
    "inbound-events-dropped": counted(**AT_ONCE),
    "inbound-destination-failures": counted(**AT_ONCE),
    "inbound-mailbox-cap": counted(**AT_ONCE),
    "inbound-domain-cap": counted(**AT_ONCE),
    "inbound-daily-cap": counted(**AT_ONCE),
    "inbound-suppressed-targets": counted(**AT_ONCE),
    "unsubscribe-errors": counted(**TWO_OF_THREE),
    "unsubscribe-throttles": counted(**TWO_OF_THREE),
    "unsubscribe-duration": slow(8_000, **TWO_OF_THREE),
    "unsubscribe-failures": counted(**AT_ONCE),
    "unsubscribe-flood": counted(**AT_ONCE),
    "receipt-rule-failures": counted(**AT_ONCE),
    "receipt-rule-expired": counted(**AT_ONCE),
}
of_kind = lambda kind: sorted(name for name, case in CASES.items() if kind in case)  # noqa: E731


@pytest.fixture(scope="module")
def alarms(everything) -> dict[str, dict]:
    return alarms_of(everything)


def test_each_alarm_has_a_case_and_no_case_is_without_an_alarm(alarms):
    assert sorted(CASES) == sorted(alarms)


@pytest.mark.parametrize("name", of_kind("fault"))
def test_a_fault_is_an_alarm_and_a_blip_or_missing_data_is_none(alarms, name):
    alarm, case = alarms[name], CASES[name]
    length = int(alarm["EvaluationPeriods"])
    for metric in metrics_of(alarm):
        key = metric_key(metric)
        faulty = [case["healthy"]] * length + [case["fault"]] * case["faults"]
        assert state(alarm, {key: faulty}) == "ALARM", f"{name} on {key}"
        blip = [case["healthy"]] * length + [case["fault"]] * case["tolerated"] + [case["healthy"]]
        if case["tolerated"]:
            assert state(alarm, {key: blip}) == "OK", name
        assert state(alarm, {key: faulty + [case["healthy"]] * length}) == "OK", f"{name} ends"
        # A fault between periods without data.
        assert state(alarm, {key: [[], case["fault"], case["fault"]]}) == "ALARM", name
    assert state(alarm, {}) == "OK", f"{name}: nothing happens"


@pytest.mark.parametrize("name", of_kind("heartbeat"))
def test_a_schedule_that_no_longer_runs_is_an_alarm(alarms, name):
    alarm = alarms[name]
    (metric,) = metrics_of(alarm)
    key = metric_key(metric)
    assert state(alarm, {key: [[1], [1], [1]]}) == "OK"
    assert state(alarm, {key: [[1], [], []]}) == "OK", "two late runs"
    assert state(alarm, {key: [[1], [], [], []]}) == "ALARM"
    assert state(alarm, {}) == "ALARM", "no data at all"


def test_the_period_of_a_heartbeat_is_the_interval_of_its_schedule(everything, alarms):
    seconds = {"minutes": 60, "minute": 60, "hours": 3600, "hour": 3600}
    intervals = {}
    for resource in everything.values():
        for event in resource.get("Properties", {}).get("Events", {}).values():
            if event["Type"] == "Schedule":
                number, unit = re.match(r"rate\((\d+) (\w+)\)", event["Properties"]["Schedule"]).groups()
                intervals[resource["Properties"]["CodeUri"]] = int(number) * seconds[unit]
    periods = {name: period_of(alarms[name]) for name in of_kind("heartbeat")}
    assert periods == {
        "reputation-monitor-stopped": intervals["functions/reputation-monitor"],
        "settings-guard-stopped": intervals["functions/settings-guard"],
        "digests-stopped": intervals["functions/delegate-router"],
        "mirror-stopped": intervals["functions/suppression-mirror"],
        "suppression-changes-stopped": intervals["functions/suppression-changes"],
    }


@pytest.mark.parametrize("name", of_kind("queue_age"))
def test_a_queue_that_is_not_handled_is_an_alarm(alarms, name):
    alarm = alarms[name]
    age, inflight, deleted = (metric_key(metric) for metric in metrics_of(alarm))
    limit = 7200 if name.startswith("mirror") else 600

    def on(ages, inflights, deletions):
        series = {age: ages, inflight: inflights, deleted: deletions}
        return state(alarm, {key: [[one] for one in values] for key, values in series.items()})

    assert on([5, 5], [3, 3], [100, 100]) == "OK", "in work"
    assert on([limit + 1, limit + 300], [0, 0], [0, 0]) == "ALARM", "nothing reads the queue"
    assert on([limit + 1, limit + 300], [50, 50], [9, 9]) == "ALARM", "a burst that takes too long"
    # SQS leaves messages out of the age after they were received three times: the age falls while the function fails.
    assert on([300, 0], [10, 10], [0, 0]) == "ALARM", "many messages are retried, and none succeeds"
    assert on([300, 0], [80, 80], [0, 1]) == "OK", "some succeed"
    # One bad message is received every six minutes until it is a dead letter.
    assert on([300, 600, 720, 0], [1, 1, 1, 1], [0, 0, 0, 0]) == "OK", "one message fails"
    assert on([limit + 1, 0], [0, 0], [0, 0]) == "OK", "one period"
    assert state(alarm, {}) == "OK", "SQS publishes nothing for a queue that is not used"


def test_silence_is_mail_without_notifications(alarms):
    alarm = alarms["silence"]
    sent, received = (metric_key(metric) for metric in metrics_of(alarm))
    assert state(alarm, {sent: [[60, 40]]}) == "ALARM", "no data of the queue"
    assert state(alarm, {sent: [[100]], received: [[0]]}) == "ALARM"
    assert state(alarm, {sent: [[99]], received: [[0]]}) == "OK", "too few mails"
    assert state(alarm, {sent: [[1000]], received: [[1]]}) == "OK"
    assert state(alarm, {received: [[0]]}) == "OK", "no mail"
    assert state(alarm, {}) == "OK"


@pytest.mark.parametrize("name", of_kind("rate"))
def test_a_rate_of_the_account_is_an_alarm_until_it_falls(alarms, name):
    alarm, limit = alarms[name], CASES[name]["rate"]
    (metric,) = metrics_of(alarm)
    key = metric_key(metric)
    assert state(alarm, {key: [[limit]]}) == "ALARM"
    assert state(alarm, {key: [[limit * 0.99]]}) == "OK"
    # SES publishes the rates irregularly.
    assert state(alarm, {}) == "unchanged"


def kinds_of_proof(name: str, alarm: dict) -> set[str]:
    kinds = {"points"}
    if {metric["Namespace"] for metric in metrics_of(alarm)} & NAMESPACES:
        kinds.add("emission")
    if name in stack_proofs():
        kinds.add("stack")
    return kinds


def stack_proofs() -> dict[str, str]:
    """The test that causes the fault, by alarm."""
    tree = ast.parse(STACK_TESTS.read_text())
    found = {}
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
            strings = [node.value for node in ast.walk(function) if isinstance(node, ast.Constant)]
            found |= {text: function.name for text in strings if text in CASES}
    return found


def test_the_page_lists_the_kinds_of_proof_of_each_alarm(alarms):
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.splitlines()
        if line.startswith("| [")
    ]
    documented = {re.match(r"\[([\w-]+)\]", name).group(1): set(kinds.split(", ")) for name, _, kinds in rows}
    assert documented == {name: kinds_of_proof(name, alarm) for name, alarm in alarms.items()}
    metrics = {re.match(r"\[([\w-]+)\]", name).group(1): text for name, text, _ in rows}
    for name, alarm in alarms.items():
        expected = sorted({f"`{metric['Namespace']}` `{metric['MetricName']}`" for metric in metrics_of(alarm)})
        assert metrics[name] == ", ".join(expected)
    assert set(EVERYTHING) >= {"MirrorTo", "Router", "Inbound"}, "every part is in the table"
