"""Access from outside, permissions of roles, encryption and retention."""

import json

import pytest
from conftest import ACCOUNT, EVERYTHING, KEY, listed, of_type, statements_of

# Actions without resources in the AWS service authorization reference, or whose resource has no ARN.
WITHOUT_RESOURCE = {
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    # The suppression list of the account has no ARN.
    "ses:PutSuppressedDestination",
    "ses:DeleteSuppressedDestination",
    # The settings API of the first version.
    "ses:GetIdentityNotificationAttributes",
    "ses:SetIdentityNotificationTopic",
    "ses:SetIdentityHeadersInNotificationsEnabled",
    "ses:SetIdentityFeedbackForwardingEnabled",
}


def of_queues(resources: dict) -> dict:
    return of_type(resources, "AWS::SQS::Queue")


def policies_of(resources: dict, kind: str, field: str) -> dict[str, list[dict]]:
    """Statements by the resource that they are attached to."""
    found = {}
    for policy in of_type(resources, kind).values():
        for target in listed(policy[field]):
            assert target not in found, f"{target} has two policies, of which one is effective"
            found[target] = policy["PolicyDocument"]["Statement"]
    return found


def test_roles_name_their_resources(everything):
    roles = of_type(everything, "AWS::IAM::Role")
    assert len(roles) == 10
    for name, role in roles.items():
        for one in statements_of(role):
            if "*" in listed(one["Resource"]):
                assert set(listed(one["Action"])) <= WITHOUT_RESOURCE, f"{name} {one['Sid']}"
            assert "*" not in listed(one["Action"])


def test_each_function_has_its_own_role(everything):
    functions = of_type(everything, "AWS::Serverless::Function")
    roles = [function["Role"] for function in functions.values()]
    assert len(functions) == 8 and len(set(roles)) == 8
    assert not any("Policies" in function for function in functions.values())


def test_roles_can_access_rows_of_the_table_by_key_only(everything):
    for name, role in of_type(everything, "AWS::IAM::Role").items():
        for one in statements_of(role):
            if one["Sid"] == "ReadStream":
                assert one["Resource"] == "<Table.Arn>/stream/*"
            elif any(action.startswith("dynamodb:") for action in listed(one["Action"])):
                (condition,) = one["Condition"].values()
                assert condition["dynamodb:LeadingKeys"], f"{name} {one['Sid']}"
                assert "*" not in condition["dynamodb:LeadingKeys"]


