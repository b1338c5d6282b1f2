"""SES's limits of calls and messages a second.

https://docs.aws.amazon.com/ses/latest/dg/quotas.html
"""

from __future__ import annotations

import threading
import time


class RateLimiter:
    """A token bucket a key, which holds one second's worth of tokens and starts full."""

    def __init__(self):
        self._lock = threading.Lock()
        # key -> (tokens left, when they were counted)
        self._buckets: dict[tuple, tuple[float, float]] = {}

    def allow(self, key: tuple, per_second: float, second: float, count: float = 1) -> bool:
        """Whether `count` calls are within the limit now. `second` is the length of a second in real seconds; 0 is no limit."""
        if second <= 0:
            return True
        size = max(per_second, 1)
        now = time.monotonic()
        with self._lock:
            left, counted = self._buckets.get(key, (size, now))
            left = min(size, left + (now - counted) / second * per_second)
            # A message to more recipients than the bucket holds passes when the bucket is full.
            allowed = left >= min(count, size)
            self._buckets[key] = (left - count if allowed else left, now)
        return allowed

    def clear(self) -> None:
        with self._lock:
            self._buckets.clear()
