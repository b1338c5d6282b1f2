"""SES's rules for the policies of identities.

https://docs.aws.amazon.com/ses/latest/dg/policy-anatomy.html
"""

from __future__ import annotations

import json
import re

from .evaluator import as_list

MAX_BYTES = 4096
MAX_POLICIES = 20
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
ACTIONS = {"ses:sendemail", "ses:sendrawemail", "ses:sendtemplatedemail", "ses:sendbulktemplatedemail"}


def problem(text: str, identity_arn: str) -> str | None:
    """What is wrong with a policy for an identity; None for a valid one."""
    if len(text.encode()) > MAX_BYTES:
        return f"Policy is too long. It must be no longer than {MAX_BYTES} bytes."
    try:
        document = json.loads(text)
    except ValueError:
        return "Policy is not valid JSON."
    statements = as_list(document.get("Statement", [])) if isinstance(document, dict) else []
    if not statements:
        return "Policy must have at least one statement."
    return next(filter(None, (_statement_problem(one, identity_arn) for one in statements)), None)


def _statement_problem(statement, identity_arn: str) -> str | None:
    if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
        return "Policy statement must have the effect Allow or Deny."
    if not ("Principal" in statement or "NotPrincipal" in statement):
        return "Policy statement must contain a principal."
    if as_list(statement.get("Resource", [])) != [identity_arn]:
        return f"Policy statement must contain exactly one resource, {identity_arn}."
    actions = as_list(statement.get("Action", []))
    wrong = [action for action in actions if not _is_action(str(action))]
    if not actions or wrong:
        return f"Policy statement contains an invalid action: {', '.join(map(str, wrong)) or '(none)'}."
    return None


def _is_action(action: str) -> bool:
    if action == "*":
        return True
    pattern = "".join(".*" if char == "*" else re.escape(char) for char in action.lower())
    return any(re.fullmatch(pattern, known) for known in ACTIONS)
