"""The control API under /_local_ses/, for tests. See README.md for the bodies."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
import re
import typing
import urllib.parse

from dateutil import parser as date_parser

from .inbound.delivery import receive
from .operations import recommendations, reputation
from .sending import outcomes
from .state.model import Account, NotificationSettings, dump

if typing.TYPE_CHECKING:
    from ..local_ses import LocalSes

DEFAULT_ACCOUNT, DEFAULT_REGION = "000000000000", "us-east-1"
# Members of an account that a test may set.
ACCOUNT_FIELDS = {"production_access", "sending_enabled", "enforcement_status", "max_24_hour_send", "max_send_rate"}


class BadRequest(Exception):
    """A request to the control API is invalid; the message names the reason."""


ROUTES: list[tuple[str, re.Pattern, typing.Callable]] = []


def route(method: str, pattern: str):
    def register(handler):
        ROUTES.append((method, re.compile(pattern), handler))
        return handler

    return register


def handle(ses: LocalSes, method: str, path: str, query: dict[str, str], body: bytes) -> tuple[int, dict]:
    """The status and the body of the answer."""
    try:
        fields = json.loads(body) if body else {}
        for wanted, pattern, handler in ROUTES:
            if wanted == method and (found := pattern.fullmatch(path)):
                return 200, handler(ses, query, fields, **found.groupdict()) or {}
    except (BadRequest, TypeError, ValueError, KeyError) as error:
        return 400, {"message": f"{type(error).__name__}: {error}"}
    return 404, {"message": f"the control API has nothing at {method} {path}"}


def _account(ses: LocalSes, fields: dict) -> Account:
    return ses.world.account(fields.get("account", DEFAULT_ACCOUNT), fields.get("region", DEFAULT_REGION))


@route("GET", "/health")
def health(ses: LocalSes, query: dict, fields: dict) -> dict:
    return {"status": "running", "awsEndpoint": ses.clients.endpoint}


@route("POST", "/reset")
def reset(ses: LocalSes, query: dict, fields: dict) -> None:
    ses.reset()


@route("GET", "/state")
def get_state(ses: LocalSes, query: dict, fields: dict) -> dict:
    with ses.lock:
        return dump(ses.world)


@route("PUT", "/state")
def put_state(ses: LocalSes, query: dict, fields: dict) -> None:
    ses.restore(fields)


@route("PATCH", "/settings")
def patch_settings(ses: LocalSes, query: dict, fields: dict) -> dict:
    with ses.lock:
        ses.world.settings = dataclasses.replace(ses.world.settings, **fields)
        ses.rates.clear()
        return dataclasses.asdict(ses.world.settings)


@route("GET", "/clock")
def get_clock(ses: LocalSes, query: dict, fields: dict) -> dict:
    return {"now": ses.clock.now()}


@route("POST", "/clock")
def move_clock(ses: LocalSes, query: dict, fields: dict) -> dict:
    if "now" in fields:
        ses.clock.set(date_parser.isoparse(fields["now"]).timestamp())
    ses.clock.advance(fields.get("advanceSeconds", 0))
    return {"now": ses.clock.now()}


@route("GET", "/calls")
def get_calls(ses: LocalSes, query: dict, fields: dict) -> dict:
    return {"calls": ses.calls.entries(int(query.pop("after", "0")), **query)}


@route("DELETE", "/calls")
def clear_calls(ses: LocalSes, query: dict, fields: dict) -> None:
    ses.calls.clear()


@route("GET", "/faults")
def get_faults(ses: LocalSes, query: dict, fields: dict) -> dict:
    return {"faults": ses.faults.entries()}


@route("POST", "/faults")
def add_fault(ses: LocalSes, query: dict, fields: dict) -> None:
    ses.faults.add(fields)


@route("DELETE", "/faults")
def clear_faults(ses: LocalSes, query: dict, fields: dict) -> None:
    ses.faults.clear()


@route("GET", "/outbox")
def get_outbox(ses: LocalSes, query: dict, fields: dict) -> dict:
    with ses.lock:
        mails = [dataclasses.asdict(mail) for mail in ses.world.outbox]
    to = query.pop("to", None)
    mails = [mail for mail in mails if to is None or to.lower() in [one.lower() for one in mail["recipients"]]]
    mails = [mail for mail in mails if all(mail[name] == value for name, value in query.items())]
    return {"mails": [mail | {"raw": base64.b64encode(mail["raw"].encode("latin-1")).decode()} for mail in mails]}


@route("DELETE", "/outbox")
def clear_outbox(ses: LocalSes, query: dict, fields: dict) -> None:
    with ses.lock:
        ses.world.outbox.clear()


@route("PUT", "/outcomes/(?P<address>.+)")
def put_outcomes(ses: LocalSes, query: dict, fields: dict, address: str) -> None:
    _check_outcomes(fields["outcomes"])
    with ses.lock:
        ses.world.outcomes[_decoded(address)] = fields["outcomes"]


@route("DELETE", "/outcomes/(?P<address>.+)")
def delete_outcomes(ses: LocalSes, query: dict, fields: dict, address: str) -> None:
    with ses.lock:
        ses.world.outcomes.pop(_decoded(address), None)


@route("POST", "/messages/(?P<message_id>[^/]+)/outcomes")
def add_outcomes(ses: LocalSes, query: dict, fields: dict, message_id: str) -> None:
    """Apply outcomes to a message that was sent before."""
    _check_outcomes(fields["outcomes"])
    sent = next((one.messages[message_id] for one in ses.world.accounts.values() if message_id in one.messages), None)
    if not sent:
        raise BadRequest(f"no message has the id {message_id}")
    for outcome in fields["outcomes"]:
        outcomes.apply(ses, sent, outcome, fields.get("recipients", sent.destinations))


@route("GET", "/publications")
def get_publications(ses: LocalSes, query: dict, fields: dict) -> dict:
    kind, recipient = query.get("kind"), query.get("recipient")

    def matches(one: dict) -> bool:
        return kind in (None, one["kind"]) and recipient in (None, *one["recipients"])

    found = ses.publications.entries()
    return found | {name: list(filter(matches, found[name])) for name in ("waiting", "done")}


@route("POST", "/publications/hold")
def hold(ses: LocalSes, query: dict, fields: dict) -> None:
    ses.publications.hold()


@route("POST", "/publications/release")
def release(ses: LocalSes, query: dict, fields: dict) -> None:
    ses.publications.release(fields.get("order", "due"))


@route("POST", "/publications/rules")
def add_rule(ses: LocalSes, query: dict, fields: dict) -> None:
    ses.publications.add_rule(fields)


@route("POST", "/publications/again")
def publish_again(ses: LocalSes, query: dict, fields: dict) -> dict:
    return {"count": ses.publications.again(fields.get("kind"), fields.get("recipient"))}


@route("POST", "/publications/wait")
def wait(ses: LocalSes, query: dict, fields: dict) -> dict:
    return {"idle": ses.publications.wait(fields.get("seconds", 10))}


@route("PATCH", "/accounts/(?P<account>[0-9]{12})")
def patch_account(ses: LocalSes, query: dict, fields: dict, account: str) -> None:
    with ses.lock:
        found = ses.world.account(account, fields.pop("region", DEFAULT_REGION))
        if unknown := fields.keys() - ACCOUNT_FIELDS:
            raise BadRequest(
                f"an account has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(ACCOUNT_FIELDS))}"
            )
        for name, value in fields.items():
            setattr(found, name, value)


@route("POST", "/identities/(?P<name>.+)/verification")
def set_verification(ses: LocalSes, query: dict, fields: dict, name: str) -> None:
    with ses.lock:
        _account(ses, fields).identities[_decoded(name)].verification_status = fields["status"]


@route("POST", "/legacy-notifications")
def add_legacy(ses: LocalSes, query: dict, fields: dict) -> None:
    """Settings of a delegate sender for another account's identity, which SES itself no longer lets be created."""
    with ses.lock:
        settings = NotificationSettings(
            fields.get("topics", {}), fields.get("headers", {}), fields.get("forwarding", True)
        )
        _account(ses, fields).legacy_notifications[fields["identityArn"]] = settings


