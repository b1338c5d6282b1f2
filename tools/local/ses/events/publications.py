"""Publishes in the background, in the order of due times.

A test can hold them, release them in another order, and have some published twice or late.
"""

from __future__ import annotations

import dataclasses
import itertools
import threading
import typing

if typing.TYPE_CHECKING:
    from ..local_ses import LocalSes

# The worker looks at the clock this often, as a test may move it.
STEP_SECONDS = 0.02
# Older entries of what was done are dropped.
KEPT = 10_000


@dataclasses.dataclass
class Publication:
    """Something to publish. `kind` is an event or notification type, `target` a topic, bus, stream or outbox.

    `body` is what is published, for tests to compare.
    """

    kind: str
    target: str
    recipients: list[str]
    action: typing.Callable[[], None]
    due: float
    body: dict | None = None
    number: int = 0

    def matches(self, kind: str | None, recipient: str | None) -> bool:
        """None matches all."""
        return kind in (None, self.kind) and recipient in (None, *self.recipients)

    def shown(self) -> dict:
        return {name: getattr(self, name) for name in ("number", "kind", "target", "recipients", "due", "body")}


@dataclasses.dataclass
class Rule:
    """What happens to the next `count` publications that match `kind` and `recipient` (None matches all)."""

    kind: str | None = None
    recipient: str | None = None
    times: int = 1
    delay_seconds: float = 0
    count: int = 1


class Publications:
    """A thread publishes what is due on the clock of the local SES."""

    def __init__(self, ses: LocalSes):
        self._ses = ses
        self._changed = threading.Condition()
        self._waiting: list[Publication] = []
        self._rules: list[Rule] = []
        # With the error of each, if there was one.
        self._done: list[tuple[Publication, str | None]] = []
        self._numbers = itertools.count(1)
        self._held = self._closed = False
        self._at_work = 0
        threading.Thread(target=self._work, daemon=True).start()

    def add(
        self, kind: str, target: str, recipients: list[str], action, after: float = 0, body: dict | None = None
    ) -> None:
        """Run `action` `after` seconds from now."""
        publication = Publication(kind, target, recipients, action, self._ses.clock.now() + after, body)
        with self._changed:
            times = 1
            for rule in [rule for rule in self._rules if publication.matches(rule.kind, rule.recipient)]:
                times = max(times, rule.times)
                publication.due += rule.delay_seconds
                rule.count -= 1
            self._rules = [rule for rule in self._rules if rule.count > 0]
            for _ in range(times):
                self._waiting.append(dataclasses.replace(publication, number=next(self._numbers)))
            self._changed.notify_all()

    def add_rule(self, fields: dict) -> None:
        """Raises TypeError for an unknown field."""
        with self._changed:
            self._rules.append(Rule(**fields))

    def again(self, kind: str | None, recipient: str | None) -> int:
        """Publish once more what was published before, and return how many there are."""
        with self._changed:
            found = [one for one, _ in self._done if one.matches(kind, recipient)]
            for one in found:
                self._waiting.append(dataclasses.replace(one, due=self._ses.clock.now(), number=next(self._numbers)))
            self._changed.notify_all()
        return len(found)

    def hold(self) -> None:
        with self._changed:
            self._held = True

    def release(self, order: str | list[int] = "due") -> None:
        """Publish what was held: in order of `due`, `reversed`, or by the given numbers; the others follow."""
        with self._changed:
            waiting = sorted(self._waiting, key=lambda one: (one.due, one.number))
            if order == "reversed":
                waiting.reverse()
            elif isinstance(order, list):
                waiting.sort(key=lambda one: order.index(one.number) if one.number in order else len(order))
            if order != "due":
                now = self._ses.clock.now()
                for place, one in enumerate(waiting):
                    # Equal times and numbers before all later ones: the order of the worker.
                    one.number = place - len(waiting)
                    one.due = now if one.due <= now else one.due
            self._held = False
            self._changed.notify_all()

    def wait(self, seconds: float) -> bool:
        """Whether everything that is due was published within this time, in seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._at_work and (self._held or not self._due()), seconds)

    def entries(self) -> dict:
        with self._changed:
            waiting = [one.shown() for one in self._waiting]
            done = [one.shown() | {"error": error} for one, error in self._done]
            return {"held": self._held, "waiting": waiting, "done": done}

    def clear(self) -> None:
        with self._changed:
            self._waiting.clear()
            self._rules.clear()
            self._done.clear()
            self._held = False

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _due(self) -> list[Publication]:
        now = self._ses.clock.now()
        return sorted((one for one in self._waiting if one.due <= now), key=lambda one: (one.due, one.number))

    def _work(self) -> None:
        while not self._closed:
            with self._changed:
                due = [] if self._held else self._due()[:1]
                if not due:
                    self._changed.wait(STEP_SECONDS if self._waiting else None)
                    continue
                self._waiting.remove(due[0])
                self._at_work += 1
            error = None
            try:
                due[0].action()
            except Exception as problem:  # noqa: BLE001  One publication must not end the others.
                error = f"{type(problem).__name__}: {problem}"
            with self._changed:
                self._at_work -= 1
                self._done.append((due[0], error))
                del self._done[:-KEPT]
                self._changed.notify_all()
