"""Compares the functions' calls to SES with the policies of their roles.

The local SES does not evaluate IAM policies, AWS does. Conditions are not compared.
"""

import fnmatch

import boto3


def calls_without_permission(calls: list[dict]) -> list[str]:
    """Descriptions of the calls that the policies of the calling role do not allow."""
    iam, statements, found = boto3.client("iam"), {}, []
    for call in calls:
        if ":assumed-role/" not in call["identity"] or call["error"]:
            continue
        role = call["identity"].split("/")[1]
        if role not in statements:
            statements[role] = statements_of(iam, role)
        for resource in call["resources"] or ["*"]:
            if not any(allows(statement, call["action"], resource) for statement in statements[role]):
                found.append(f"{role}: {call['action']} on {resource}")
    return found


def statements_of(iam, role: str) -> list[dict]:
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
    return [statement for document in documents for statement in document["Statement"]]


def allows(statement: dict, action: str, resource: str) -> bool:
    return (
        statement["Effect"] == "Allow"
        and any(fnmatch.fnmatchcase(action, pattern) for pattern in as_list(statement["Action"]))
        and any(fnmatch.fnmatchcase(resource, pattern) for pattern in as_list(statement["Resource"]))
    )


def as_list(value) -> list:
    return value if isinstance(value, list) else [value]
