"""Send statistics of v1: 14 days in steps of 15 minutes.

https://docs.aws.amazon.com/ses/latest/APIReference/API_GetSendStatistics.html
"""

from __future__ import annotations

from ..local_ses import Call
from ..state.model import Account, Counters
from .registry import operation

STEP_SECONDS = 15 * 60
KEPT_SECONDS = 14 * 24 * 3600


@operation("ses", "GetSendStatistics")
def get_send_statistics(call: Call) -> dict:
    oldest = call.now - KEPT_SECONDS
    points = [
        {
            "Timestamp": int(start),
            "DeliveryAttempts": counters.attempts,
            "Bounces": counters.bounces,
            "Complaints": counters.complaints,
            "Rejects": counters.rejects,
        }
        for start, counters in call.account.statistics.items()
        if int(start) >= oldest
    ]
    return {"SendDataPoints": points}


def counters(account: Account, now: float) -> Counters:
    """The counters of the 15 minutes that `now` is in."""
    start = str(int(now // STEP_SECONDS * STEP_SECONDS))
    return account.statistics.setdefault(start, Counters())
