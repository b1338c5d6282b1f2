"""Receipt rules. What their actions name is tried when a rule is created, as SES does.

https://docs.aws.amazon.com/ses/latest/dg/receiving-email-receipt-rules-console-walkthrough.html
"""

from __future__ import annotations

from ..inbound import permissions
from ..local_ses import Call
from ..protocol.errors import NotModelled, ServiceError, invalid_parameter
from .receipt_rule_sets import check_name, find_rule_set
from .registry import operation

MAX_RULES, MAX_ACTIONS, MAX_RECIPIENTS = 200, 10, 100
KINDS = ("S3Action", "SNSAction", "LambdaAction", "BounceAction", "StopAction", "AddHeaderAction")
GUESS = "WorkMail and Connect actions are not modelled. The recipients' domains are not compared with the identities."


def _check(call: Call, rule_set: str, rule: dict) -> None:
    check_name(call, rule["Name"])
    actions = rule.get("Actions", [])
    if len(actions) > MAX_ACTIONS or len(rule.get("Recipients", [])) > MAX_RECIPIENTS:
        raise ServiceError(
            "LimitExceededException", f"A rule has at most {MAX_ACTIONS} actions and {MAX_RECIPIENTS} recipients."
        )
    for action in actions:
        if len(action) != 1:
            raise invalid_parameter(call.service, "An action must have exactly one type.")
        ((kind, options),) = action.items()
        if kind not in KINDS:
            raise NotModelled(kind)
        arn = call.account.arn(f"receipt-rule-set/{rule_set}:receipt-rule/{rule['Name']}")
        with call.unlocked():
            permissions.check(call.ses, call.account, arn, kind, options)


def _position(rules: list[dict], after: str | None) -> int:
    if after is None:
        return 0
    place = next((number for number, rule in enumerate(rules) if rule["Name"] == after), None)
    if place is None:
        raise ServiceError("RuleDoesNotExistException", f"Rule does not exist: {after}", Name=after)
    return place + 1


def _find(call: Call, rule_set: str, name: str) -> tuple[list[dict], dict]:
    rules = find_rule_set(call, rule_set)["rules"]
    found = next((rule for rule in rules if rule["Name"] == name), None)
    if not found:
        raise ServiceError("RuleDoesNotExistException", f"Rule does not exist: {name}", Name=name)
    return rules, found


def _with_defaults(rule: dict) -> dict:
    return {"Enabled": False, "TlsPolicy": "Optional", "ScanEnabled": False, "Recipients": [], "Actions": []} | rule


@operation("ses", "CreateReceiptRule", guess=GUESS)
def create(call: Call, RuleSetName: str, Rule: dict, After: str | None = None) -> None:
    rules = find_rule_set(call, RuleSetName)["rules"]
    if any(rule["Name"] == Rule["Name"] for rule in rules):
        raise ServiceError("AlreadyExistsException", f"Rule already exists: {Rule['Name']}", Name=Rule["Name"])
    if len(rules) >= MAX_RULES:
        raise ServiceError("LimitExceededException", f"You have reached the maximum of {MAX_RULES} rules.")
    place = _position(rules, After)
    _check(call, RuleSetName, Rule)
    rules.insert(place, _with_defaults(Rule))


@operation("ses", "UpdateReceiptRule", guess=GUESS)
def update(call: Call, RuleSetName: str, Rule: dict) -> None:
    rules, found = _find(call, RuleSetName, Rule["Name"])
    _check(call, RuleSetName, Rule)
    rules[rules.index(found)] = _with_defaults(Rule)


@operation("ses", "DeleteReceiptRule")
def delete(call: Call, RuleSetName: str, RuleName: str) -> None:
    found = find_rule_set(call, RuleSetName)
    found["rules"] = [rule for rule in found["rules"] if rule["Name"] != RuleName]


@operation("ses", "DescribeReceiptRule")
def describe(call: Call, RuleSetName: str, RuleName: str) -> dict:
    return {"Rule": _find(call, RuleSetName, RuleName)[1]}


@operation("ses", "ReorderReceiptRuleSet")
def reorder(call: Call, RuleSetName: str, RuleNames: list[str]) -> None:
    found = find_rule_set(call, RuleSetName)
    by_name = {rule["Name"]: rule for rule in found["rules"]}
    for name in RuleNames:
        if name not in by_name:
            raise ServiceError("RuleDoesNotExistException", f"Rule does not exist: {name}", Name=name)
    if sorted(RuleNames) != sorted(by_name):
        raise invalid_parameter(call.service, "RuleNames must name every rule of the rule set exactly once.")
    found["rules"] = [by_name[name] for name in RuleNames]


@operation("ses", "SetReceiptRulePosition")
def set_position(call: Call, RuleSetName: str, RuleName: str, After: str | None = None) -> None:
    rules, found = _find(call, RuleSetName, RuleName)
    others = [rule for rule in rules if rule is not found]
    others.insert(_position(others, After), found)
    rules[:] = others
