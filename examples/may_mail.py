import time


def may_mail(table, address, tenant=None, domain=None, topic=None):
    """True, or the reason why not. `table` is a boto3 DynamoDB Table; batch_get_item takes 100 such keys."""
    local, _, host = address.strip().rpartition("@")
    key = f"{local.lower()}@{host.encode('idna').decode().lower()}"
    row = table.get_item(Key={"pk": f"RECIPIENT#{key}", "sk": "SUPPRESSION"}).get("Item", {})
    scopes = ["global"] + [f"tenant:{tenant}"] * bool(tenant) + [f"domain:{domain}"] * bool(domain)
    for name, decision in row.items():
        scope, _, origin = name.rpartition("|")
        if scope not in scopes or not isinstance(decision, dict) or not decision["blocked"]:
            continue
        if decision.get("until", float("inf")) <= time.time():
            continue
        release = row.get(f"{scope}|manual")
        if release and not release["blocked"] and release["at"] >= decision["at"]:
            continue
        if origin.startswith("topic:") and origin != f"topic:{topic}":
            continue
        return decision["reason"]
    return True
