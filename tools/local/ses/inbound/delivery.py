"""Takes a mail in: IP address filters, then the active receipt rule set."""

from __future__ import annotations

import ipaddress
import typing

import botocore.exceptions

from ..aws.topics import TopicError
from ..events.times import received_message_id
from ..state.model import Account
from .actions import Execution
from .arrival import Arrival
from .permissions import ActionError

if typing.TYPE_CHECKING:
    from ..local_ses import LocalSes

FAILURES = (ActionError, TopicError, botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError)


def receive(ses: LocalSes, account: Account, raw: bytes, recipients: list[str], sender: str, **details) -> dict:
    """Whether the mail was accepted, its id, and each action with its disposition or error.

    It returns after the last action. A failed action is reported, and the next one follows.
    """
    with ses.lock:
        rules = list(account.receipt_rule_sets[account.active_rule_set]["rules"]) if account.active_rule_set else []
        blocked = _blocked(account, details.get("source_ip", "192.0.2.1"))
    matching = [rule for rule in rules if rule["Enabled"] and _matched(rule, recipients)]
    if blocked or not matching:
        return {
            "accepted": False,
            "reason": "blocked by an IP address filter" if blocked else "no rule matches",
            "actions": [],
        }
    arrival = Arrival(
        received_message_id(), ses.clock.now(), sender, recipients, raw, details.pop("verdicts", {}), **details
    )
    with ses.lock:
        account.received[arrival.id] = {"at": arrival.at, "sender": sender}
    report: list[dict] = []
    for rule in matching:
        if _run(ses, account, rule, arrival, report) == "STOP_RULE_SET":
            break
    return {"accepted": True, "messageId": arrival.id, "actions": report}


def _run(ses: LocalSes, account: Account, rule: dict, arrival: Arrival, report: list[dict]) -> str:
    arn = account.arn(f"receipt-rule-set/{account.active_rule_set}:receipt-rule/{rule['Name']}")
    execution = Execution(ses, account, arn, arrival, _matched(rule, arrival.recipients))
    for action in rule["Actions"]:
        entry = {"rule": rule["Name"], "type": next(iter(action)).removesuffix("Action")}
        report.append(entry)
        try:
            entry["disposition"], entry["action"] = execution.run(action)
        except FAILURES as error:
            entry["error"] = f"{type(error).__name__}: {error}"
            continue
        if entry["disposition"] != "CONTINUE":
            return entry["disposition"]
    return "CONTINUE"


def _matched(rule: dict, recipients: list[str]) -> list[str]:
    """The recipients a rule is for. A rule without recipients is for all.

    `a@b.example` matches that address, also with a label after a plus; `b.example` the domain; `.b.example` its subdomains.
    """
    wanted = [one.lower() for one in rule.get("Recipients", [])]
    if not wanted:
        return list(recipients)
    return [one for one in recipients if any(_matches(pattern, one.lower()) for pattern in wanted)]


def _matches(pattern: str, address: str) -> bool:
    local, _, domain = address.rpartition("@")
    if "@" in pattern:
        return pattern in (address, f"{local.partition('+')[0]}@{domain}")
    return domain.endswith(pattern) if pattern.startswith(".") else domain == pattern


def _blocked(account: Account, source_ip: str) -> bool:
    """The most specific filter decides; without one mail is accepted."""
    address = ipaddress.ip_address(source_ip)
    found = []
    for one in account.receipt_filters.values():
        network = ipaddress.ip_network(one["IpFilter"]["Cidr"], strict=False)
        if address.version == network.version and address in network:
            found.append((network.prefixlen, one["IpFilter"]["Policy"]))
    return bool(found) and max(found)[1] == "Block"
