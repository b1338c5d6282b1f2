"""The outcomes of mail to an address: those a test has set, or those of the mailbox simulator.

https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html#send-email-simulator
"""

from __future__ import annotations

from .checks import is_simulator

SUPPRESSED_TEXT = (
    "Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address. "
    "For more information about how to remove an address from the suppression list, see the Amazon SES Developer Guide: "
    "https://docs.aws.amazon.com/ses/latest/dg/send-email-suppression-list.html"
)
ACCOUNT_LIST_TEXT = (
    "Amazon SES did not send the message to this address because it is on the suppression list for your account. "
    "For more information about removing addresses from the suppression list, see the Amazon SES Developer Guide: "
    "https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html"
)
TENANT_LIST_TEXT = ACCOUNT_LIST_TEXT.replace("your account", "your tenant")

# A bounce that SES makes itself, without a connection to another server.
MADE_BY_SES = {"remoteMtaIp": None, "reportingMTA": "dns; amazonses.com"}
ON_ACCOUNT_LIST = MADE_BY_SES | {
    "outcome": "bounce",
    "bounceSubType": "OnAccountSuppressionList",
    "diagnosticCode": ACCOUNT_LIST_TEXT,
}
ON_TENANT_LIST = MADE_BY_SES | {
    "outcome": "bounce",
    "bounceSubType": "OnTenantSuppressionList",
    "diagnosticCode": TENANT_LIST_TEXT,
}

SIMULATED = {
    "success": [{"outcome": "delivery"}],
    "bounce": [{"outcome": "bounce"}],
    "ooto": [
        {"outcome": "delivery"},
        # An automatic reply has no action, status and text.
        {"outcome": "bounce", "bounceType": "Transient", "bounceSubType": "General"}
        | {"action": None, "status": None, "diagnosticCode": None, "remoteMtaIp": None},
    ],
    "complaint": [{"outcome": "delivery"}, {"outcome": "complaint"}],
    "suppressionlist": [
        MADE_BY_SES | {"outcome": "bounce", "bounceSubType": "Suppressed", "diagnosticCode": SUPPRESSED_TEXT}
    ],
}


def outcomes_of(scripted: dict[str, list[dict]], address: str) -> list[dict]:
    """The outcomes a test set for the address or, as `*@domain`, for its domain; else those of the simulator; else a delivery.

    A label after a plus does not make another simulator address.
    """
    plain = address.lower()
    for key in (plain, f"*@{plain.rpartition('@')[2]}"):
        if key in scripted:
            return scripted[key]
    if is_simulator(plain):
        return SIMULATED.get(plain.partition("@")[0].partition("+")[0], SIMULATED["bounce"])
    return SIMULATED["success"]
