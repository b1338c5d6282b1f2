"""Advisor recommendations. A test makes them through the control API.

https://docs.aws.amazon.com/ses/latest/dg/vdm-advisor.html
"""

from __future__ import annotations

from ..local_ses import Call, LocalSes
from ..state.model import Account
from . import reputation
from .paging import page
from .registry import operation

FILTERS = {"TYPE": "Type", "IMPACT": "Impact", "STATUS": "Status", "RESOURCE_ARN": "ResourceArn"}


@operation("sesv2", "ListRecommendations", guess="Recommendations do not need VDM here.")
def list_recommendations(
    call: Call, Filter: dict | None = None, NextToken: str | None = None, PageSize: int | None = None
) -> dict:
    wanted = {FILTERS[name]: value for name, value in (Filter or {}).items() if name in FILTERS}
    found = [
        one for one in call.account.recommendations if all(one.get(name) == value for name, value in wanted.items())
    ]
    items, token = page(call.service, found, NextToken, PageSize, 100)
    return {"Recommendations": items, "NextToken": token}


def put(ses: LocalSes, account: Account, fields: dict) -> None:
    """Open or close a recommendation, and put the event on the default bus. The caller holds the lock."""
    now = ses.clock.now()
    same = ("ResourceArn", "Type")
    old = next(
        (one for one in account.recommendations if all(one.get(name) == fields.get(name) for name in same)), None
    )
    new = {"Status": "OPEN", "Impact": "HIGH", "Description": "", "CreatedTimestamp": now} | (old or {}) | fields
    new["LastUpdatedTimestamp"] = now
    if old:
        account.recommendations.remove(old)
    account.recommendations.append(new)
    state = "Open" if new["Status"] == "OPEN" else "Resolved"
    detail = {
        "version": "1.0.0",
        "data": new["Description"],
        "metadata": {"impact": new["Impact"], "type": new["Type"]},
    }
    reputation.publish(ses, account, f"Advisor Recommendation Status {state}", detail, new["ResourceArn"])
