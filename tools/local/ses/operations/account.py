"""The account: status, quota and settings."""

from __future__ import annotations

from ..local_ses import Call
from ..sending import quota
from .registry import operation


@operation("sesv2", "GetAccount", guess="Dedicated IPs and pricing are not modelled.")
def get_account(call: Call) -> dict:
    account = call.account
    attributes = {
        "SuppressedReasons": account.suppressed_reasons,
        "ValidationAttributes": account.validation_attributes,
    }
    return {
        "DedicatedIpAutoWarmupEnabled": account.dedicated_ip_warmup,
        "EnforcementStatus": account.enforcement_status,
        "ProductionAccessEnabled": account.production_access,
        "SendQuota": _quota(call),
        "SendingEnabled": account.sending_enabled,
        "SuppressionAttributes": attributes,
        "Details": account.details or None,
        "VdmAttributes": account.vdm,
    }


@operation("sesv2", "PutAccountSendingAttributes")
def put_sending(call: Call, SendingEnabled: bool = False) -> None:
    call.account.sending_enabled = SendingEnabled


@operation("sesv2", "PutAccountDetails", guess="A request for production access is granted at once.")
def put_details(call: Call, ProductionAccessEnabled: bool | None = None, **details) -> None:
    review = {"ReviewDetails": {"Status": "GRANTED", "CaseId": "1"}} if ProductionAccessEnabled else {}
    call.account.details = details | review
    if ProductionAccessEnabled is not None:
        call.account.production_access = ProductionAccessEnabled


@operation("sesv2", "PutAccountVdmAttributes", guess="Stored and shown; no effect.")
def put_vdm(call: Call, VdmAttributes: dict) -> None:
    call.account.vdm = VdmAttributes


@operation("sesv2", "PutAccountDedicatedIpWarmupAttributes", guess="Stored and shown; no effect.")
def put_warmup(call: Call, AutoWarmupEnabled: bool = False) -> None:
    call.account.dedicated_ip_warmup = AutoWarmupEnabled


@operation("ses", "GetAccountSendingEnabled")
def get_sending_enabled(call: Call) -> dict:
    return {"Enabled": call.account.sending_enabled}


@operation("ses", "UpdateAccountSendingEnabled")
def update_sending_enabled(call: Call, Enabled: bool = False) -> None:
    call.account.sending_enabled = Enabled


@operation("ses", "GetSendQuota")
def get_send_quota(call: Call) -> dict:
    return _quota(call)


def _quota(call: Call) -> dict:
    account = call.account
    day, second = quota.limits(account)
    return {
        "Max24HourSend": float(day),
        "MaxSendRate": float(second),
        "SentLast24Hours": float(quota.sent_last_24_hours(account, call.now)),
    }