@pytest.mark.parametrize(
    "kind, policy_kind, field",
    [
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues"),
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics"),
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket"),
    ],
)
def test_requests_without_tls_are_denied(everything, kind, policy_kind, field):
    policies = policies_of(everything, policy_kind, field)
    assert sorted(policies) == sorted(f"<{name}>" for name in of_type(everything, kind))
    for target, statements in policies.items():
        denied = [one for one in statements if one["Effect"] == "Deny"]
        assert [one["Sid"] for one in denied] == ["DenyInsecureTransport"], target
        assert denied[0]["Principal"] == "*"
        assert denied[0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_only_the_feedback_topic_and_roles_can_send_to_queues(everything):
    open_to = {}
    for queue, statements in policies_of(everything, "AWS::SQS::QueuePolicy", "Queues").items():
        for one in statements:
            if one["Effect"] == "Allow":
                assert (one["Action"], one["Principal"]) == ("sqs:SendMessage", {"Service": "sns.amazonaws.com"})
                assert list(one["Condition"]) == ["ArnEquals"]
                open_to[queue] = one["Condition"]["ArnEquals"]["aws:SourceArn"]
    fed = [
        "<FeedbackQueue>",
        "<FeedbackDeadLetterQueue>",
        "<RouterQueue>",
        "<RouterDeadLetterQueue>",
        "<ArchiveDeadLetterQueue>",
    ]
    assert open_to == dict.fromkeys(fed, "<FeedbackTopic>")


def test_ses_can_publish_for_identities_and_configuration_sets_of_known_accounts(everything, stack):
    own, others, _ = policies_of(everything, "AWS::SNS::TopicPolicy", "Topics")["<FeedbackTopic>"]
    for one, accounts, account in [
        (own, ACCOUNT, ACCOUNT),
        (others, ["222233334444", "333344445555"], "*"),
    ]:
        assert (one["Action"], one["Principal"]) == ("sns:Publish", {"Service": "ses.amazonaws.com"})
        assert one["Condition"] == {
            "StringEquals": {"AWS:SourceAccount": accounts},
            "ArnLike": {
                "AWS:SourceArn": [
                    f"arn:aws:ses:eu-west-1:{account}:identity/*",
                    f"arn:aws:ses:eu-west-1:{account}:configuration-set/*",
                ]
            },
        }
    alone = policies_of(stack(), "AWS::SNS::TopicPolicy", "Topics")["<FeedbackTopic>"]
    assert [one["Sid"] for one in alone] == ["AllowSesOfThisAccount", "DenyInsecureTransport"]


def test_policies_allow_services_only_and_only_for_known_accounts(everything):
    policies = [
        *policies_of(everything, "AWS::SQS::QueuePolicy", "Queues").values(),
        *policies_of(everything, "AWS::SNS::TopicPolicy", "Topics").values(),
        *policies_of(everything, "AWS::S3::BucketPolicy", "Bucket").values(),
        everything["Key"]["Properties"]["KeyPolicy"]["Statement"],
    ]
    for one in (one for statements in policies for one in statements if one["Effect"] == "Allow"):
        if one["Sid"] == "AllowIamPolicies":
            assert one["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
            continue
        assert list(one["Principal"]) == ["Service"], one["Sid"]
        pinned = json.dumps(one["Condition"])
        assert any(known in pinned for known in (ACCOUNT, "222233334444", "<FeedbackTopic>")), one["Sid"]


@pytest.mark.parametrize("key, used", [("create", "<Key.Arn>"), (KEY, KEY)])
def test_a_customer_managed_key_encrypts_all_data_at_rest(stack, key, used):
    resources = stack(**EVERYTHING | {"KmsKeyArn": key})
    assert ("Key" in resources) == (key == "create")
    for queue in of_queues(resources).values():
        assert (queue["KmsMasterKeyId"], queue["SqsManagedSseEnabled"]) == (used, False)
    for topic in of_type(resources, "AWS::SNS::Topic").values():
        assert topic["KmsMasterKeyId"] == used
    for bucket in of_type(resources, "AWS::S3::Bucket").values():
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": used}
    for group in of_type(resources, "AWS::Logs::LogGroup").values():
        assert group["KmsKeyId"] == used
    (table,) = of_type(resources, "AWS::DynamoDB::Table").values()
    assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": used}
    (secret,) = of_type(resources, "AWS::SecretsManager::Secret").values()
    assert secret["KmsKeyId"] == used
    (stream,) = of_type(resources, "AWS::KinesisFirehose::DeliveryStream").values()
    encryption = stream["DeliveryStreamEncryptionConfigurationInput"]
    assert encryption == {"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": used}


def test_roles_can_use_the_key_only_through_the_services_that_they_use(everything, stack):
    services = {"dynamodb", "s3", "secretsmanager", "sns", "sqs"}
    for name, role in of_type(everything, "AWS::IAM::Role").items():
        statements = statements_of(role)
        actions = [action for one in statements for action in listed(one["Action"])]
        keys = [one for one in statements if one["Sid"] == "UseKey"]
        if name == "ArchiveSubscriptionRole":
            assert keys == []
            continue
        (one,) = keys
        # Of this Region, in every partition: amazonaws.com, amazonaws.eu.
        assert all(via.endswith(".eu-west-1.amazonaws.*") for via in listed(one["Condition"]["StringLike"]["kms:ViaService"]))
        assert one["Resource"] == "<Key.Arn>"
        via = {service.split(".")[0] for service in listed(one["Condition"]["StringLike"]["kms:ViaService"])}
        assert via == services & {action.split(":")[0] for action in actions}, name
    assert "kms:" not in json.dumps(of_type(stack(Inbound="on", Router="on"), "AWS::IAM::Role"))


def test_without_a_customer_managed_key_everything_but_topics_of_services_is_encrypted(stack):
    resources = stack(**EVERYTHING | {"KmsKeyArn": ""})
    for queue in of_queues(resources).values():
        assert queue["SqsManagedSseEnabled"] is True and "KmsMasterKeyId" not in queue
    for bucket in of_type(resources, "AWS::S3::Bucket").values():
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    (table,) = of_type(resources, "AWS::DynamoDB::Table").values()
    assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
    # SES and CloudWatch publish to these topics, and cannot use a key that AWS manages.
    plain = {name for name, topic in of_type(resources, "AWS::SNS::Topic").items() if "KmsMasterKeyId" not in topic}
    assert plain == {"FeedbackTopic", "ProblemsTopic", "AlarmTopic"}


def test_the_key_is_rotated_and_retained_and_its_policy_names_accounts(everything):
    key = everything["Key"]
    assert key["DeletionPolicy"] == key["UpdateReplacePolicy"] == "Retain"
    assert key["Properties"]["EnableKeyRotation"] is True
    statements = {one["Sid"]: one for one in key["Properties"]["KeyPolicy"]["Statement"]}
    ses = statements["AllowSesOfThisAccount"]
    assert set(ses["Action"]) == {"kms:GenerateDataKey*", "kms:Decrypt"}
    assert ses["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    services = {one["Principal"].get("Service") for one in statements.values()} - {None}
    assert services == {
        "ses.amazonaws.com",
        "sns.amazonaws.com",
        "cloudwatch.amazonaws.com",
        "logs.eu-west-1.amazonaws.com",
    }


def test_buckets_are_private_and_expire(everything):
    buckets = of_type(everything, "AWS::S3::Bucket")
    assert set(buckets) == {"ArchiveBucket", "MailBucket"}
    for bucket in buckets.values():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        (rule,) = bucket["LifecycleConfiguration"]["Rules"]
        assert rule["Status"] == "Enabled" and int(rule["ExpirationInDays"]) > 0


def test_reserved_concurrency_and_tracing_are_optional(stack):
    functions = of_type(stack(**EVERYTHING), "AWS::Serverless::Function")
    assert not any("ReservedConcurrentExecutions" in function for function in functions.values())
    reserved = {f"{name}ReservedConcurrency": "7" for name in ("Feedback", "Router", "Mirror", "Inbound", "Unsubscribe")}
    functions = of_type(stack(**EVERYTHING | reserved), "AWS::Serverless::Function")
    found = {name: function.get("ReservedConcurrentExecutions") for name, function in functions.items()}
    # It has one invocation for each shard of the stream.
    assert found.pop("SuppressionChangesFunction") is None
    assert found.pop("ReputationMonitorFunction") is None
    assert found.pop("SettingsGuardFunction") is None and list(found.values()) == ["7"] * 5
    assert {function["Tracing"] for function in functions.values()} == {"Active"}
    assert {function["Tracing"] for function in of_type(stack(), "AWS::Serverless::Function").values()} == {"PassThrough"}
    traced = [role for role in of_type(stack(**EVERYTHING), "AWS::IAM::Role").values() if "xray" in json.dumps(role)]
    assert len(traced) == 8
    assert "xray" not in json.dumps(stack(Router="on", Inbound="on"))