@route("POST", "/reputation")
def set_reputation(ses: LocalSes, query: dict, fields: dict) -> None:
    """Set the status of a tenant that SES manages."""
    with ses.lock:
        account = _account(ses, fields)
        entity = account.reputations[fields["reference"]]
        if "impact" in fields:
            entity.impact = fields["impact"]
        if "status" in fields:
            reputation.set_status(
                ses, account, entity, "AWS_MANAGED", fields["status"], fields.get("cause", "High bounce rate")
            )


@route("POST", "/recommendations")
def put_recommendation(ses: LocalSes, query: dict, fields: dict) -> None:
    with ses.lock:
        recommendations.put(ses, _account(ses, fields), fields["recommendation"])


@route("POST", "/inbound")
def inbound(ses: LocalSes, query: dict, fields: dict) -> dict:
    """A mail arrives. The answer comes after the last action."""
    try:
        raw = base64.b64decode(fields["raw"], validate=True)
    except binascii.Error:
        raise BadRequest("raw is not base64") from None
    names = {"verdicts": "verdicts", "dmarcPolicy": "dmarc_policy", "sourceIp": "source_ip"}
    details = {names[name]: value for name, value in fields.items() if name in names}
    return receive(ses, _account(ses, fields), raw, fields["recipients"], fields.get("sender", ""), **details)


def _check_outcomes(wanted: list[dict]) -> None:
    known = {
        "send",
        "delivery",
        "bounce",
        "complaint",
        "delay",
        "reject",
        "open",
        "click",
        "subscription",
        "rendering-failure",
    }
    if unknown := {one["outcome"] for one in wanted} - known:
        raise BadRequest(f"there are no outcomes {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")


def _decoded(text: str) -> str:
    return urllib.parse.unquote(text).lower()
