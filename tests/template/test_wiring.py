"""What the template says about parts that the local AWS cannot run.

Run with `make template-check`, or `tools/local/stack.py exec pytest tests/template`.
"""

import re

import pytest
from conftest import ROOT


@pytest.fixture
def resources(template) -> dict:
    return template["Resources"]


def properties(resources: dict, name: str) -> dict:
    return resources[name]["Properties"]


def statements(resources: dict, role: str) -> list[dict]:
    return [
        statement
        for policy in properties(resources, role)["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def arn_of(name: str) -> dict:
    return {"Fn::GetAtt": [name, "Arn"]}


@pytest.mark.parametrize(
    "prefix, condition",
    [
        ("Archive", "ArchiveIsOn"),
        ("Mirror", "MirrorIsOn"),
        ("SuppressionMirror", "MirrorIsOn"),
        ("Router", "RouterIsOn"),
        ("Deliver", "RouterIsOn"),
        ("Unrouted", "RouterIsOn"),
        ("Inbound", "InboundIsOn"),
        ("Mail", "InboundIsOn"),
    ],
)
def test_parts_are_switched_as_a_whole(template, prefix, condition):
    parts = {
        name: part
        for section in ("Resources", "Outputs")
        for name, part in template[section].items()
        if name.startswith(prefix) and not name.endswith(("Alarm", "Dashboard"))
    }
    assert parts
    assert {name: part.get("Condition") for name, part in parts.items()} == dict.fromkeys(parts, condition)


def test_notifications_flow_from_the_topic_to_the_bucket(resources):
    subscription = properties(resources, "ArchiveSubscription")
    assert subscription["TopicArn"] == {"Ref": "FeedbackTopic"}
    assert subscription["Protocol"] == "firehose"
    assert subscription["Endpoint"] == arn_of("ArchiveStream")
    assert subscription["SubscriptionRoleArn"] == arn_of("ArchiveSubscriptionRole")
    # Replaying a line needs the SNS envelope.
    assert "RawMessageDelivery" not in subscription

    destination = properties(resources, "ArchiveStream")["ExtendedS3DestinationConfiguration"]
    assert destination["BucketARN"] == arn_of("ArchiveBucket")
    assert destination["RoleARN"] == arn_of("ArchiveStreamRole")
    assert destination["Prefix"] == "notifications/!{timestamp:yyyy/MM/dd}/"
    assert destination["ErrorOutputPrefix"].startswith("errors/")


@pytest.mark.parametrize(
    "role, service, allowed",
    [
        ("ArchiveSubscriptionRole", "sns.amazonaws.com", [arn_of("ArchiveStream")]),
        (
            "ArchiveStreamRole",
            "firehose.amazonaws.com",
            [arn_of("ArchiveBucket"), {"Fn::Sub": "${ArchiveBucket.Arn}/*"}],
        ),
    ],
)
def test_archive_roles_reach_the_archive_only(resources, role, service, allowed):
    trust = properties(resources, role)["AssumeRolePolicyDocument"]["Statement"]
    assert [statement["Principal"] for statement in trust] == [{"Service": service}]
    always = [one for one in statements(resources, role) if "Fn::If" not in one]
    assert [one["Resource"] for one in always if one["Sid"] != "WriteItsLog"] == allowed


def test_the_bucket_is_private_encrypted_and_expires(template, resources):
    bucket = properties(resources, "ArchiveBucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", {"Ref": "ArchiveDays"})
    assert template["Parameters"]["ArchiveDays"]["Default"] == 90
    assert resources["ArchiveBucket"]["DeletionPolicy"] == resources["Table"]["DeletionPolicy"]
    (only_tls,) = properties(resources, "ArchiveBucketPolicy")["PolicyDocument"]["Statement"]
    assert (only_tls["Effect"], only_tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_the_mirror_makes_at_most_one_call_a_second(template, resources):
    function = properties(resources, "SuppressionMirrorFunction")
    requests = function["Events"]["Requests"]["Properties"]
    at_once = requests["ScalingConfig"]["MaximumConcurrency"]
    pace_s = int(function["Environment"]["Variables"]["PACE_MS"]) / 1000
    assert at_once / pace_s <= 1
    assert requests["BatchSize"] * pace_s * 3 < template["Globals"]["Function"]["Timeout"]


def test_every_number_of_the_feedback_policy_is_a_parameter(template, resources):
    source = (ROOT / "functions" / "feedback" / "src" / "policy.rs").read_text()
    read = set(re.findall(r'env\s*\.(?:read|count|list)\(\s*"([A-Z_]+)"', source))
    assert "SOFT_BOUNCE_DAYS" in read
    variables = properties(resources, "FeedbackFunction")["Environment"]["Variables"]
    assert {name for name in read if variables.get(name, {}).get("Ref") not in template["Parameters"]} == set()


def only_when(condition: str, resources: dict, role: str) -> dict[str, dict]:
    """The statements of a role that are there under a condition only, by Sid."""
    conditional = [one["Fn::If"] for one in statements(resources, role) if "Fn::If" in one]
    return {then["Sid"]: then for name, then, otherwise in conditional if name == condition}


def test_the_router_gets_every_notification_and_reads_both_of_its_queues(resources):
    subscription = properties(resources, "RouterSubscription")
    assert (subscription["TopicArn"], subscription["Protocol"]) == ({"Ref": "FeedbackTopic"}, "sqs")
    assert subscription["Endpoint"] == arn_of("RouterQueue")
    assert subscription["RedrivePolicy"] == {"deadLetterTargetArn": arn_of("RouterDeadLetterQueue")}
    events = properties(resources, "RouterFunction")["Events"].values()
    queues = [event["Properties"] for event in events if event["Type"] == "SQS"]
    assert [queue["Queue"] for queue in queues] == [arn_of("RouterQueue"), arn_of("DeliverQueue")]
    assert all(queue["FunctionResponseTypes"] == ["ReportBatchItemFailures"] for queue in queues)
    inputs = {event["Properties"]["Input"] for event in events if event["Type"] == "Schedule"}
    assert inputs == {'{"postroom":"digest"}', '{"postroom":"watch"}'}
    variables = properties(resources, "RouterFunction")["Environment"]["Variables"]
    redrive = properties(resources, "DeliverQueue")["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == arn_of("DeliverDeadLetterQueue")
    assert variables["PARK_QUEUE_URL"] == {"Ref": "DeliverDeadLetterQueue"}


def test_the_router_is_told_all_it_asks_for(resources):
    source = (ROOT / "functions" / "delegate-router" / "src" / "settings.rs").read_text()
    read = set(re.findall(r'(?:need|set)\(\s*"([A-Z_]+)"', source))
    assert "DELIVER_QUEUE_URL" in read
    # How many keys are remembered follows from the memory, which is no parameter either.
    assert read - set(properties(resources, "RouterFunction")["Environment"]["Variables"]) == {"ROUTE_CACHE_KEYS"}


def test_the_router_reaches_named_targets_only_and_acts_only_when_asked_to(resources):
    written = str(statements(resources, "RouterRole"))
    assert "DeleteItem" not in written and "Scan" not in written
    for condition, pattern in [
        ("RouterHasTopics", "RouterTopicPattern"),
        ("RouterHasQueues", "RouterQueuePattern"),
        ("RouterHasBuses", "RouterBusPattern"),
        ("RouterMails", "DigestIdentityArn"),
    ]:
        (reach,) = only_when(condition, resources, "RouterRole").values()
        assert reach["Resource"] == {"Ref": pattern}
    acts = only_when("RouterActs", resources, "RouterRole").values()
    allowed = {action for act in acts for action in act["Action"]}
    assert {
        "ses:PutConfigurationSetSendingOptions",
        "ses:UpdateReputationEntityCustomerManagedStatus",
        "ses:DeleteEmailIdentityPolicy",
    } <= allowed
    always = [one for one in statements(resources, "RouterRole") if "Fn::If" not in one]
    assert "ses:" not in str(always)


def test_every_parameter_has_its_place_in_the_console(template):
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template["Parameters"])
