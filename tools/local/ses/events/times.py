"""Times and ids as they stand in SES's JSON."""

from __future__ import annotations

import datetime
import uuid


def timestamp(seconds: float) -> str:
    """RFC 3339 with milliseconds, as in `mail.timestamp`."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def sent_message_id(seconds: float) -> str:
    """The id of a sent message or of a feedback report: the time in hexadecimal, a UUID, and a counter."""
    return f"{0x0100 << 48 | int(seconds * 1000):016x}-{uuid.uuid4()}-000000"


def received_message_id() -> str:
    """The id of a received message: 40 lower-case letters and digits."""
    number, text = uuid.uuid4().int << 80 | uuid.uuid4().int >> 48, ""
    while len(text) < 40:
        number, digit = divmod(number, 36)
        text += "0123456789abcdefghijklmnopqrstuvwxyz"[digit]
    return text
