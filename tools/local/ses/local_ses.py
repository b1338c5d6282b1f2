"""The local SES as one object: its state, its clock, its connections and what a test controls."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import threading

from .aws.callers import Caller, Callers
from .aws.clients import Clients
from .aws.topics import Topics
from .control.calls import CallLog
from .control.clock import Clock
from .control.faults import Faults
from .control.rate import RateLimiter
from .events.publications import Publications
from .state.model import Account, OutboxMail, Settings, World
from .state.snapshot import load


class LocalSes:
    """Everything but the HTTP server. `lock` guards `world`; nothing may wait for another service while it is held."""

    def __init__(self, aws_endpoint: str | None = None, settings: Settings | None = None):
        self.world = World(settings=settings or Settings())
        self._first_settings = dataclasses.asdict(self.world.settings)
        self.lock = threading.RLock()
        self.clock = Clock(lambda: self.world)
        self.clients = Clients(aws_endpoint)
        self.callers = Callers(self.clients)
        self.topics = Topics(self.clients)
        self.calls = CallLog()
        self.faults = Faults()
        self.rates = RateLimiter()
        self.publications = Publications(self)

    def close(self) -> None:
        self.publications.close()

    def reset(self) -> None:
        """Forget everything, also faults, calls and publications."""
        self.publications.clear()
        self.restore({"settings": self._first_settings})
        self.faults.clear()
        self.calls.clear()

    def restore(self, state: dict) -> None:
        world = load(state)
        with self.lock:
            self.world = world
        self.rates.clear()

    def post(
        self, account: Account, kind: str, sender: str, recipients: list[str], raw: bytes, message_id: str | None = None
    ):
        """Put a mail into the outbox."""
        text = raw.decode("latin-1")
        mail = OutboxMail(account.id, kind, self.clock.now(), sender, list(recipients), text, message_id)
        with self.lock:
            self.world.outbox.append(mail)


@dataclasses.dataclass
class Call:
    """A request on its way through an operation."""

    ses: LocalSes
    service: str
    operation: str
    caller: Caller
    source_ip: str = "127.0.0.1"
    # The ARNs that a permission for this request must cover; none are needed for what has no resource in IAM.
    resources: list[str] = dataclasses.field(default_factory=list)

    @functools.cached_property
    def account(self) -> Account:
        """The same one during the whole call, also when a test replaces the state meanwhile."""
        return self.ses.world.account(self.caller.account, self.caller.region)

    @property
    def now(self) -> float:
        return self.ses.clock.now()

    @contextlib.contextmanager
    def unlocked(self):
        """Let other requests run while another service is asked."""
        self.ses.lock.release()
        try:
            yield
        finally:
            self.ses.lock.acquire()
