"""Evaluates an alarm on synthetic points, as CloudWatch does.

A series is a list of periods, the newest last. A period is the list of the values that were published in it: none, if the metric
had no data. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html.
"""

from __future__ import annotations

import operator
import re

Series = list[list[float]]
Points = list[float | None]

STATISTICS = {
    "Average": lambda values: sum(values) / len(values),
    "Maximum": max,
    "Minimum": min,
    "Sum": sum,
}
COMPARISONS = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def metric_key(metric: dict) -> tuple:
    """The identity of a metric: namespace, name and dimensions."""
    dimensions = sorted((one["Name"], one["Value"]) for one in metric.get("Dimensions", []))
    return metric["Namespace"], metric["MetricName"], *dimensions


def metrics_of(alarm: dict) -> list[dict]:
    if "Metrics" not in alarm:
        return [alarm]
    return [one["MetricStat"]["Metric"] for one in alarm["Metrics"] if "MetricStat" in one]


def period_of(alarm: dict) -> int:
    """Seconds."""
    if "Metrics" not in alarm:
        return alarm["Period"]
    (period,) = {one["MetricStat"]["Period"] for one in alarm["Metrics"] if "MetricStat" in one}
    return period


def state(alarm: dict, series: dict[tuple, Series]) -> str:
    """ALARM, OK, or `unchanged` if missing data is ignored. A metric without a series has no data."""
    needed = int(alarm["EvaluationPeriods"])
    unknown = set(series) - {metric_key(metric) for metric in metrics_of(alarm)}
    assert not unknown, f"{alarm['AlarmName']} does not watch {unknown}"
    points = points_of(alarm, series, needed)
    compare = COMPARISONS[alarm["ComparisonOperator"]]
    breaching = [compare(point, float(alarm["Threshold"])) for point in points if point is not None]
    missing = needed - len(breaching)
    treat = alarm["TreatMissingData"]
    if not breaching:
        return {"breaching": "ALARM", "notBreaching": "OK", "ignore": "unchanged"}[treat]
    count = sum(breaching) + (missing if treat == "breaching" else 0)
    return "ALARM" if count >= int(alarm.get("DatapointsToAlarm", needed)) else "OK"


def points_of(alarm: dict, series: dict[tuple, Series], needed: int) -> Points:
    def aggregated(metric: dict, statistic: str) -> Points:
        periods = series.get(metric_key(metric), [])[-needed:]
        periods = [[]] * (needed - len(periods)) + periods
        return [STATISTICS[statistic](values) if values else None for values in periods]

    if "Metrics" not in alarm:
        return aggregated(alarm, alarm["Statistic"])
    by_id = {
        one["Id"]: aggregated(one["MetricStat"]["Metric"], one["MetricStat"]["Stat"])
        for one in alarm["Metrics"]
        if "MetricStat" in one
    }
    (result,) = [one for one in alarm["Metrics"] if one.get("ReturnData", True)]
    # CloudWatch has no time stamps to fill where no metric has data.
    present = [any(points[at] is not None for points in by_id.values()) for at in range(needed)]
    expression = Expression(result["Expression"], by_id)
    return [expression.at(index) if present[index] else None for index in range(needed)]


class Expression:
    """The part of metric math that the alarms use: IF, FILL, SUM(METRICS()), AND, OR, comparisons."""

    TOKEN = re.compile(r"\s*(>=|<=|==|[><(),]|[A-Za-z_]\w*|\d+(?:\.\d+)?)")

    def __init__(self, text: str, points: dict[str, Points]):
        self.tokens = self.TOKEN.findall(text)
        assert "".join(self.tokens) == re.sub(r"\s", "", text), f"cannot read {text}"
        self.points = points

    def at(self, index: int) -> float | None:
        self.index, self.position = index, 0
        value = self.disjunction()
        assert self.position == len(self.tokens), self.tokens[self.position :]
        return value

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self, *expected: str) -> str:
        token = self.peek()
        assert not expected or token in expected, f"expected {expected}, found {token!r}"
        self.position += 1
        return token

    def disjunction(self):
        value = self.conjunction()
        while self.peek() == "OR":
            self.take()
            other = self.conjunction()
            value = float(bool(value) or bool(other))
        return value

    def conjunction(self):
        value = self.comparison()
        while self.peek() == "AND":
            self.take()
            other = self.comparison()
            value = float(bool(value) and bool(other))
        return value

    def comparison(self):
        left = self.operand()
        compare = {">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le, "==": operator.eq}
        if self.peek() not in compare:
            return left
        chosen = compare[self.take()]
        right = self.operand()
        return None if left is None or right is None else float(chosen(left, right))

    def operand(self):
        token = self.take()
        if token == "(":
            value = self.disjunction()
            self.take(")")
            return value
        if re.match(r"\d", token):
            return float(token)
        if self.peek() != "(":
            return self.points[token][self.index]
        self.take("(")
        if token == "SUM":
            for expected in ("METRICS", "(", ")", ")"):
                self.take(expected)
            values = [points[self.index] for points in self.points.values() if points[self.index] is not None]
            return sum(values) if values else None
        arguments = [self.disjunction()]
        while self.peek() == ",":
            self.take()
            arguments.append(self.disjunction())
        self.take(")")
        match token, arguments:
            case "IF", [condition, yes, no]:
                return None if condition is None else yes if condition else no
            case "FILL", [value, default]:
                return default if value is None else value
        raise AssertionError(f"unknown function {token}")
