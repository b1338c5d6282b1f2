"""The runbook lists the metrics of each function with their dimensions, as metrics.json states them."""

import re

import pytest
from conftest import ROOT, contract

METRICS = (ROOT / "docs" / "operating.md").read_text().split("\n## Metrics\n")[1].split("\n## ")[0]
FUNCTIONS = [one for one in contract("metrics").values() if one["namespace"]]


def in_backticks(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_each_namespace_has_a_table():
    assert re.findall(r"^### (\S+)$", METRICS, flags=re.MULTILINE) == [one["namespace"] for one in FUNCTIONS]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda one: one["namespace"])
def test_the_table_of_a_namespace_has_exactly_its_metrics(function):
    section = METRICS.split(f"\n### {function['namespace']}\n")[1].split("\n### ")[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("| `")]
    documented = {name: in_backticks(row[2]) for row in rows for name in in_backticks(row[1])}
    assert documented == function["metrics"]
    for metric, value in re.findall(r"(\w+)\{\w+=([\w-]+)\}", " ".join(function["watched"])):
        (text,) = [row[3] for row in rows if metric in in_backticks(row[1])]
        assert value in in_backticks(text)
