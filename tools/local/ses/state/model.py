"""The state of the local SES: only plain values, so that it can be written out and read back as JSON.

Times are seconds since 1970 on the clock of the local SES.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

NOTIFICATION_TYPES = ("Bounce", "Complaint", "Delivery")


@dataclass
class NotificationSettings:
    """Where notifications about an identity's mail go. Topics and headers are keyed by notification type."""

    topics: dict[str, str] = field(default_factory=dict)
    headers: dict[str, bool] = field(default_factory=dict)
    forwarding: bool = True


@dataclass
class Identity:
    """A verified, or not yet verified, address or domain."""

    name: str
    created: float
    verification_status: str = "SUCCESS"
    notifications: NotificationSettings = field(default_factory=NotificationSettings)
    policies: dict[str, str] = field(default_factory=dict)
    configuration_set: str | None = None
    dkim_enabled: bool = True
    dkim_origin: str = "AWS_SES"
    dkim_tokens: list[str] = field(default_factory=list)
    dkim_key_length: str = "RSA_2048_BIT"
    mail_from_domain: str | None = None
    mail_from_status: str = "SUCCESS"
    mail_from_on_mx_failure: str = "USE_DEFAULT_VALUE"
    verification_token: str = ""

    @property
    def is_domain(self) -> bool:
        return "@" not in self.name

    @property
    def verified(self) -> bool:
        return self.verification_status == "SUCCESS"


@dataclass
class ConfigurationSet:
    """Options and event destinations, both in the shape of the v2 API."""

    name: str
    created: float
    options: dict[str, dict] = field(default_factory=dict)
    event_destinations: dict[str, dict] = field(default_factory=dict)

    @property
    def sending_enabled(self) -> bool:
        return self.options.get("SendingOptions", {}).get("SendingEnabled", True)


@dataclass
class SuppressedDestination:
    """An entry of a suppression list."""

    address: str
    reason: str
    updated: float
    message_id: str | None = None
    feedback_id: str | None = None


@dataclass
class Tenant:
    """A tenant with its own suppression list and sending status."""

    name: str
    id: str
    arn: str
    created: float
    resources: dict[str, float] = field(default_factory=dict)
    suppression_attributes: dict = field(default_factory=dict)
    suppression: dict[str, SuppressedDestination] = field(default_factory=dict)


@dataclass
class Reputation:
    """The sending status of a resource: the status the customer set, the status SES set, and the policy SES applies."""

    reference: str
    policy: str
    customer_status: str = "ENABLED"
    customer_cause: str = ""
    customer_updated: float = 0
    ses_status: str = "ENABLED"
    ses_cause: str = ""
    ses_updated: float = 0
    impact: str | None = None

    @property
    def aggregate(self) -> str:
        """Disabled when either side disabled it; reinstated when no side did and one reinstated it."""
        both = (self.customer_status, self.ses_status)
        return next((status for status in ("DISABLED", "REINSTATED") if status in both), "ENABLED")


@dataclass
class SentMessage:
    """An accepted message, kept for the events that follow."""

    id: str
    sent: float
    account: str
    source: str
    from_address: str
    destinations: list[str]
    headers: list[list[str]]
    return_path: str
    identity_arn: str
    identity_account: str
    caller: str
    source_ip: str
    operation: str
    configuration_set: str | None = None
    tenant: str | None = None
    tags: dict[str, list[str]] = field(default_factory=dict)
    template: str | None = None


@dataclass
class Counters:
    """What GetSendStatistics reports for 15 minutes."""

    attempts: int = 0
    bounces: int = 0
    complaints: int = 0
    rejects: int = 0


@dataclass
class OutboxMail:
    """A mail that left the local SES. `kind` is sent, feedback (bounces and complaints by mail), notice or bounce."""

    account: str
    kind: str
    at: float
    sender: str
    recipients: list[str]
    raw: str
    message_id: str | None = None


@dataclass
class Account:
    """One AWS account in one Region."""

    id: str
    region: str
    production_access: bool = True
    sending_enabled: bool = True
    enforcement_status: str = "HEALTHY"
    max_24_hour_send: float = 50_000
    max_send_rate: float = 14
    details: dict = field(default_factory=dict)
    vdm: dict = field(default_factory=lambda: {"VdmEnabled": "DISABLED"})
    dedicated_ip_warmup: bool = False
    suppressed_reasons: list[str] = field(default_factory=lambda: ["BOUNCE", "COMPLAINT"])
    validation_attributes: dict | None = None
    suppression: dict[str, SuppressedDestination] = field(default_factory=dict)
    import_jobs: dict[str, dict] = field(default_factory=dict)
    identities: dict[str, Identity] = field(default_factory=dict)
    # Settings for identities of other accounts, by ARN; SES no longer lets them be created.
    legacy_notifications: dict[str, NotificationSettings] = field(default_factory=dict)
    configuration_sets: dict[str, ConfigurationSet] = field(default_factory=dict)
    tenants: dict[str, Tenant] = field(default_factory=dict)
    reputations: dict[str, Reputation] = field(default_factory=dict)
    recommendations: list[dict] = field(default_factory=list)
    templates: dict[str, dict] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    # Rule sets in the shape of the v1 API: {"created": seconds, "rules": [Rule]}.
    receipt_rule_sets: dict[str, dict] = field(default_factory=dict)
    active_rule_set: str | None = None
    receipt_filters: dict[str, dict] = field(default_factory=dict)
    messages: dict[str, SentMessage] = field(default_factory=dict)
    # Received messages by id, {"at": seconds, "sender": envelope sender}; SendBounce needs them.
    received: dict[str, dict] = field(default_factory=dict)
    sends: list[float] = field(default_factory=list)
    # By the start of 15 minutes, as text.
    statistics: dict[str, Counters] = field(default_factory=dict)

    def arn(self, resource: str) -> str:
        return f"arn:aws:ses:{self.region}:{self.id}:{resource}"


@dataclass
class Settings:
    """How strict the local SES is. `second` is the length of SES's second in real seconds."""

    second: float = 1.0
    limit_scope: str = "operation"
    verify_at_once: bool = True
    identities_per_account: int = 10_000
    configuration_sets_per_account: int = 10_000


@dataclass
class World:
    """Everything a snapshot holds."""

    accounts: dict[str, Account] = field(default_factory=dict)
    outbox: list[OutboxMail] = field(default_factory=list)
    # Outcomes of mail, by address; see README.md.
    outcomes: dict[str, list[dict]] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    clock_offset: float = 0

    def account(self, account: str, region: str) -> Account:
        """The state of an account in a Region; an empty one the first time."""
        return self.accounts.setdefault(f"{account}/{region}", Account(account, region))


def dump(world: World) -> dict:
    return dataclasses.asdict(world)
