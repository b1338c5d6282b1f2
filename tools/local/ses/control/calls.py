"""The log of calls: who called what, and what the answer was."""

from __future__ import annotations

import dataclasses
import threading

# Older entries are dropped.
KEPT = 20_000


@dataclasses.dataclass
class LoggedCall:
    """One request. `identity` is the ARN of the caller, who needs the permission `action` for each of `resources`.

    Without resources, because the action has none in IAM or the request failed before, it is needed for `*`.
    """

    number: int
    at: float
    service: str
    operation: str
    action: str
    account: str
    region: str
    access_key: str
    identity: str
    resources: list[str]
    parameters: dict
    status: int
    error: str | None


class CallLog:
    """Thread-safe, oldest first."""

    def __init__(self):
        self._lock = threading.Lock()
        self._calls: list[LoggedCall] = []
        self._number = 0

    def add(self, **fields) -> None:
        with self._lock:
            self._number += 1
            self._calls.append(LoggedCall(self._number, **fields))
            del self._calls[:-KEPT]

    def entries(self, after: int = 0, **wanted: str) -> list[dict]:
        """The calls after a number whose fields have the wanted values."""
        with self._lock:
            found = [dataclasses.asdict(call) for call in self._calls if call.number > after]
        return [call for call in found if all(str(call[name]) == value for name, value in wanted.items())]

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()
