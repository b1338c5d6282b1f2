"""Evaluates resource policies: those of identities, topics, buckets, queues and functions.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import re


@dataclasses.dataclass
class Request:
    """Who wants to do what. `principal` is an ARN, or the name of a service. Values of `context` are strings or lists of them."""

    principal: str
    action: str
    resource: str
    context: dict[str, str | list[str]] = dataclasses.field(default_factory=dict)

    def value(self, key: str) -> list[str] | None:
        """The values of a condition key, whose name is case-insensitive; None when the request has none."""
        for name, value in self.context.items():
            if name.lower() == key.lower():
                return [value] if isinstance(value, str) else list(value)
        return None


def decide(policy: str | dict | None, request: Request) -> str:
    """`Allow`, `Deny` (a Deny statement matches) or `Default` (no statement matches)."""
    document = json.loads(policy) if isinstance(policy, str) and policy else policy or {}
    effects = {one.get("Effect") for one in as_list(document.get("Statement", [])) if _matches(one, request)}
    return next((effect for effect in ("Deny", "Allow") if effect in effects), "Default")


def as_list(value) -> list:
    return value if isinstance(value, list) else [value]


def like(pattern: str, value: str, ignore_case: bool = False) -> bool:
    """`*` matches any text, `?` one character."""
    text = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    return re.fullmatch(text, value, re.DOTALL | (re.IGNORECASE if ignore_case else 0)) is not None


def _matches(statement: dict, request: Request) -> bool:
    return (
        _principal_matches(statement, request.principal)
        and _any_matches(statement, "Action", request.action, ignore_case=True)
        and _any_matches(statement, "Resource", request.resource)
        and all(
            _condition_holds(operator, key, as_list(expected), request)
            for operator, keys in statement.get("Condition", {}).items()
            for key, expected in keys.items()
        )
    )


def _any_matches(statement: dict, element: str, value: str, ignore_case: bool = False) -> bool:
    if f"Not{element}" in statement:
        return not any(like(one, value, ignore_case) for one in as_list(statement[f"Not{element}"]))
    return any(like(one, value, ignore_case) for one in as_list(statement.get(element, [])))


def _principal_matches(statement: dict, principal: str) -> bool:
    if "NotPrincipal" in statement:
        return not _names(statement["NotPrincipal"], principal)
    return _names(statement.get("Principal", {}), principal)


def _names(element, principal: str) -> bool:
    if element == "*":
        return True
    is_arn = principal.startswith("arn:")
    named = as_list(element.get("AWS" if is_arn else "Service", [])) if isinstance(element, dict) else []
    # A star among the AWS principals names everyone, services included.
    if isinstance(element, dict) and "*" in as_list(element.get("AWS", [])):
        return True
    if not is_arn:
        return principal in named
    account = principal.split(":")[4]
    return any(one in (account, f"arn:aws:iam::{account}:root", principal, _role_of(principal)) for one in named)


def _role_of(principal: str) -> str:
    """The role behind a session: policies name either."""
    found = re.fullmatch(r"arn:aws:sts::(\d+):assumed-role/([^/]+)/.+", principal)
    return f"arn:aws:iam::{found[1]}:role/{found[2]}" if found else principal


def _condition_holds(operator: str, key: str, expected: list, request: Request) -> bool:
    quantifier, _, name = operator.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    actual = request.value(key)
    if name == "Null":
        return (actual is None) == (str(expected[0]).lower() == "true")
    negated = "Not" in name
    if actual is None:
        return if_exists or negated or quantifier == "ForAllValues"
    test = _operator(name)
    matched = [any(test(str(want), have) for want in expected) for have in actual]
    if quantifier == "ForAllValues":
        return not any(matched) if negated else all(matched)
    return (
        not all(matched) if negated and quantifier == "ForAnyValue" else not any(matched) if negated else any(matched)
    )


def _operator(name: str):
    match name.replace("Not", ""):
        case "StringEquals":
            return lambda want, have: want == have
        case "StringEqualsIgnoreCase":
            return lambda want, have: want.lower() == have.lower()
        case "StringLike" | "ArnLike" | "ArnEquals":
            return like
        case "IpAddress":
            return lambda want, have: ipaddress.ip_address(have) in ipaddress.ip_network(want, strict=False)
        case "Bool":
            return lambda want, have: want.lower() == have.lower()
    # An operator the evaluator does not know matches nothing, so that a test notices.
    return lambda want, have: False
