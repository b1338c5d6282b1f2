"""Applies the outcomes of a message: suppression lists first, then the outcomes of each recipient."""

from __future__ import annotations

import typing

from ..events import payloads
from ..events.reporting import report
from ..mail.message import bare_address
from ..state.model import Account, SentMessage, SuppressedDestination
from . import simulator
from .checks import is_simulator
from .counters import counters

if typing.TYPE_CHECKING:
    from ..local_ses import LocalSes

# Outcomes of the whole message, not of a recipient.
OF_THE_MESSAGE = ("reject", "rendering-failure")


def apply_all(ses: LocalSes, sent: SentMessage) -> bool:
    """Whether the message is sent. The caller holds the lock."""
    recipients = [bare_address(one) for one in sent.destinations]
    planned = {one: simulator.outcomes_of(ses.world.outcomes, one) for one in recipients}
    for outcomes in planned.values():
        for outcome in outcomes:
            if outcome["outcome"] == "rendering-failure":
                rendering_failure(
                    ses,
                    sent,
                    outcome.get("errorMessage", "Attribute 'name' is not present in the rendering data."),
                    outcome,
                )
                return False
            if outcome["outcome"] == "reject":
                _apply_when_due(ses, sent, {"outcome": "send"}, sent.destinations)
                _apply_when_due(ses, sent, outcome, sent.destinations)
                return False
    _apply_when_due(ses, sent, {"outcome": "send"}, sent.destinations)
    account = account_of(ses, sent)
    for recipient in recipients:
        suppressed = _suppressed(account, sent, recipient)
        for outcome in [suppressed] if suppressed else planned[recipient]:
            # A complaint names everyone who was mailed at that domain: SES does not know who complained.
            named = _same_domain(recipient, recipients) if outcome["outcome"] == "complaint" else [recipient]
            _apply_when_due(ses, sent, outcome, named)
    return True


def account_of(ses: LocalSes, sent: SentMessage) -> Account:
    return ses.world.account(sent.account, sent.identity_arn.split(":")[3])


def rendering_failure(ses: LocalSes, sent: SentMessage, error: str, outcome: dict | None = None) -> None:
    template = (outcome or {}).get("templateName", sent.template)
    report(ses, sent, "Rendering Failure", payloads.rendering_failure(template, error), sent.destinations)


def _apply_when_due(ses: LocalSes, sent: SentMessage, outcome: dict, recipients: list[str]) -> None:
    """Now, or after `after` seconds on the clock of the local SES."""
    if outcome.get("after"):
        ses.publications.add(
            outcome["outcome"], "later", recipients, lambda: apply(ses, sent, outcome, recipients), outcome["after"]
        )
    else:
        apply(ses, sent, outcome, recipients)


def apply(ses: LocalSes, sent: SentMessage, outcome: dict, recipients: list[str]) -> None:
    """Report an outcome, count it, and put recipients on the suppression list as SES does."""
    with ses.lock:
        now, account = ses.clock.now(), account_of(ses, sent)
        region, count = account.region, counters(account, now)
        real = [one for one in recipients if not is_simulator(one)]
        match outcome["outcome"]:
            case "send":
                count.attempts += len(recipients)
                report(ses, sent, "Send", {}, recipients)
            case "delivery":
                report(
                    ses, sent, "Delivery", payloads.delivery(outcome, recipients, sent.sent, now, region), recipients
                )
            case "bounce":
                details = payloads.bounce(outcome, recipients, now, region)
                if details["bounceType"] == "Permanent" and "Suppress" not in details["bounceSubType"]:
                    count.bounces += len(real)
                    _suppress(account, sent, real, "BOUNCE", details["feedbackId"], now)
                report(ses, sent, "Bounce", details, recipients)
            case "complaint":
                details = payloads.complaint(outcome, recipients, now)
                count.complaints += len(real)
                _suppress(account, sent, real, "COMPLAINT", details["feedbackId"], now)
                report(ses, sent, "Complaint", details, recipients)
            case "delay":
                report(
                    ses, sent, "DeliveryDelay", payloads.delivery_delay(outcome, recipients, sent.sent, now), recipients
                )
            case "reject":
                count.rejects += len(recipients)
                report(ses, sent, "Reject", payloads.reject(outcome), recipients)
            case "open":
                report(ses, sent, "Open", payloads.opened(outcome, now), recipients)
            case "click":
                report(ses, sent, "Click", payloads.clicked(outcome, now), recipients)
            case "subscription":
                report(ses, sent, "Subscription", payloads.subscription(outcome, now), recipients)
            case "rendering-failure":
                rendering_failure(ses, sent, outcome.get("errorMessage", ""), outcome)
            case unknown:
                raise ValueError(f"unknown outcome {unknown!r}")


def _same_domain(recipient: str, recipients: list[str]) -> list[str]:
    domain = recipient.rpartition("@")[2].lower()
    return [one for one in recipients if one.rpartition("@")[2].lower() == domain]


def _reasons_and_list(account: Account, sent: SentMessage) -> tuple[list[str], dict[str, SuppressedDestination], bool]:
    """Which reasons count, on which list, and whether it is the tenant's: the configuration set overrides tenant and account."""
    configuration_set = account.configuration_sets.get(sent.configuration_set or "")
    options = configuration_set.options.get("SuppressionOptions", {}) if configuration_set else {}
    tenant = account.tenants.get(sent.tenant or "")
    attributes = tenant.suppression_attributes if tenant else {}
    scope = options.get("SuppressionScope") or attributes.get("SuppressionScope") or "ACCOUNT"
    is_tenant = bool(tenant) and scope == "TENANT"
    own = options.get("SuppressedReasons", attributes.get("SuppressedReasons"))
    reasons = account.suppressed_reasons if own is None else own
    return reasons, tenant.suppression if is_tenant else account.suppression, is_tenant


def _suppressed(account: Account, sent: SentMessage, recipient: str) -> dict | None:
    reasons, entries, is_tenant = _reasons_and_list(account, sent)
    entry = entries.get(recipient.lower())
    if not entry or entry.reason not in reasons:
        return None
    return simulator.ON_TENANT_LIST if is_tenant else simulator.ON_ACCOUNT_LIST


def _suppress(
    account: Account, sent: SentMessage, recipients: list[str], reason: str, feedback_id: str, now: float
) -> None:
    reasons, entries, _ = _reasons_and_list(account, sent)
    if reason in reasons:
        for recipient in recipients:
            entries[recipient.lower()] = SuppressedDestination(recipient, reason, now, sent.id, feedback_id)
