"""docs/security.md and the template say the same about who may do what."""

import re

import pytest
from conftest import ROOT, listed, of_type, statements_of

TEXT = (ROOT / "docs" / "security.md").read_text()


def rows(heading: str) -> list[list[str]]:
    section = TEXT.split(f"\n### {heading}\n")[1].split("\n#")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def in_backticks(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


def test_every_role_has_its_table(everything):
    headings = {name for name in re.findall(r"^### (\w+Role)$", TEXT, flags=re.MULTILINE)}
    assert headings == set(of_type(everything, "AWS::IAM::Role"))


@pytest.mark.parametrize(
    "role",
    [
        "FeedbackRole",
        "SuppressionMirrorRole",
        "RouterRole",
        "InboundRole",
        "ArchiveSubscriptionRole",
        "ArchiveStreamRole",
    ],
)
def test_every_permission_of_a_role_is_explained_and_none_besides(everything, role):
    table = rows(role)
    explained = {sid: in_backticks(actions) for sid, actions, _, _ in table}
    assert len(explained) == len(table)
    statements = statements_of(of_type(everything, "AWS::IAM::Role")[role])
    assert explained == {one["Sid"]: set(listed(one["Action"])) for one in statements}
    assert all(why for _, _, _, why in table)


def test_the_rows_of_the_table_are_named(everything):
    for role in of_type(everything, "AWS::IAM::Role"):
        reached = {sid: where for sid, _, where, _ in rows(role)}
        for one in statements_of(everything[role]["Properties"]):
            for condition in one.get("Condition", {}).values():
                for key in condition.get("dynamodb:LeadingKeys", []):
                    assert f"`{key.removesuffix('*')}`" in reached[one["Sid"]], f"{role} {one['Sid']} {key}"


def test_everybody_who_is_let_in_is_explained_and_nobody_besides(everything):
    explained = {
        (resource, sid): (in_backticks(who), in_backticks(actions))
        for resource, sid, who, actions, _ in rows("Resource policies")
    }
    let_in = {}
    for kind, field in [
        ("AWS::SNS::TopicPolicy", "Topics"),
        ("AWS::SQS::QueuePolicy", "Queues"),
        ("AWS::S3::BucketPolicy", "Bucket"),
    ]:
        for policy in of_type(everything, kind).values():
            (target,) = listed(policy[field])
            let_in[target.strip("<>")] = policy["PolicyDocument"]["Statement"]
    let_in["Key"] = everything["Key"]["Properties"]["KeyPolicy"]["Statement"]
    found = {
        (resource, one["Sid"]): (
            {service.replace("eu-west-1", "REGION") for service in listed(one["Principal"].get("Service", []))},
            set(listed(one["Action"])),
        )
        for resource, statements in let_in.items()
        for one in statements
        if one["Effect"] == "Allow"
    }
    for name, permission in of_type(everything, "AWS::Lambda::Permission").items():
        found["InboundFunction", name] = ({permission["Principal"]}, {permission["Action"]})
    assert explained == found
