"""Faults that a test asks for: errors, delays and lost answers."""

from __future__ import annotations

import dataclasses
import threading


@dataclasses.dataclass
class Fault:
    """What happens to some calls.

    It applies to calls that match `service`, `operation` and `account` (None matches all), from the `call`-th matching one on
    (1 is the next), `times` times. `error` is {"code", "message", "status"}; `throttle` answers with the throttling error of SES;
    `lose_answer` closes the connection after the call took effect.
    """

    service: str | None = None
    operation: str | None = None
    account: str | None = None
    call: int = 1
    times: int = 1
    error: dict | None = None
    throttle: bool = False
    delay_seconds: float = 0
    lose_answer: bool = False
    seen: int = 0

    def matches(self, service: str, operation: str, account: str) -> bool:
        wanted = ((self.service, service), (self.operation, operation), (self.account, account))
        return all(want in (None, have) for want, have in wanted)


class Faults:
    """Thread-safe."""

    def __init__(self):
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fields: dict) -> None:
        """Raises TypeError for an unknown field."""
        with self._lock:
            self._faults.append(Fault(**fields))

    def take(self, service: str, operation: str, account: str) -> list[Fault]:
        """Count a call, and return the faults that apply to it."""
        applied = []
        with self._lock:
            for fault in self._faults:
                if fault.matches(service, operation, account):
                    fault.seen += 1
                    if fault.call <= fault.seen < fault.call + fault.times:
                        applied.append(fault)
            self._faults = [fault for fault in self._faults if fault.seen < fault.call + fault.times - 1]
        return applied

    def entries(self) -> list[dict]:
        with self._lock:
            return [dataclasses.asdict(fault) for fault in self._faults]

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()
