"""Send statistics of v1: 14 days in steps of 15 minutes.

https://docs.aws.amazon.com/ses/latest/APIReference/API_GetSendStatistics.html
"""

from __future__ import annotations

from ..local_ses import Call
from .registry import operation

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
