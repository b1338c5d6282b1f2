"""Tenants and their resources.

https://docs.aws.amazon.com/ses/latest/dg/tenants.html
"""

from __future__ import annotations

import uuid

from .. import lookup
from ..local_ses import Call
from ..protocol.errors import ServiceError, invalid_parameter, not_found
from ..state.model import Reputation, Tenant
from . import tags
from .paging import page
from .registry import operation

RESOURCE_TYPES = {"identity": "EMAIL_IDENTITY", "configuration-set": "CONFIGURATION_SET", "template": "EMAIL_TEMPLATE"}


@operation("sesv2", "CreateTenant")
def create(call: Call, TenantName: str, Tags=(), SuppressionAttributes: dict | None = None) -> dict:
    if TenantName in call.account.tenants:
        raise ServiceError("AlreadyExistsException", f"Tenant {TenantName} already exists.")
    tenant_id = f"tn-{uuid.uuid4().hex[:30]}"
    arn = call.account.arn(f"tenant/{TenantName}/{tenant_id}")
    tenant = Tenant(TenantName, tenant_id, arn, call.now, suppression_attributes=SuppressionAttributes or {})
    call.account.tenants[TenantName] = tenant
    # A new tenant has the Standard policy, so SES itself may pause it.
    policy = f"arn:aws:ses:{call.account.region}:aws:reputation-policy/standard"
    call.account.reputations[arn] = Reputation(arn, policy, customer_updated=call.now, ses_updated=call.now)
    tags.put(call, arn, Tags)
    return _shown(call, tenant) | {"Tags": tags.of(call, arn)}


@operation("sesv2", "DeleteTenant")
def delete(call: Call, TenantName: str) -> None:
    tenant = lookup.find_tenant(call, TenantName)
    del call.account.tenants[TenantName]
    call.account.reputations.pop(tenant.arn, None)
    call.account.tags.pop(tenant.arn, None)


@operation("sesv2", "GetTenant")
def get(call: Call, TenantName: str) -> dict:
    tenant = lookup.find_tenant(call, TenantName)
    return {"Tenant": _shown(call, tenant) | {"Tags": tags.of(call, tenant.arn)}}


@operation("sesv2", "ListTenants", guess="Filter is read as exact values of SENDING_STATUS.")
def list_tenants(
    call: Call, Filter: dict | None = None, NextToken: str | None = None, PageSize: int | None = None
) -> dict:
    tenants = [_shown(call, tenant) for tenant in call.account.tenants.values()]
    if status := (Filter or {}).get("SENDING_STATUS"):
        tenants = [tenant for tenant in tenants if tenant["SendingStatus"] == status]
    items, token = page(call.service, tenants, NextToken, PageSize, 100)
    return {"Tenants": items, "NextToken": token}


@operation("sesv2", "CreateTenantResourceAssociation")
def associate(call: Call, TenantName: str, ResourceArn: str) -> None:
    tenant = lookup.find_tenant(call, TenantName)
    _require_resource(call, ResourceArn)
    if ResourceArn in tenant.resources:
        raise ServiceError(
            "AlreadyExistsException", f"Resource {ResourceArn} is already associated with tenant {TenantName}."
        )
    tenant.resources[ResourceArn] = call.now


@operation("sesv2", "DeleteTenantResourceAssociation")
def dissociate(call: Call, TenantName: str, ResourceArn: str) -> None:
    tenant = lookup.find_tenant(call, TenantName)
    if tenant.resources.pop(ResourceArn, None) is None:
        raise not_found(f"Resource {ResourceArn} is not associated with tenant {TenantName}.")


@operation("sesv2", "ListTenantResources")
def list_resources(
    call: Call, TenantName: str, Filter: dict | None = None, PageSize: int | None = None, NextToken: str | None = None
) -> dict:
    wanted = (Filter or {}).get("RESOURCE_TYPE")
    resources = [
        {"ResourceType": resource_type(arn), "ResourceArn": arn}
        for arn in lookup.find_tenant(call, TenantName).resources
    ]
    resources = [one for one in resources if wanted in (None, one["ResourceType"])]
    items, token = page(call.service, resources, NextToken, PageSize, 100)
    return {"TenantResources": items, "NextToken": token}


@operation("sesv2", "ListResourceTenants")
def list_tenants_of_resource(
    call: Call, ResourceArn: str, PageSize: int | None = None, NextToken: str | None = None
) -> dict:
    found = [
        {
            "TenantName": tenant.name,
            "TenantId": tenant.id,
            "ResourceArn": ResourceArn,
            "AssociatedTimestamp": tenant.resources[ResourceArn],
        }
        for tenant in call.account.tenants.values()
        if ResourceArn in tenant.resources
    ]
    items, token = page(call.service, found, NextToken, PageSize, 100)
    return {"ResourceTenants": items, "NextToken": token}


def resource_type(arn: str) -> str | None:
    return RESOURCE_TYPES.get(arn.split(":", 5)[-1].partition("/")[0])


def _require_resource(call: Call, arn: str) -> None:
    if not arn.startswith("arn:") or arn.count(":") < 5 or not resource_type(arn):
        raise invalid_parameter(call.service, f"Invalid resource ARN: {arn}.")
    name = arn.partition("/")[2]
    account = call.account
    known = {
        "EMAIL_IDENTITY": account.identities,
        "CONFIGURATION_SET": account.configuration_sets,
        "EMAIL_TEMPLATE": account.templates,
    }
    if not arn.startswith(account.arn("")) or name not in known[resource_type(arn)]:
        raise not_found(f"Resource {arn} does not exist.")


def _shown(call: Call, tenant: Tenant) -> dict:
    return {
        "TenantName": tenant.name,
        "TenantId": tenant.id,
        "TenantArn": tenant.arn,
        "CreatedTimestamp": tenant.created,
        "SendingStatus": call.account.reputations[tenant.arn].aggregate,
        "SuppressionAttributes": tenant.suppression_attributes or None,
    }
