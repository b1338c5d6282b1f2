"""Sending authorization policies of identities.

https://docs.aws.amazon.com/ses/latest/dg/sending-authorization-policies.html
"""

from __future__ import annotations

from .. import lookup
from ..local_ses import Call
from ..policy import sending_authorization
from ..protocol.errors import ServiceError, invalid_parameter
from ..protocol.models import V1
from ..state.model import Identity
from .registry import operation

GUESS = "The wording of the errors."


def _put(call: Call, identity: Identity, name: str, policy: str) -> None:
    if not sending_authorization.NAME.fullmatch(name):
        raise invalid_parameter(call.service, f"Invalid policy name: {name}.")
    if problem := sending_authorization.problem(policy, call.account.arn(f"identity/{identity.name}")):
        raise ServiceError("InvalidPolicyException" if call.service == V1 else "BadRequestException", problem)
    if name not in identity.policies and len(identity.policies) >= sending_authorization.MAX_POLICIES:
        message = f"Identity {identity.name} already has {sending_authorization.MAX_POLICIES} policies."
        raise ServiceError("LimitExceeded" if call.service == V1 else "LimitExceededException", message)
    identity.policies[name] = policy


def _find_v1(call: Call, name: str) -> Identity:
    found = call.account.identities.get(lookup.identity_name(call, name))
    if not found:
        raise lookup.invalid_identity(name)
    return found


@operation("ses", "PutIdentityPolicy", guess=GUESS)
def put_identity_policy(call: Call, Identity: str, PolicyName: str, Policy: str) -> None:
    _put(call, _find_v1(call, Identity), PolicyName, Policy)


@operation("ses", "DeleteIdentityPolicy", guess=GUESS)
def delete_identity_policy(call: Call, Identity: str, PolicyName: str) -> None:
    _find_v1(call, Identity).policies.pop(PolicyName, None)


@operation("ses", "ListIdentityPolicies")
def list_identity_policies(call: Call, Identity: str) -> dict:
    return {"PolicyNames": list(_find_v1(call, Identity).policies)}


@operation("ses", "GetIdentityPolicies")
def get_identity_policies(call: Call, Identity: str, PolicyNames: list[str]) -> dict:
    policies = _find_v1(call, Identity).policies
    return {"Policies": {name: policies[name] for name in PolicyNames if name in policies}}


@operation("sesv2", "CreateEmailIdentityPolicy", guess=GUESS)
def create_email_identity_policy(call: Call, EmailIdentity: str, PolicyName: str, Policy: str) -> None:
    identity = lookup.find_identity(call, EmailIdentity)
    if PolicyName in identity.policies:
        raise ServiceError(
            "AlreadyExistsException", f"Policy <{PolicyName}> already exists for identity <{identity.name}>."
        )
    _put(call, identity, PolicyName, Policy)


@operation("sesv2", "UpdateEmailIdentityPolicy", guess=GUESS)
def update_email_identity_policy(call: Call, EmailIdentity: str, PolicyName: str, Policy: str) -> None:
    # Succeeds for a policy that does not exist, as in SES.
    _put(call, lookup.find_identity(call, EmailIdentity), PolicyName, Policy)


@operation("sesv2", "DeleteEmailIdentityPolicy", guess=GUESS)
def delete_email_identity_policy(call: Call, EmailIdentity: str, PolicyName: str) -> None:
    lookup.find_identity(call, EmailIdentity).policies.pop(PolicyName, None)


@operation("sesv2", "GetEmailIdentityPolicies")
def get_email_identity_policies(call: Call, EmailIdentity: str) -> dict:
    return {"Policies": lookup.find_identity(call, EmailIdentity).policies}
