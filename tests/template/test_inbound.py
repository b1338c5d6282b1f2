"""Mail that arrives: SES stores it, asks the function, and may do nothing else."""

import re

import pytest
from conftest import ACCOUNT, EVERYTHING, ROOT, of_type, statements_of

RULES = f"arn:aws:ses:eu-west-1:{ACCOUNT}:receipt-rule-set"


def test_nothing_of_it_unless_asked_for(stack):
    parts = ("Inbound", "MailBucket", "Receipt", "Unsubscribe")
    assert not [name for name in stack() if name.startswith(parts)]


def test_the_rule_stores_first_and_asks_then(stack):
    resources = stack(Inbound="on", ReceiptRecipients="help@example.com,example.org", ReceiptTls="Require")
    rule = resources["ReceiptRule"]["Properties"]
    assert rule["RuleSetName"] == "<ReceiptRuleSet>"
    assert rule["Rule"]["Recipients"] == ["help@example.com", "example.org"]
    assert (rule["Rule"]["ScanEnabled"], rule["Rule"]["TlsPolicy"], rule["Rule"]["Enabled"]) == (True, "Require", True)
    store, ask = rule["Rule"]["Actions"]
    # A KMS key here would be encryption on the client's side, which the function refuses.
    assert store == {"S3Action": {"BucketName": "<MailBucket>", "ObjectKeyPrefix": "mail/"}}
    assert ask == {"LambdaAction": {"FunctionArn": "<InboundFunction.Arn>", "InvocationType": "RequestResponse"}}
    assert set(resources["ReceiptRule"]["DependsOn"]) == {"MailBucketPolicy", "InboundPermission"}
    assert "Recipients" not in stack(Inbound="on")["ReceiptRule"]["Properties"]["Rule"]


@pytest.mark.parametrize(
    "parameters, made, trusted",
    [
        ({}, {"ReceiptRuleSet", "ReceiptRule"}, f"{RULES}/<ReceiptRuleSet>:receipt-rule/*"),
        ({"ReceiptRuleSetName": "mine"}, {"ReceiptRuleSet", "ReceiptRule"}, f"{RULES}/<ReceiptRuleSet>:receipt-rule/*"),
        (
            {"ReceiptRules": "join", "ReceiptRuleSetName": "theirs", "ReceiptRuleAfter": "spam"},
            {"ReceiptRule"},
            f"{RULES}/theirs:receipt-rule/*",
        ),
        ({"ReceiptRules": "none", "ReceiptRuleSetName": "theirs"}, set(), f"{RULES}/theirs:receipt-rule/*"),
        ({"ReceiptRules": "none"}, set(), f"{RULES}/*:receipt-rule/*"),
    ],
)
def test_rules_of_one_rule_set_store_and_invoke(stack, parameters, made, trusted):
    resources = stack(Inbound="on", **parameters)
    assert {name for name in resources if name.startswith("ReceiptRule") and "Alarm" not in name} == made
    if "ReceiptRuleAfter" in parameters:
        assert resources["ReceiptRule"]["Properties"]["After"] == "spam"
        assert resources["ReceiptRule"]["Properties"]["RuleSetName"] == "theirs"
    (store, _) = resources["MailBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (store["Principal"], store["Action"]) == ({"Service": "ses.amazonaws.com"}, "s3:PutObject")
    assert store["Resource"] == "<MailBucket.Arn>/mail/*"
    source = {"AWS:SourceArn": trusted}
    assert store["Condition"] == {"StringEquals": {"AWS:SourceAccount": ACCOUNT}, "ArnLike": source}
    invoke = resources["InboundPermission"]["Properties"]
    assert (invoke["Principal"], invoke["Action"]) == ("ses.amazonaws.com", "lambda:InvokeFunction")
    assert (invoke["SourceAccount"], invoke["SourceArn"]) == (ACCOUNT, trusted)


def test_the_function_is_told_all_it_asks_for(everything):
    source = (ROOT / "functions" / "inbound" / "src" / "settings.rs").read_text().split("#[cfg(test)]")[0]
    read = set(re.findall(r'(?:need|set|get|at_least_one|between|address|disposition)\(\s*(?:&set, )?"([A-Z_]+)"', source))
    assert {"MAIL_BUCKET", "MAIL_PREFIX", "BOUNCE_SENDER", "TIME_BUDGET_SECONDS"} <= read
    told = set(everything["InboundFunction"]["Properties"]["Environment"]["Variables"])
    # How much of a mail is read, and how often it may have been passed on, follow from memory and from custom.
    left = {
        "HEADER_BYTES",
        "HEADER_FIELDS",
        "REPORT_PARTS",
        "REPORT_BYTES",
        "FORWARD_BYTES",
        "OWN_HOPS",
        "RECEIVED_HOPS",
        "CLAIM_SECONDS",
        "CONCURRENCY",
    }
    assert read - told == left
    assert told - read == {"LOG_LEVEL"}


def test_it_answers_while_ses_waits_and_finishes_through_its_queue(template, everything):
    function = everything["InboundFunction"]["Properties"]
    # SES waits for 30 seconds.
    assert function["Timeout"] == 30
    assert template["Parameters"]["TimeBudgetSeconds"]["MaxValue"] < function["Timeout"]
    (event,) = function["Events"].values()
    assert event["Properties"]["Queue"] == "<InboundQueue.Arn>"
    assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    failed = function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
    assert failed == {"Type": "SQS", "Destination": "<InboundDeadLetterQueue.Arn>"}
    redrive = everything["InboundQueue"]["Properties"]["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == "<InboundDeadLetterQueue.Arn>"


def test_mail_is_sent_from_named_identities_only(stack):
    identity = EVERYTHING["InboundIdentityArns"]
    statements = {one["Sid"]: one for one in statements_of(of_type(stack(**EVERYTHING), "AWS::IAM::Role")["InboundRole"])}
    assert statements["ForwardAndAnswer"]["Resource"] == [identity]
    assert statements["SendWithTheConfigurationSet"]["Resource"].endswith(":configuration-set/forwards")
    silent = statements_of(of_type(stack(Inbound="on"), "AWS::IAM::Role")["InboundRole"])
    assert "ses:" not in str([one["Action"] for one in silent])


def test_the_secret_that_signs_is_long_plain_text_and_stays(everything):
    secret = everything["UnsubscribeSecret"]
    assert secret["DeletionPolicy"] == "Retain"
    generated = secret["Properties"]["GenerateSecretString"]
    # The function wants at least 32 characters, and no JSON.
    assert generated == {"PasswordLength": 64, "ExcludePunctuation": True}
