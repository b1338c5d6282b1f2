#!/usr/bin/env python3
"""Changes the built templates for the local AWS emulator, before `sam deploy`.

This is the only place for what the emulator needs and AWS does not. Usage: patch_template.py BUILD_DIRECTORY
"""

from __future__ import annotations

import pathlib
import sys

import yaml
from samtranslator.yaml_helper import yaml_parse

LOOPBACK = "127.0.0.0/8"


def allow_loopback_without_tls(template: dict) -> int:
    """Requests reach the emulator without TLS, and only from this machine. No request reaches AWS from a loopback address."""
    changed = 0
    for statement in statements(template):
        condition = statement.get("Condition", {})
        if statement.get("Effect") == "Deny" and condition.get("Bool", {}).get("aws:SecureTransport") == "false":
            condition["NotIpAddress"] = {"aws:SourceIp": LOOPBACK}
            changed += 1
    return changed


def allow_message_batches(template: dict) -> int:
    """On AWS sqs:SendMessage allows SendMessageBatch. The emulator checks sqs:SendMessageBatch."""
    changed = 0
    for statement in statements(template):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        if statement["Effect"] == "Allow" and "sqs:SendMessage" in actions and "Principal" not in statement:
            statement["Action"] = [*actions, "sqs:SendMessageBatch"]
            changed += 1
    return changed


def allow_short_visibility(template: dict) -> int:
    """Tests wait for retries. AWS requires a visibility timeout of at least the function's timeout."""
    parameter = template.get("Parameters", {}).get("QueueVisibilityTimeoutSeconds")
    if parameter is None:
        return 0
    parameter["MinValue"] = 1
    return 1


def remove_metric_math_alarms(template: dict) -> int:
    """The emulator does not support alarms on the result of an expression."""
    resources = template["Resources"]
    alarms = [
        name
        for name, resource in resources.items()
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]
    ]
    for name in alarms:
        del resources[name]
    return len(alarms)


PATCHES = (allow_loopback_without_tls, allow_message_batches, allow_short_visibility, remove_metric_math_alarms)


def statements(node) -> list[dict]:
    """All policy statements at or below a node, also those inside Fn::If."""
    if isinstance(node, list):
        return [found for item in node for found in statements(item)]
    if not isinstance(node, dict):
        return []
    own = [node] if "Effect" in node and "Action" in node else []
    return own + [found for value in node.values() for found in statements(value)]


def main(build: pathlib.Path) -> None:
    templates = {path: yaml_parse(path.read_text()) for path in sorted(build.rglob("*.yaml"))}
    for patch in PATCHES:
        # A patch without effect is outdated.
        if sum(map(patch, templates.values())) == 0:
            sys.exit(f"patch_template.py: {patch.__name__} found nothing to change in {build}")
    for path, template in templates.items():
        path.write_text(yaml.safe_dump(template, sort_keys=False, width=120))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
