"""Whether a message may be sent: status of the account, identity, authorization, sandbox, limits.

https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html
"""

from __future__ import annotations

from .. import lookup
from ..local_ses import Call
from ..mail.message import bare_address, display_name
from ..policy.evaluator import Request, decide
from ..protocol.errors import ServiceError, invalid_parameter, throttled
from ..protocol.models import V1
from ..state.model import Account, ConfigurationSet, Identity, Tenant
from . import quota

MAX_RECIPIENTS = 50
SIMULATOR = "simulator.amazonses.com"


def is_simulator(address: str) -> bool:
    return address.lower().endswith(f"@{SIMULATOR}")


def check_account(call: Call, recipients: int) -> None:
    """Enforcement, pause and quotas. They are those of the sending account, not of the identity owner."""
    account, is_v1 = call.account, call.service == V1
    if account.enforcement_status == "SHUTDOWN":
        message = (
            "Sending suspended for this account. For more information, please check the inbox of the email address "
            "associated with your AWS account."
        )
        raise ServiceError("MessageRejected" if is_v1 else "AccountSuspendedException", message)
    if not account.sending_enabled:
        code = "AccountSendingPausedException" if is_v1 else "SendingPausedException"
        raise ServiceError(code, f"Email sending is disabled for account {account.id}.")
    per_day, rate = quota.limits(account)
    # A quota of -1 is unlimited.
    if per_day >= 0 and quota.sent_last_24_hours(account, call.now) + recipients > per_day:
        raise throttled(call.service, "Daily message quota exceeded.")
    second = call.ses.world.settings.second
    if not call.ses.rates.allow(("sending", account.id, account.region), rate, second, recipients):
        raise throttled(call.service, "Maximum sending rate exceeded.")


def check_recipients(call: Call, recipients: list[str]) -> None:
    if not recipients:
        raise invalid_parameter(call.service, "There are no recipients.")
    if len(recipients) > MAX_RECIPIENTS:
        raise invalid_parameter(call.service, f"Recipient count exceeds {MAX_RECIPIENTS}.")
    for recipient in recipients:
        check_address(call, recipient)


def check_address(call: Call, address: str) -> None:
    local, at, domain = bare_address(address).rpartition("@")
    if not at or not domain:
        raise invalid_parameter(call.service, "Missing final '@domain'")
    if not local or any(char.isspace() for char in local + domain):
        raise invalid_parameter(call.service, "Local address contains control or whitespace")
    if not local.isascii():
        raise invalid_parameter(call.service, "Local address contains control or non-ASCII characters")


def verified_identity(account: Account, address: str) -> Identity | None:
    """The identity that covers an address: the address itself, else its domain, else the closest parent domain."""
    local, _, domain = lookup.normalized(bare_address(address)).rpartition("@")
    # A label after a plus does not make another address.
    plain = local.partition("+")[0]
    names = [f"{local}@{domain}", f"{plain}@{domain}"]
    labels = domain.split(".")
    names += [".".join(labels[start:]) for start in range(len(labels) - 1)]
    found = (account.identities.get(name) for name in names)
    return next((identity for identity in found if identity and identity.verified), None)


def resolve_identity(call: Call, sender: str, arn: str | None) -> tuple[Account, Identity]:
    """The identity a message is sent with: the one of the ARN, else the sender's own for the address."""
    if not arn:
        found = verified_identity(call.account, sender)
        if not found:
            raise not_verified(call, [bare_address(sender)])
        return call.account, found
    parsed = lookup.IDENTITY_ARN.fullmatch(arn)
    if not parsed:
        raise invalid_parameter(call.service, f"Invalid ARN: {arn}.")
    region, owner_id, name = parsed.groups()
    owner = call.ses.world.accounts.get(f"{owner_id}/{region}")
    identity = owner.identities.get(name) if owner and region == call.account.region else None
    if not identity or not identity.verified:
        raise not_verified(call, [bare_address(sender)])
    if verified_identity(Account(owner_id, region, identities={name: identity}), sender) is None:
        raise invalid_parameter(call.service, f"Identity {arn} does not cover the address {bare_address(sender)}.")
    return owner, identity


def check_authorization(
    call: Call, owner: Account, identity: Identity, action: str, sender: str, return_path: str, recipients: list[str]
) -> None:
    """Policies of the identity. Another account needs an Allow; the owner itself is stopped by a Deny only."""
    arn = owner.arn(f"identity/{identity.name}")
    context = {
        "ses:Recipients": [bare_address(one) for one in recipients],
        "ses:FromAddress": bare_address(sender),
        "ses:FromDisplayName": display_name(sender),
        "ses:FeedbackAddress": bare_address(return_path),
        "aws:SourceIp": call.source_ip,
        "aws:PrincipalAccount": call.account.id,
    }
    request = Request(call.caller.identity, f"ses:{action}", arn, context)
    decisions = {decide(policy, request) for policy in identity.policies.values()}
    if "Deny" in decisions or (owner is not call.account and "Allow" not in decisions):
        message = f"User `{call.caller.identity}' is not authorized to perform `ses:{action}' on resource `{arn}'"
        raise ServiceError("AccessDenied" if call.service == V1 else "AccessDeniedException", message, status=403)


def check_sandbox(call: Call, recipients: list[str]) -> None:
    if call.account.production_access:
        return
    plain = [bare_address(one) for one in recipients]
    wrong = [one for one in plain if not is_simulator(one) and not verified_identity(call.account, one)]
    if wrong:
        raise not_verified(call, wrong)


def check_configuration_set(call: Call, name: str | None) -> ConfigurationSet | None:
    if not name:
        return None
    found = lookup.find_configuration_set(call, name)
    if not found.sending_enabled:
        message = f"Email sending is disabled for configuration set <{name}>."
        if call.service == V1:
            raise ServiceError("ConfigurationSetSendingPausedException", message, ConfigurationSetName=name)
        raise ServiceError("SendingPausedException", message)
    return found


def check_tenant(
    call: Call, name: str | None, owner: Account, identity: Identity, configuration_set: ConfigurationSet | None
) -> Tenant | None:
    """The tenant must be allowed to send, and identity and configuration set must be associated with it."""
    if not name:
        return None
    tenant = lookup.find_tenant(call, name)
    if call.account.reputations[tenant.arn].aggregate == "DISABLED":
        raise ServiceError("SendingPausedException", f"Email sending is disabled for tenant <{name}>.")
    needed = [owner.arn(f"identity/{identity.name}")]
    if configuration_set:
        needed.append(call.account.arn(f"configuration-set/{configuration_set.name}"))
    missing = [arn for arn in needed if arn not in tenant.resources]
    if missing:
        raise ServiceError("BadRequestException", f"Resource {missing[0]} is not associated with tenant {name}.")
    return tenant


def not_verified(call: Call, addresses: list[str]) -> ServiceError:
    message = (
        "Email address is not verified. The following identities failed the check in region "
        f"{call.account.region.upper()}: {', '.join(addresses)}"
    )
    return ServiceError("MessageRejected", message)
