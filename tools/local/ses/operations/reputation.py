"""Reputation entities: the sending status of tenants.

https://docs.aws.amazon.com/ses/latest/dg/tenants.html
"""

from __future__ import annotations

import datetime

from ..events import event_bus
from ..local_ses import Call, LocalSes
from ..protocol.errors import invalid_parameter, not_found
from ..state.model import Account, Reputation
from .paging import page
from .registry import operation

POLICIES = ("standard", "strict", "none")


@operation("sesv2", "GetReputationEntity", guess="Only tenants are entities; the account itself is not.")
def get(call: Call, ReputationEntityReference: str, ReputationEntityType: str) -> dict:
    return {"ReputationEntity": _shown(_find(call, ReputationEntityReference))}


@operation(
    "sesv2",
    "ListReputationEntities",
    guess="Filter is read as exact values of its three keys, and a prefix of the reference.",
)
def list_entities(
    call: Call, Filter: dict | None = None, NextToken: str | None = None, PageSize: int | None = None
) -> dict:
    wanted = Filter or {}
    found = [
        _shown(one)
        for one in call.account.reputations.values()
        if wanted.get("SENDING_STATUS") in (None, one.aggregate)
        and wanted.get("REPUTATION_IMPACT") in (None, one.impact)
        and one.reference.startswith(wanted.get("ENTITY_REFERENCE_PREFIX", ""))
    ]
    items, token = page(call.service, found, NextToken, PageSize, 100)
    return {"ReputationEntities": items, "NextToken": token}


@operation("sesv2", "UpdateReputationEntityCustomerManagedStatus")
def update_status(call: Call, ReputationEntityType: str, ReputationEntityReference: str, SendingStatus: str) -> None:
    entity = _find(call, ReputationEntityReference)
    set_status(call.ses, call.account, entity, "CUSTOMER_MANAGED", SendingStatus, "Customer request")


@operation("sesv2", "UpdateReputationEntityPolicy", guess="The form of the ARN of a policy.")
def update_policy(
    call: Call, ReputationEntityType: str, ReputationEntityReference: str, ReputationEntityPolicy: str
) -> None:
    entity = _find(call, ReputationEntityReference)
    if ReputationEntityPolicy.rsplit("/", 1)[-1] not in POLICIES:
        raise invalid_parameter(call.service, f"Invalid reputation policy: {ReputationEntityPolicy}.")
    entity.policy = ReputationEntityPolicy


def set_status(ses: LocalSes, account: Account, entity: Reputation, origin: str, status: str, cause: str) -> None:
    """Set one side's status and put the event on the default bus. The caller holds the lock."""
    now = ses.clock.now()
    if origin == "CUSTOMER_MANAGED":
        entity.customer_status, entity.customer_cause, entity.customer_updated = status, cause, now
    else:
        entity.ses_status, entity.ses_cause, entity.ses_updated = status, cause, now
    moment = datetime.datetime.fromtimestamp(now, datetime.timezone.utc)
    parts = [
        moment.year,
        moment.month,
        moment.day,
        moment.hour,
        moment.minute,
        moment.second,
        moment.microsecond * 1000,
    ]
    record = {"status": status, "cause": cause, "lastUpdatedTimestamp": parts}
    detail = {"version": "1.0.0", "data": {"origin": origin, "record": record}}
    detail_type = f"Sending Status {'Disabled' if status == 'DISABLED' else 'Enabled'}"
    publish(ses, account, detail_type, detail, entity.reference)


def publish(ses: LocalSes, account: Account, detail_type: str, detail: dict, resource: str) -> None:
    """Put an event that is not about a message on the account's default bus."""
    bus = f"arn:aws:events:{account.region}:{account.id}:event-bus/default"
    event = event_bus.envelope(detail_type, detail, account.id, account.region, ses.clock.now(), [resource])
    ses.publications.add(detail_type, bus, [], lambda: event_bus.put(ses.clients, bus, event))


def _find(call: Call, reference: str) -> Reputation:
    found = call.account.reputations.get(reference)
    if not found:
        raise not_found(f"Reputation entity {reference} does not exist.")
    call.resources.append(reference)
    return found


def _shown(entity: Reputation) -> dict:
    def status(value: str, cause: str, updated: float) -> dict:
        return {"Status": value, "LastUpdatedTimestamp": updated} | ({"Cause": cause} if cause else {})

    return {
        "ReputationEntityReference": entity.reference,
        "ReputationEntityType": "RESOURCE",
        "ReputationManagementPolicy": entity.policy,
        "CustomerManagedStatus": status(entity.customer_status, entity.customer_cause, entity.customer_updated),
        "AwsSesManagedStatus": status(entity.ses_status, entity.ses_cause, entity.ses_updated),
        "SendingStatusAggregate": entity.aggregate,
        "ReputationImpact": entity.impact,
    }
