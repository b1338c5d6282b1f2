"""docs/permissions.md and the templates agree on permissions; the roles and the functions agree on the actions they need."""

import re

import pytest
from conftest import ROOT, contract, listed, of_type, statements_of

TEXT = (ROOT / "docs" / "permissions.md").read_text()
ROLES = {
    "feedback": "FeedbackRole",
    "suppression-changes": "SuppressionChangesRole",
    "suppression-mirror": "SuppressionMirrorRole",
    "reputation-monitor": "ReputationMonitorRole",
    "settings-guard": "SettingsGuardRole",
    "delegate-router": "RouterRole",
    "inbound": "InboundRole",
    "unsubscribe": "UnsubscribeRole",
}
# Actions that AWS services call with the role of the function: event source mappings, logging, encryption and tracing.
BY_SERVICES = {"WriteLogs", "UseKey", "WriteTraces"}
BY_EVENT_SOURCES = {
    "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes",
    "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
}


def rows(heading: str) -> list[list[str]]:
    section = TEXT.split(f"\n### {heading}\n")[1].split("\n#")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def in_backticks(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


def test_every_role_has_its_table(everything):
    headings = set(re.findall(r"^### (\w+Role)$", TEXT, flags=re.MULTILINE))
    assert headings == set(of_type(everything, "AWS::IAM::Role"))


@pytest.mark.parametrize("role", [*ROLES.values(), "ArchiveSubscriptionRole", "ArchiveStreamRole"])
def test_the_table_of_a_role_has_exactly_its_statements(everything, role):
    statements = statements_of(of_type(everything, "AWS::IAM::Role")[role])
    found = [(one["Sid"], set(listed(one["Action"]))) for one in statements]
    assert len({sid for sid, _ in found}) == len(found)
    assert sorted((sid, sorted(in_backticks(actions))) for sid, actions, *_ in rows(role)) == sorted(
        (sid, sorted(actions)) for sid, actions in found
    )
    assert all(resources and purpose for _, _, resources, purpose in rows(role))


@pytest.mark.parametrize("role", ROLES.values())
def test_the_table_of_a_role_has_the_rows_that_it_can_access(everything, role):
    statements = {one["Sid"]: one for one in statements_of(of_type(everything, "AWS::IAM::Role")[role])}
    for sid, _, resources, _ in rows(role):
        keys = {
            key
            for condition in statements[sid].get("Condition", {}).values()
            for key in listed(condition.get("dynamodb:LeadingKeys", []))
        }
        if keys:
            assert in_backticks(resources) == {key.removesuffix("*") for key in keys}, sid


@pytest.mark.parametrize("function", ROLES)
def test_a_role_allows_exactly_the_actions_that_the_function_calls(everything, function):
    allowed = {
        action
        for one in statements_of(of_type(everything, "AWS::IAM::Role")[ROLES[function]])
        if one["Sid"] not in BY_SERVICES
        for action in listed(one["Action"])
    }
    assert sorted(allowed - BY_EVENT_SOURCES) == contract("actions")[function]


def test_the_table_of_resource_policies_has_exactly_their_statements(everything):
    table = [
        (resource, sid, sorted(in_backticks(principal)), sorted(in_backticks(actions)))
        for resource, sid, principal, actions, *_ in rows("Resource policies")
    ]
    found = []
    for kind, field in [
        ("AWS::SNS::TopicPolicy", "Topics"),
        ("AWS::SQS::QueuePolicy", "Queues"),
        ("AWS::S3::BucketPolicy", "Bucket"),
    ]:
        for policy in of_type(everything, kind).values():
            for target in listed(policy[field]):
                found += allowed(target.strip("<>"), policy["PolicyDocument"]["Statement"])
    found += allowed("Key", everything["Key"]["Properties"]["KeyPolicy"]["Statement"])
    for name, permission in of_type(everything, "AWS::Lambda::Permission").items():
        function = permission["FunctionName"].strip("<>").removesuffix(".Arn")
        found.append((function, name, [permission["Principal"]], [permission["Action"]]))
    assert sorted(table) == sorted(found)


def allowed(resource: str, statements: list[dict]) -> list[tuple]:
    return [
        (resource, one["Sid"], sorted(principals(one)), sorted(listed(one["Action"])))
        for one in statements
        if one["Effect"] == "Allow"
    ]


def principals(statement: dict) -> list[str]:
    principal = statement["Principal"]
    if "Service" in principal:
        return [principal["Service"].replace("eu-west-1", "REGION")]
    # The account itself.
    return []
