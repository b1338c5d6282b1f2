"""tools/local/patch_template.py changes what the emulator needs, and nothing else."""

import copy
import sys

import pytest
from conftest import ROOT, TEMPLATES, parse

sys.path.insert(0, str(ROOT / "tools" / "local"))

import patch_template  # noqa: E402


@pytest.fixture
def templates() -> list[dict]:
    return [copy.deepcopy(parse(path)) for path in TEMPLATES]


@pytest.mark.parametrize("patch", patch_template.PATCHES, ids=lambda patch: patch.__name__)
def test_each_patch_changes_something(templates, patch):
    assert sum(map(patch, templates)) > 0


def test_requests_without_tls_are_allowed_from_a_loopback_address_only(templates):
    before = [copy.deepcopy(patch_template.statements(template)) for template in templates]
    for template, old in zip(templates, before, strict=True):
        patch_template.allow_loopback_without_tls(template)
        for statement, original in zip(patch_template.statements(template), old, strict=True):
            exception = statement.get("Condition", {}).pop("NotIpAddress", None)
            assert statement == original
            expected = {"aws:SourceIp": "127.0.0.0/8"} if original.get("Effect") == "Deny" else None
            assert exception == expected


def test_all_alarms_but_those_on_expressions_are_deployed(templates):
    before = [name for template in templates for name in template["Resources"]]
    for template in templates:
        patch_template.remove_metric_math_alarms(template)
    after = [name for template in templates for name in template["Resources"]]
    table = {"TableSystemErrorsAlarm", "TableReadThrottlesAlarm", "TableWriteThrottlesAlarm"}
    queues = {f"{name}QueueAgeAlarm" for name in ("Feedback", "Mirror", "Router", "Delivery", "Inbound")}
    assert set(before) - set(after) == {"SilenceAlarm"} | table | queues


def test_patches_without_effect_are_reported(tmp_path):
    (tmp_path / "template.yaml").write_text("Resources: {}\n")
    with pytest.raises(SystemExit, match="found nothing to change"):
        patch_template.main(tmp_path)
