import time
from email.utils import parseaddr

import idna  # from PyPI: Python's own "idna" codec follows the older standard


def ascii_domain(domain):
    try:
        return idna.encode(domain.rstrip("."), uts46=True).decode().lower()
    except idna.IDNAError:
        return domain.rstrip(".").lower()


def why_not(table, address, tenant=None, domain=None, topic=None):
    """None when the address may be mailed, else the reason. `table` is a boto3 DynamoDB Table, `domain` the identity's."""
    local, at, host = (parseaddr(address)[1] or address.strip()).rpartition("@")
    key = f"{local.lower()}@{ascii_domain(host)}" if at else address.strip().lower()
    row = table.get_item(Key={"pk": f"RECIPIENT#{key}", "sk": "SUPPRESSION"}, ConsistentRead=True).get("Item", {})

    labels = ascii_domain(domain).split(".") if domain else []
    parents = [".".join(labels[start:]) for start in range(max(len(labels) - 1, min(len(labels), 1)))]
    scopes = ["global"] + [f"tenant:{tenant}"] * bool(tenant) + [f"domain:{parent}" for parent in parents]
    for name, decision in row.items():
        scope, _, origin = name.rpartition("|")
        if scope not in scopes or not isinstance(decision, dict) or not decision["blocked"]:
            continue
        if decision.get("until", float("inf")) <= time.time():
            continue
        if row.get(f"{scope}|released", {"at": ""})["at"] >= decision["at"]:
            continue
        kind, _, wanted = origin.partition(":")
        if kind == "list" and wanted != (topic or "").split("/")[0] or kind == "topic" and wanted != topic:
            continue
        return decision["reason"]
    return None
