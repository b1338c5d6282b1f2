"""Who makes a request: the account, Region and identity behind a SigV4 access key id. Signatures are not checked."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import threading

import botocore.exceptions

from ..protocol.errors import ServiceError
from .clients import Clients

DEFAULT_ACCOUNT = "000000000000"
CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/]+)/[^/]+/aws4_request")


@dataclasses.dataclass(frozen=True)
class Caller:
    """`identity` is an ARN; an assumed role that cannot be resolved has the access key id in the place of its names."""

    account: str
    region: str
    access_key: str
    identity: str

    @property
    def name(self) -> str:
        """What SES reports as callerIdentity."""
        return self.identity.rsplit(":", 1)[-1].rsplit("/", 1)[-1]


class Callers:
    """Resolves callers, and remembers what the local AWS said about the keys of roles."""

    def __init__(self, clients: Clients):
        self._clients = clients
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, str]] = {}

    def resolve(self, authorization: str | None) -> Caller:
        """Raises MissingAuthenticationToken for a request without a SigV4 header."""
        found = CREDENTIAL.search(authorization or "")
        if not found:
            raise ServiceError("MissingAuthenticationToken", "Missing Authentication Token", status=403)
        key, region = found.groups()
        account, identity = self._account_and_identity(key, region)
        return Caller(account, region, key, identity)

    def _account_and_identity(self, key: str, region: str) -> tuple[str, str]:
        if re.fullmatch(r"\d{12}", key):
            return key, f"arn:aws:iam::{key}:root"
        if not key.startswith(("ASIA", "AKIA")):
            return DEFAULT_ACCOUNT, f"arn:aws:iam::{DEFAULT_ACCOUNT}:root"
        with self._lock:
            if key in self._known:
                return self._known[key]
        found = self._ask(key, region)
        with self._lock:
            self._known[key] = found
        return found

    def _ask(self, key: str, region: str) -> tuple[str, str]:
        kind = "assumed-role" if key.startswith("ASIA") else "user"
        unknown = f"arn:aws:sts::{{}}:{kind}/unknown/{key}"
        if not self._clients.endpoint:
            return DEFAULT_ACCOUNT, unknown.format(DEFAULT_ACCOUNT)
        try:
            account = self._clients.get("sts", DEFAULT_ACCOUNT, region).get_access_key_info(AccessKeyId=key)["Account"]
            return account, self._function_role(key, account, region) or unknown.format(account)
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
            return DEFAULT_ACCOUNT, unknown.format(DEFAULT_ACCOUNT)

    def _function_role(self, key: str, account: str, region: str) -> str | None:
        """The execution role of the function that the local AWS gave this key: it derives the key from both of their ARNs."""
        pages = self._clients.get("lambda", account, region).get_paginator("list_functions").paginate()
        for function in (function for page in pages for function in page["Functions"]):
            derived = hashlib.sha256(f"{function['FunctionArn']}:{function['Role']}".encode()).hexdigest()[:16].upper()
            if key == f"ASIA{derived}":
                role = function["Role"].rsplit("/", 1)[-1]
                return f"arn:aws:sts::{account}:assumed-role/{role}/{function['FunctionName']}"
        return None
