"""Identities in v1."""

from __future__ import annotations

from .. import lookup
from ..local_ses import Call
from ..protocol.errors import invalid_parameter
from . import identities
from .paging import page
from .registry import operation

# Verification statuses of v1, by those of v2.
STATUSES = {
    "PENDING": "Pending",
    "SUCCESS": "Success",
    "FAILED": "Failed",
    "TEMPORARY_FAILURE": "TemporaryFailure",
    "NOT_STARTED": "NotStarted",
}


@operation(
    "ses", "VerifyDomainIdentity", guess="DNS is not read: the domain is verified at once, or by the control API."
)
def verify_domain_identity(call: Call, Domain: str) -> dict:
    return {"VerificationToken": identities.create(call, Domain).verification_token}


@operation("ses", "VerifyDomainDkim")
def verify_domain_dkim(call: Call, Domain: str) -> dict:
    return {"DkimTokens": identities.create(call, Domain).dkim_tokens}


@operation(
    "ses", "VerifyEmailIdentity", guess="No mail is sent: the address is verified at once, or by the control API."
)
def verify_email_identity(call: Call, EmailAddress: str) -> None:
    lookup.require_address(call, EmailAddress)
    identities.create(call, EmailAddress)


operation("ses", "VerifyEmailAddress", guess="As VerifyEmailIdentity.")(verify_email_identity)


@operation("ses", "DeleteIdentity")
def delete_identity(call: Call, Identity: str) -> None:
    identities.delete(call, lookup.normalized(Identity))


@operation("ses", "DeleteVerifiedEmailAddress")
def delete_verified_email_address(call: Call, EmailAddress: str) -> None:
    identities.delete(call, lookup.normalized(EmailAddress))


@operation("ses", "ListIdentities")
def list_identities(
    call: Call, IdentityType: str | None = None, NextToken: str | None = None, MaxItems: int | None = None
) -> dict:
    names = [
        identity.name
        for identity in call.account.identities.values()
        if IdentityType in (None, "Domain" if identity.is_domain else "EmailAddress")
    ]
    items, token = page(call.service, names, NextToken, MaxItems, 1000)
    return {"Identities": items, "NextToken": token}


@operation("ses", "ListVerifiedEmailAddresses")
def list_verified_email_addresses(call: Call) -> dict:
    return {
        "VerifiedEmailAddresses": [
            one.name for one in call.account.identities.values() if not one.is_domain and one.verified
        ]
    }


@operation("ses", "GetIdentityVerificationAttributes")
def get_identity_verification_attributes(call: Call, Identities: list[str]) -> dict:
    attributes = {}
    for name, identity in _known(call, Identities):
        attributes[name] = {"VerificationStatus": STATUSES[identity.verification_status]}
        if identity.is_domain:
            attributes[name]["VerificationToken"] = identity.verification_token
    return {"VerificationAttributes": attributes}


@operation("ses", "GetIdentityDkimAttributes")
def get_identity_dkim_attributes(call: Call, Identities: list[str]) -> dict:
    attributes = {}
    for name, identity in _known(call, Identities):
        status = STATUSES[identities.dkim_status(identity)]
        attributes[name] = {
            "DkimEnabled": identity.dkim_enabled,
            "DkimVerificationStatus": status,
            "DkimTokens": identity.dkim_tokens,
        }
    return {"DkimAttributes": attributes}


@operation("ses", "SetIdentityDkimEnabled")
def set_identity_dkim_enabled(call: Call, Identity: str, DkimEnabled: bool) -> None:
    _find(call, Identity).dkim_enabled = DkimEnabled


@operation("ses", "GetIdentityMailFromDomainAttributes")
def get_identity_mail_from_domain_attributes(call: Call, Identities: list[str]) -> dict:
    attributes = {}
    for name, identity in _known(call, Identities):
        rejects = identity.mail_from_on_mx_failure == "REJECT_MESSAGE"
        attributes[name] = {
            "MailFromDomain": identity.mail_from_domain or "",
            "MailFromDomainStatus": STATUSES[identity.mail_from_status],
            "BehaviorOnMXFailure": "RejectMessage" if rejects else "UseDefaultValue",
        }
    return {"MailFromDomainAttributes": attributes}


@operation("ses", "SetIdentityMailFromDomain", guess="DNS is not read: the domain counts as set up.")
def set_identity_mail_from_domain(
    call: Call, Identity: str, MailFromDomain: str | None = None, BehaviorOnMXFailure: str = "UseDefaultValue"
) -> None:
    identity = _find(call, Identity)
    set_mail_from(call, identity, MailFromDomain)
    identity.mail_from_on_mx_failure = (
        "REJECT_MESSAGE" if BehaviorOnMXFailure == "RejectMessage" else "USE_DEFAULT_VALUE"
    )


def set_mail_from(call: Call, identity, domain: str | None) -> None:
    """The MAIL FROM domain must be a subdomain of the identity."""
    parent = identity.name.rpartition("@")[2]
    if domain and not domain.lower().endswith(f".{parent}"):
        raise invalid_parameter(
            call.service,
            f"Provided MAIL-FROM domain <{domain}> is not subdomain of the domain of the identity <{parent}>.",
        )
    identity.mail_from_domain = domain or None


def _find(call: Call, name: str):
    found = call.account.identities.get(lookup.identity_name(call, name))
    if not found:
        raise lookup.invalid_identity(name)
    return found


def _known(call: Call, names: list[str]):
    if len(names) > 100:
        raise invalid_parameter(call.service, "Identities must have no more than 100 elements.")
    for name in names:
        if found := call.account.identities.get(lookup.normalized(name)):
            yield name, found
