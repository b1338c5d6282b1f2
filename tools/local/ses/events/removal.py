"""What SES does to an identity when it cannot publish to one of its topics.

It removes the Bounce and Complaint topics but not the Delivery topic, turns feedback forwarding on, and sends the account a mail.
"""

from __future__ import annotations

import email.message
import typing

from ..state.model import Account, NotificationSettings

if typing.TYPE_CHECKING:
    from ..local_ses import LocalSes


def remove_topics(
    ses: LocalSes, account: Account, settings: NotificationSettings, identity_arn: str, kind: str, topic: str
) -> None:
    """Apply it after a failed publication of a notification type to a topic that is still set."""
    identity = identity_arn.split("/", 1)[1]
    with ses.lock:
        if settings.topics.get(kind) != topic:
            return
        if kind == "Delivery" and not settings.topics.keys() & {"Bounce", "Complaint"}:
            return
        for removed in ("Bounce", "Complaint"):
            settings.topics.pop(removed, None)
            settings.headers.pop(removed, None)
        settings.forwarding = True
    mail = email.message.EmailMessage()
    mail["From"] = "Amazon Web Services <no-reply-aws@amazon.com>"
    mail["To"] = contact(account)
    mail["Subject"] = f"Amazon SES: your Amazon SNS notification configuration for {identity} was removed"
    mail.set_content(
        f'An error occurred while trying to publish a notification of type "{kind}" to Amazon SNS topic "{topic}".\n'
        f"Your Amazon SNS notification configuration for bounces and complaints of {identity} has been removed, "
        "and email feedback forwarding has been enabled.\n"
    )
    ses.post(account, "notice", "no-reply-aws@amazon.com", [contact(account)], mail.as_bytes())


def contact(account: Account) -> str:
    """The address of the account's owner, which no API of SES returns."""
    return f"account-{account.id}@aws.example"
