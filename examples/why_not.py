"""Reads the suppression of a recipient from Postroom's table, without Postroom's code."""

import time
from email.utils import parseaddr

import idna  # from PyPI: Python's own "idna" codec implements the older IDNA 2003


def ascii_domain(domain):
    """The domain in ASCII and lower case, without a final dot."""
    try:
        return idna.encode(domain.rstrip("."), uts46=True).decode().lower()
    except idna.IDNAError:
        return domain.rstrip(".").lower()


def why_not(table, address, tenant=None, domain=None, topic=None):
    """Returns None when the address may be mailed, else the reason of the suppression.

    `table` is a boto3 DynamoDB Table, `domain` the domain of the sending identity, `topic` is `LIST/TOPIC`.
    """
    local, at, host = (parseaddr(address)[1] or address.strip()).rpartition("@")
    key = f"{local.lower()}@{ascii_domain(host)}" if at else address.strip().lower()
    row = table.get_item(Key={"pk": f"RECIPIENT#{key}", "sk": "SUPPRESSION"}, ConsistentRead=True).get("Item", {})

    labels = ascii_domain(domain).split(".") if domain else []
    domains = [".".join(labels[start:]) for start in range(max(len(labels) - 1, min(len(labels), 1)))]
    scopes = ["global"] + [f"tenant:{tenant}"] * bool(tenant) + [f"domain:{name}" for name in domains]
    for attribute, entry in row.items():
        scope, _, source = attribute.rpartition("|")
        if scope not in scopes or not isinstance(entry, dict) or not entry["blocked"]:
            continue
        if entry.get("until", float("inf")) <= time.time():
            continue
        if row.get(f"{scope}|released", {"at": ""})["at"] >= entry["at"]:
            continue
        kind, _, name = source.partition(":")
        if kind == "list" and name != (topic or "").split("/")[0] or kind == "topic" and name != topic:
            continue
        return entry["reason"]
    return None
