"""Inbound mail: SES may store it and invoke the function, and nothing else."""

import pytest
from conftest import ACCOUNT, EVERYTHING, of_type, statements_of

RULES = f"arn:aws:ses:eu-west-1:{ACCOUNT}:receipt-rule-set"


def test_by_default_there_is_nothing_for_inbound_mail(stack):
    parts = ("Inbound", "MailBucket", "Receipt", "Receiving", "Unsubscribe")
    assert not [name for name in stack() if name.startswith(parts)]


def test_the_rule_first_stores_the_mail_and_then_invokes_the_function(stack):
    resources = stack(Inbound="on", ReceiptRecipients="help@example.com,example.org", ReceiptTls="Require")
    rule = resources["ReceiptRule"]["Properties"]
    assert rule["RuleSetName"] == "<ReceiptRuleSet>"
    assert rule["Rule"]["Recipients"] == ["help@example.com", "example.org"]
    assert (rule["Rule"]["ScanEnabled"], rule["Rule"]["TlsPolicy"], rule["Rule"]["Enabled"]) == (True, "Require", True)
    store, invoke = rule["Rule"]["Actions"]
    # With a KMS key SES would encrypt on the client's side, which the function cannot decrypt.
    assert store == {"S3Action": {"BucketName": "<MailBucket>", "ObjectKeyPrefix": "mail/"}}
    assert invoke == {"LambdaAction": {"FunctionArn": "<InboundFunction.Arn>", "InvocationType": "RequestResponse"}}
    # SES checks both permissions before it accepts the rule.
    assert set(resources["ReceivingStack"]["DependsOn"]) == {"MailBucketPolicy", "InboundPermission"}
    assert "Recipients" not in stack(Inbound="on")["ReceiptRule"]["Properties"]["Rule"]


@pytest.mark.parametrize(
    "parameters, created, rule_set",
    [
        ({}, {"ReceiptRuleSet", "ReceiptRule"}, "postroom"),
        ({"ReceiptRuleSetName": "mine"}, {"ReceiptRuleSet", "ReceiptRule"}, "mine"),
        (
            {"ReceiptRules": "join", "ReceiptRuleSetName": "theirs", "ReceiptRuleAfter": "spam"},
            {"ReceiptRule"},
            "theirs",
        ),
        ({"ReceiptRules": "none", "ReceiptRuleSetName": "theirs"}, set(), "theirs"),
        ({"ReceiptRules": "none"}, set(), "*"),
    ],
)
def test_rules_of_one_rule_set_may_store_mail_and_invoke_the_function(stack, parameters, created, rule_set):
    resources = stack(Inbound="on", **parameters)
    assert {name for name in resources if name.startswith("ReceiptRule") and "Alarm" not in name} == created
    if "ReceiptRuleSet" in created:
        assert resources["ReceiptRuleSet"]["Properties"]["RuleSetName"] == rule_set
        assert stack("Outputs", Inbound="on", **parameters)["ReceiptRuleSetName"]["Value"] == rule_set
    if "ReceiptRuleAfter" in parameters:
        assert resources["ReceiptRule"]["Properties"]["After"] == "spam"
        assert resources["ReceiptRule"]["Properties"]["RuleSetName"] == "theirs"
    trusted = f"{RULES}/{rule_set}:receipt-rule/*"
    (store, _) = resources["MailBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (store["Principal"], store["Action"]) == ({"Service": "ses.amazonaws.com"}, "s3:PutObject")
    assert store["Resource"] == "<MailBucket.Arn>/mail/*"
    source = {"AWS:SourceArn": trusted}
    assert store["Condition"] == {"StringEquals": {"AWS:SourceAccount": ACCOUNT}, "ArnLike": source}
    invoke = resources["InboundPermission"]["Properties"]
    assert (invoke["Principal"], invoke["Action"]) == ("ses.amazonaws.com", "lambda:InvokeFunction")
    assert (invoke["SourceAccount"], invoke["SourceArn"]) == (ACCOUNT, trusted)


def test_it_answers_within_the_time_that_ses_waits_and_completes_the_rest_through_its_queue(template, everything):
    function = everything["InboundFunction"]["Properties"]
    # SES waits for 30 seconds.
    assert function["Timeout"] == 30
    assert template["Parameters"]["TimeBudgetSeconds"]["MaxValue"] < function["Timeout"]
    (event,) = function["Events"].values()
    assert event["Properties"]["Queue"] == "<InboundQueue.Arn>"
    assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    failed = function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
    assert failed == {"Type": "SQS", "Destination": "<InboundDeadLetterQueue.Arn>"}


def test_mail_is_sent_from_listed_identities_only(stack):
    identity = EVERYTHING["InboundIdentityArns"]
    statements = {one["Sid"]: one for one in statements_of(of_type(stack(**EVERYTHING), "AWS::IAM::Role")["InboundRole"])}
    assert statements["SendMail"]["Resource"] == [identity]
    assert statements["UseConfigurationSet"]["Resource"].endswith(":configuration-set/forwards")
    without = statements_of(of_type(stack(Inbound="on"), "AWS::IAM::Role")["InboundRole"])
    assert "ses:" not in str([one["Action"] for one in without])


def test_the_signing_secret_is_long_plain_text_and_retained(everything):
    secret = everything["UnsubscribeSecret"]
    assert secret["DeletionPolicy"] == "Retain"
    generated = secret["Properties"]["GenerateSecretString"]
    # The function requires at least 32 characters, and no JSON.
    assert generated == {"PasswordLength": 64, "ExcludePunctuation": True}
