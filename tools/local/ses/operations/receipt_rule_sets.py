"""Receipt rule sets and IP address filters.

https://docs.aws.amazon.com/ses/latest/dg/receiving-email-concepts.html
"""

from __future__ import annotations

import copy
import ipaddress
import re

from ..local_ses import Call
from ..protocol.errors import ServiceError, invalid_parameter
from .paging import page
from .registry import operation

MAX_RULE_SETS = 40
MAX_FILTERS = 100
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?")


def find_rule_set(call: Call, name: str) -> dict:
    """{"created": seconds, "rules": [Rule]}"""
    found = call.account.receipt_rule_sets.get(name)
    if not found:
        raise ServiceError("RuleSetDoesNotExistException", f"Rule set does not exist: {name}", Name=name)
    return found


def check_name(call: Call, name: str) -> None:
    if not NAME.fullmatch(name):
        raise invalid_parameter(call.service, f"Invalid name: {name}.")


def _add(call: Call, name: str, rules: list[dict]) -> None:
    check_name(call, name)
    if name in call.account.receipt_rule_sets:
        raise ServiceError("AlreadyExistsException", f"Rule set already exists: {name}", Name=name)
    if len(call.account.receipt_rule_sets) >= MAX_RULE_SETS:
        raise ServiceError("LimitExceededException", f"You have reached the maximum of {MAX_RULE_SETS} rule sets.")
    call.account.receipt_rule_sets[name] = {"created": call.now, "rules": rules}


@operation("ses", "CreateReceiptRuleSet")
def create(call: Call, RuleSetName: str) -> None:
    _add(call, RuleSetName, [])


@operation("ses", "CloneReceiptRuleSet")
def clone(call: Call, RuleSetName: str, OriginalRuleSetName: str) -> None:
    _add(call, RuleSetName, copy.deepcopy(find_rule_set(call, OriginalRuleSetName)["rules"]))


@operation("ses", "DeleteReceiptRuleSet")
def delete(call: Call, RuleSetName: str) -> None:
    if call.account.active_rule_set == RuleSetName:
        raise ServiceError("CannotDeleteException", f"Cannot delete active rule set: {RuleSetName}", Name=RuleSetName)
    call.account.receipt_rule_sets.pop(RuleSetName, None)


@operation("ses", "SetActiveReceiptRuleSet")
def set_active(call: Call, RuleSetName: str | None = None) -> None:
    if RuleSetName:
        find_rule_set(call, RuleSetName)
    # Without a name receiving is turned off.
    call.account.active_rule_set = RuleSetName or None


@operation("ses", "DescribeReceiptRuleSet")
def describe(call: Call, RuleSetName: str) -> dict:
    found = find_rule_set(call, RuleSetName)
    return {"Metadata": {"Name": RuleSetName, "CreatedTimestamp": found["created"]}, "Rules": found["rules"]}


@operation("ses", "DescribeActiveReceiptRuleSet")
def describe_active(call: Call) -> dict:
    return describe(call, call.account.active_rule_set) if call.account.active_rule_set else {}


@operation("ses", "ListReceiptRuleSets")
def list_rule_sets(call: Call, NextToken: str | None = None) -> dict:
    sets = [{"Name": name, "CreatedTimestamp": one["created"]} for name, one in call.account.receipt_rule_sets.items()]
    items, token = page(call.service, sets, NextToken, None, 100)
    return {"RuleSets": items, "NextToken": token}


@operation("ses", "CreateReceiptFilter")
def create_filter(call: Call, Filter: dict) -> None:
    name = Filter["Name"]
    check_name(call, name)
    try:
        ipaddress.ip_network(Filter["IpFilter"]["Cidr"], strict=False)
    except ValueError:
        raise invalid_parameter(call.service, f"Invalid CIDR: {Filter['IpFilter']['Cidr']}.") from None
    if name in call.account.receipt_filters:
        raise ServiceError("AlreadyExistsException", f"Filter already exists: {name}", Name=name)
    if len(call.account.receipt_filters) >= MAX_FILTERS:
        raise ServiceError("LimitExceededException", f"You have reached the maximum of {MAX_FILTERS} filters.")
    call.account.receipt_filters[name] = Filter


@operation("ses", "DeleteReceiptFilter")
def delete_filter(call: Call, FilterName: str) -> None:
    call.account.receipt_filters.pop(FilterName, None)


@operation("ses", "ListReceiptFilters")
def list_filters(call: Call) -> dict:
    return {"Filters": list(call.account.receipt_filters.values())}
