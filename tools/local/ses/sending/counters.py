"""Counts messages and their outcomes, in steps of 15 minutes."""

from __future__ import annotations

from ..state.model import Account, Counters

STEP_SECONDS = 15 * 60


def counters(account: Account, now: float) -> Counters:
    """The counters of the 15 minutes that `now` is in."""
    start = str(int(now // STEP_SECONDS * STEP_SECONDS))
    return account.statistics.setdefault(start, Counters())
