"""Suppression lists of the account and of tenants.

https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html
"""

from __future__ import annotations

from .. import lookup
from ..local_ses import Call
from ..protocol.errors import invalid_parameter, not_found
from ..state.model import SuppressedDestination
from . import configuration_sets
from .paging import page
from .registry import operation


def suppression_list(call: Call, tenant: str | None) -> dict[str, SuppressedDestination]:
    return lookup.find_tenant(call, tenant).suppression if tenant else call.account.suppression


def key(address: str) -> str:
    """Addresses are compared without regard to case."""
    return address.lower()


@operation("sesv2", "PutSuppressedDestination", guess="Addresses are compared without regard to case.")
def put(call: Call, EmailAddress: str, Reason: str, TenantName: str | None = None) -> None:
    lookup.require_address(call, EmailAddress)
    suppression_list(call, TenantName)[key(EmailAddress)] = SuppressedDestination(EmailAddress, Reason, call.now)


@operation("sesv2", "DeleteSuppressedDestination")
def delete(call: Call, EmailAddress: str, TenantName: str | None = None) -> None:
    if not suppression_list(call, TenantName).pop(key(EmailAddress), None):
        raise _missing(EmailAddress)


@operation("sesv2", "GetSuppressedDestination")
def get(call: Call, EmailAddress: str, TenantName: str | None = None) -> dict:
    found = suppression_list(call, TenantName).get(key(EmailAddress))
    if not found:
        raise _missing(EmailAddress)
    attributes = {"MessageId": found.message_id, "FeedbackId": found.feedback_id} if found.message_id else None
    return {"SuppressedDestination": _summary(found) | {"Attributes": attributes, "TenantName": TenantName}}


@operation("sesv2", "ListSuppressedDestinations")
def list_suppressed(
    call: Call,
    TenantName: str | None = None,
    Reasons: list[str] | None = None,
    StartDate: float | None = None,
    EndDate: float | None = None,
    NextToken: str | None = None,
    PageSize: int | None = None,
) -> dict:
    if StartDate and EndDate and StartDate > EndDate:
        raise invalid_parameter(call.service, "StartDate must be before EndDate.")
    found = [
        _summary(entry)
        for entry in suppression_list(call, TenantName).values()
        if (not Reasons or entry.reason in Reasons) and (StartDate or 0) <= entry.updated <= (EndDate or entry.updated)
    ]
    items, token = page(call.service, found, NextToken, PageSize, 1000)
    return {"SuppressedDestinationSummaries": items, "NextToken": token}


@operation("sesv2", "PutAccountSuppressionAttributes", guess="Validation attributes are stored and shown; no effect.")
def put_account_attributes(
    call: Call, SuppressedReasons: list[str] = (), ValidationAttributes: dict | None = None
) -> None:
    call.account.suppressed_reasons = configuration_sets.check_reasons(call, list(SuppressedReasons))
    if ValidationAttributes:
        call.account.validation_attributes = ValidationAttributes


@operation("sesv2", "PutTenantSuppressionAttributes")
def put_tenant_attributes(call: Call, TenantName: str, **attributes) -> None:
    configuration_sets.check_reasons(call, attributes.get("SuppressedReasons", []))
    tenant = lookup.find_tenant(call, TenantName)
    tenant.suppression_attributes = tenant.suppression_attributes | attributes


def _summary(entry: SuppressedDestination) -> dict:
    return {"EmailAddress": entry.address, "Reason": entry.reason, "LastUpdateTime": entry.updated}


def _missing(address: str):
    return not_found(f"Email address {address} does not exist on your suppression list.")
