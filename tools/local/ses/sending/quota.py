"""The quota of 24 hours.

https://docs.aws.amazon.com/ses/latest/dg/quotas.html
"""

from __future__ import annotations

from ..state.model import Account

DAY_SECONDS = 24 * 3600
# The sandbox has a quota and a rate of its own.
SANDBOX = (200.0, 1.0)


def limits(account: Account) -> tuple[float, float]:
    """Messages in 24 hours, and messages a second. -1 messages are unlimited."""
    return (account.max_24_hour_send, account.max_send_rate) if account.production_access else SANDBOX


def sent_last_24_hours(account: Account, now: float) -> int:
    """Messages, counted once a recipient. Forgets those that are older."""
    account.sends = [at for at in account.sends if at > now - DAY_SECONDS]
    return len(account.sends)
