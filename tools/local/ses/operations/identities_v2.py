"""Identities in v2."""

from __future__ import annotations

from .. import lookup
from ..local_ses import Call
from ..protocol.errors import ServiceError
from ..state.model import Identity
from . import identities, tags
from .identities_v1 import set_mail_from
from .paging import page
from .registry import operation


@operation("sesv2", "CreateEmailIdentity", guess="The identity is verified at once, or by the control API.")
def create_email_identity(
    call: Call,
    EmailIdentity: str,
    Tags=(),
    DkimSigningAttributes: dict | None = None,
    ConfigurationSetName: str | None = None,
) -> dict:
    if lookup.normalized(EmailIdentity) in call.account.identities:
        raise ServiceError("AlreadyExistsException", f"Email identity {EmailIdentity} already exist.")
    if ConfigurationSetName:
        lookup.find_configuration_set(call, ConfigurationSetName)
    identity = identities.create(call, EmailIdentity)
    identity.configuration_set = ConfigurationSetName
    _set_signing(identity, DkimSigningAttributes or {})
    tags.put(call, call.account.arn(f"identity/{identity.name}"), Tags)
    return {
        "IdentityType": _type(identity),
        "VerifiedForSendingStatus": identity.verified,
        "DkimAttributes": _dkim(identity),
    }


@operation("sesv2", "DeleteEmailIdentity")
def delete_email_identity(call: Call, EmailIdentity: str) -> None:
    identities.delete(call, lookup.find_identity(call, EmailIdentity).name)


@operation("sesv2", "GetEmailIdentity")
def get_email_identity(call: Call, EmailIdentity: str) -> dict:
    identity = lookup.find_identity(call, EmailIdentity)
    answer = {
        "IdentityType": _type(identity),
        "FeedbackForwardingStatus": identity.notifications.forwarding,
        "VerifiedForSendingStatus": identity.verified,
        "DkimAttributes": _dkim(identity),
        "MailFromAttributes": {"BehaviorOnMxFailure": identity.mail_from_on_mx_failure},
        "Policies": identity.policies,
        "Tags": tags.of(call, call.account.arn(f"identity/{identity.name}")),
        "ConfigurationSetName": identity.configuration_set,
        "VerificationStatus": identity.verification_status,
        "VerificationInfo": {},
    }
    if identity.mail_from_domain:
        answer["MailFromAttributes"] |= {
            "MailFromDomain": identity.mail_from_domain,
            "MailFromDomainStatus": identity.mail_from_status,
        }
    return answer


@operation(
    "sesv2", "ListEmailIdentities", guess="Filter is read as exact values of IdentityType and VerificationStatus."
)
def list_email_identities(
    call: Call, Filter: dict | None = None, NextToken: str | None = None, PageSize: int | None = None
) -> dict:
    found = [
        {
            "IdentityType": _type(identity),
            "IdentityName": identity.name,
            "SendingEnabled": identity.verified,
            "VerificationStatus": identity.verification_status,
        }
        for identity in call.account.identities.values()
    ]
    found = [one for one in found if all(one.get(name) == value for name, value in (Filter or {}).items())]
    items, token = page(call.service, found, NextToken, PageSize, 1000)
    return {"EmailIdentities": items, "NextToken": token}


@operation("sesv2", "PutEmailIdentityConfigurationSetAttributes")
def put_configuration_set(call: Call, EmailIdentity: str, ConfigurationSetName: str | None = None) -> None:
    identity = lookup.find_identity(call, EmailIdentity)
    if ConfigurationSetName:
        lookup.find_configuration_set(call, ConfigurationSetName)
    identity.configuration_set = ConfigurationSetName or None


@operation("sesv2", "PutEmailIdentityDkimAttributes")
def put_dkim(call: Call, EmailIdentity: str, SigningEnabled: bool = False) -> None:
    lookup.find_identity(call, EmailIdentity).dkim_enabled = SigningEnabled


@operation("sesv2", "PutEmailIdentityDkimSigningAttributes", guess="Keys are not checked; DKIM counts as set up.")
def put_dkim_signing(
    call: Call, EmailIdentity: str, SigningAttributesOrigin: str, SigningAttributes: dict | None = None
) -> dict:
    identity = lookup.find_identity(call, EmailIdentity)
    _set_signing(identity, {"DomainSigningAttributesOrigin": SigningAttributesOrigin} | (SigningAttributes or {}))
    return {"DkimStatus": identities.dkim_status(identity), "DkimTokens": identity.dkim_tokens}


@operation("sesv2", "PutEmailIdentityFeedbackAttributes", guess="Unlike v1 it does not check that both topics are set.")
def put_feedback(call: Call, EmailIdentity: str, EmailForwardingEnabled: bool = False) -> None:
    lookup.find_identity(call, EmailIdentity).notifications.forwarding = EmailForwardingEnabled


@operation("sesv2", "PutEmailIdentityMailFromAttributes", guess="DNS is not read: the domain counts as set up.")
def put_mail_from(
    call: Call, EmailIdentity: str, MailFromDomain: str | None = None, BehaviorOnMxFailure: str = "USE_DEFAULT_VALUE"
) -> None:
    identity = lookup.find_identity(call, EmailIdentity)
    set_mail_from(call, identity, MailFromDomain)
    identity.mail_from_on_mx_failure = BehaviorOnMxFailure


def _type(identity: Identity) -> str:
    return "DOMAIN" if identity.is_domain else "EMAIL_ADDRESS"


def _dkim(identity: Identity) -> dict:
    return {
        "SigningEnabled": identity.dkim_enabled,
        "Status": identities.dkim_status(identity),
        "Tokens": identity.dkim_tokens,
        "SigningAttributesOrigin": identity.dkim_origin,
        "NextSigningKeyLength": identity.dkim_key_length,
        "CurrentSigningKeyLength": identity.dkim_key_length,
    }


def _set_signing(identity: Identity, attributes: dict) -> None:
    if selector := attributes.get("DomainSigningSelector"):
        identity.dkim_origin, identity.dkim_tokens = "EXTERNAL", [selector]
    elif origin := attributes.get("DomainSigningAttributesOrigin"):
        identity.dkim_origin = origin
    identity.dkim_key_length = attributes.get("NextSigningKeyLength", identity.dkim_key_length)
