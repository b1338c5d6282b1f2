"""A mail that arrives, and its JSON.

https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html
"""

from __future__ import annotations

import dataclasses

from ..events import payloads
from ..events.times import timestamp
from ..mail import message

VERDICTS = ("spamVerdict", "virusVerdict", "spfVerdict", "dkimVerdict", "dmarcVerdict")


@dataclasses.dataclass
class Arrival:
    """`verdicts` has the statuses of the five checks; `dmarc_policy` is reported when DMARC fails."""

    id: str
    at: float
    sender: str
    recipients: list[str]
    raw: bytes
    verdicts: dict[str, str]
    dmarc_policy: str | None = None
    source_ip: str = "192.0.2.1"

    def mail(self) -> dict:
        headers = [list(pair) for pair in message.split(self.raw)[0]]
        kept, truncated = payloads.truncate(headers)
        to = [
            one
            for name in ("To", "Cc", "Bcc")
            for value in [message.header(headers, name)]
            for one in message.addresses(value)
        ]
        common = {"returnPath": self.sender} | payloads.common_headers(headers)
        return {
            "timestamp": timestamp(self.at),
            "source": self.sender,
            "messageId": self.id,
            "destination": to or self.recipients,
            "headersTruncated": truncated,
            "headers": kept,
            "commonHeaders": common,
        }

    def receipt(self, recipients: list[str], action: dict) -> dict:
        """`recipients` are those that the rule matched."""
        receipt = {"timestamp": timestamp(self.at), "processingTimeMillis": 100, "recipients": recipients}
        receipt |= {name: {"status": self.verdicts.get(name, "PASS")} for name in VERDICTS}
        if self.dmarc_policy and self.verdicts.get("dmarcVerdict") == "FAIL":
            receipt["dmarcPolicy"] = self.dmarc_policy
        return receipt | {"action": action}
