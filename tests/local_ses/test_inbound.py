"""Mail that arrives: the active receipt rule set and every action."""

import base64
import io
import json
import zipfile

import pytest
from conftest import ACCOUNT, REGION, allow_policy, refused

DOMAIN = "inbound.example"
MAIL = f"From: Jane <jane@client.example>\r\nTo: help@{DOMAIN}\r\nSubject: Question\r\n\r\nHow much is it?\r\n"
CODE = """
import json, os, boto3
def handler(event, context):
    boto3.client("s3").put_object(Bucket="function-calls", Key=event["Records"][0]["ses"]["mail"]["messageId"], Body=json.dumps(event))
    subject = event["Records"][0]["ses"]["mail"]["commonHeaders"]["subject"]
    if subject == "fail": raise RuntimeError("no")
    return {"disposition": subject}
"""


@pytest.fixture
def ses(world):
    ses = world.ses("ses")
    ses.verify_domain_identity(Domain=DOMAIN)
    ses.create_receipt_rule_set(RuleSetName="rules")
    ses.set_active_receipt_rule_set(RuleSetName="rules")
    return ses


def add_rule(ses, name: str, *actions: dict, after: str | None = None, **rule) -> None:
    definition = {"Name": name, "Enabled": True, "Actions": list(actions)} | rule
    ses.create_receipt_rule(RuleSetName="rules", Rule=definition, **({"After": after} if after else {}))


def deliver(world, text: str = MAIL, recipients=(f"help@{DOMAIN}",), **others) -> dict:
    body = {
        "raw": base64.b64encode(text.encode()).decode(),
        "recipients": list(recipients),
        "sender": "jane@client.example",
    }
    return world.control("POST", "/inbound", body | others)


@pytest.fixture
def bucket(world) -> str:
    s3 = world.aws("s3")
    s3.create_bucket(Bucket="mail")
    policy = allow_policy(
        "ses.amazonaws.com", "s3:PutObject", "arn:aws:s3:::mail/*", {"StringEquals": {"AWS:SourceAccount": ACCOUNT}}
    )
    s3.put_bucket_policy(Bucket="mail", Policy=policy)
    return "mail"


@pytest.fixture(scope="module")
def function(local_aws, server):
    from conftest import World

    world = World(server, local_aws)
    world.aws("s3").create_bucket(Bucket="function-calls")
    role = world.aws("iam").create_role(RoleName="inbound", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}]}
    world.aws("iam").put_role_policy(RoleName="inbound", PolicyName="write", PolicyDocument=json.dumps(allow))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", CODE)
    client = world.aws("lambda")
    settings = {"Runtime": "python3.11", "Handler": "index.handler", "Role": role, "Timeout": 20}
    arn = client.create_function(FunctionName="inbound", Code={"ZipFile": archive.getvalue()}, **settings)[
        "FunctionArn"
    ]
    return arn


@pytest.fixture
def allowed_function(world, function) -> str:
    client = world.aws("lambda")
    client.add_permission(
        FunctionName="inbound",
        StatementId="ses",
        Action="lambda:InvokeFunction",
        Principal="ses.amazonaws.com",
        SourceAccount=ACCOUNT,
    )
    yield function
    client.remove_permission(FunctionName="inbound", StatementId="ses")


def stored(world, bucket: str, key: str) -> bytes:
    return world.aws("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


def test_the_s3_action(world, ses, bucket):
    topic = world.topic()
    add_rule(ses, "store", {"S3Action": {"BucketName": bucket, "ObjectKeyPrefix": "in/", "TopicArn": topic.arn}})
    assert b"Setup Notification" in stored(world, bucket, "in/AMAZON_SES_SETUP_NOTIFICATION")
    answer = deliver(world)
    assert stored(world, bucket, f"in/{answer['messageId']}") == MAIL.encode()
    (found,) = topic.messages()
    assert found.keys() == {"notificationType", "mail", "receipt"}, "the notification of an action has no content"
    assert found["receipt"]["action"] == {
        "type": "S3",
        "topicArn": topic.arn,
        "bucketName": bucket,
        "objectKeyPrefix": "in/",
        "objectKey": f"in/{answer['messageId']}",
    }


def test_the_sns_action_as_documented(world, ses):
    """https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-examples.html"""
    plain, encoded = world.topic(), world.topic()
    add_rule(
        ses,
        "publish",
        {"SNSAction": {"TopicArn": plain.arn}},
        {"SNSAction": {"TopicArn": encoded.arn, "Encoding": "Base64"}},
    )
    verdicts = {"spamVerdict": "FAIL", "dmarcVerdict": "FAIL"}
    answer = deliver(world, verdicts=verdicts, dmarcPolicy="reject")
    (found,) = plain.messages()
    assert found["notificationType"] == "Received" and found["content"] == MAIL
    mail, receipt = found["mail"], found["receipt"]
    assert (mail["messageId"], mail["source"], mail["destination"]) == (
        answer["messageId"],
        "jane@client.example",
        [f"help@{DOMAIN}"],
    )
    assert mail["commonHeaders"] == {
        "returnPath": "jane@client.example",
        "from": ["Jane <jane@client.example>"],
        "to": [f"help@{DOMAIN}"],
        "subject": "Question",
    }
    assert receipt["recipients"] == [f"help@{DOMAIN}"]
    assert (receipt["spamVerdict"], receipt["virusVerdict"]) == ({"status": "FAIL"}, {"status": "PASS"})
    assert receipt["dmarcPolicy"] == "reject"
    assert receipt["action"] == {"type": "SNS", "topicArn": plain.arn, "encoding": "UTF8"}
    (other,) = encoded.messages()
    assert base64.b64decode(other["content"]).decode() == MAIL and other["receipt"]["action"]["encoding"] == "BASE64"


@pytest.mark.parametrize(
    "subject, disposition, ran",
    [
        ("CONTINUE", "CONTINUE", ["Lambda", "AddHeader", "AddHeader"]),
        ("STOP_RULE", "STOP_RULE", ["Lambda", "AddHeader"]),
        ("STOP_RULE_SET", "STOP_RULE_SET", ["Lambda"]),
        ("nonsense", "CONTINUE", ["Lambda", "AddHeader", "AddHeader"]),
        ("fail", None, ["Lambda", "AddHeader", "AddHeader"]),
    ],
)
def test_the_disposition_of_a_function_is_obeyed(world, ses, allowed_function, subject, disposition, ran):
    header = {"AddHeaderAction": {"HeaderName": "X-Seen", "HeaderValue": "yes"}}
    add_rule(
        ses, "ask", {"LambdaAction": {"FunctionArn": allowed_function, "InvocationType": "RequestResponse"}}, header
    )
    add_rule(ses, "then", header, after="ask")
    answer = deliver(world, MAIL.replace("Question", subject))
    assert [one["type"] for one in answer["actions"]] == ran
    assert answer["actions"][0].get("disposition") == disposition
    event = json.loads(stored(world, "function-calls", answer["messageId"]))
    (record,) = event["Records"]
    assert (record["eventSource"], record["eventVersion"]) == ("aws:ses", "1.0")
    assert record["ses"]["receipt"]["action"] == {
        "type": "Lambda",
        "functionArn": allowed_function,
        "invocationType": "RequestResponse",
    }
    assert "content" not in record["ses"]


def test_an_event_invocation_does_not_wait(world, ses, allowed_function):
    add_rule(ses, "tell", {"LambdaAction": {"FunctionArn": allowed_function}}, {"StopAction": {"Scope": "RuleSet"}})
    answer = deliver(world, MAIL.replace("Question", "STOP_RULE"))
    assert [(one["type"], one["disposition"]) for one in answer["actions"]] == [
        ("Lambda", "CONTINUE"),
        ("Stop", "STOP_RULE_SET"),
    ]


def test_what_actions_name_must_let_ses_in(world, ses, function):
    world.aws("s3").create_bucket(Bucket="closed")
    with refused("InvalidS3Configuration", "Could not write to bucket: closed"):
        add_rule(ses, "one", {"S3Action": {"BucketName": "closed"}})
    with refused("InvalidS3Configuration", "Could not write to bucket: missing"):
        add_rule(ses, "one", {"S3Action": {"BucketName": "missing"}})
    closed = world.topic(allow=False)
    with refused("InvalidSnsTopic", f"Could not publish to SNS topic: {closed.arn}"):
        add_rule(ses, "one", {"SNSAction": {"TopicArn": closed.arn}})
    with refused("InvalidLambdaFunction", f"Could not invoke Lambda function: {function}"):
        add_rule(ses, "one", {"LambdaAction": {"FunctionArn": function}})
    with refused("LocalSesNotModelled", "WorkmailAction"):
        add_rule(
            ses, "one", {"WorkmailAction": {"OrganizationArn": f"arn:aws:workmail:{REGION}:{ACCOUNT}:organization/m-1"}}
        )


def test_the_bounce_action_and_added_headers(world, ses):
    topic = world.topic()
    bounce = {"SmtpReplyCode": "550", "StatusCode": "5.1.1", "Message": "No such mailbox", "Sender": f"mailer@{DOMAIN}"}
    add_rule(
        ses,
        "refuse",
        {"AddHeaderAction": {"HeaderName": "X-Seen", "HeaderValue": "yes"}},
        {"SNSAction": {"TopicArn": topic.arn}},
        {"BounceAction": bounce},
    )
    deliver(world)
    (found,) = topic.messages()
    assert found["content"] == "X-Seen: yes\r\n" + MAIL
    (mail,) = world.control.outbox("?kind=bounce")
    assert mail["recipients"] == ["jane@client.example"]
    assert "Diagnostic-Code: smtp; 550 5.1.1 No such mailbox" in mail["text"]


def test_which_rules_match(world, ses):
    header = {"AddHeaderAction": {"HeaderName": "X-Seen", "HeaderValue": "yes"}}
    rules = {"all": [], "address": [f"help@{DOMAIN}"], "domain": [DOMAIN], "subdomains": [f".{DOMAIN}"]}
    for name, recipients in rules.items():
        add_rule(ses, name, header, Recipients=recipients)
    add_rule(ses, "off", header, Enabled=False)

    def matched(*recipients: str) -> set[str]:
        return {one["rule"] for one in deliver(world, recipients=recipients)["actions"]}

    assert matched(f"help@{DOMAIN}") == {"all", "address", "domain"}
    assert matched(f"Help+label@{DOMAIN}") == {"all", "address", "domain"}
    assert matched(f"other@{DOMAIN}") == {"all", "domain"}
    assert matched(f"a@sub.{DOMAIN}") == {"all", "subdomains"}


def test_without_active_rules_and_from_blocked_addresses_mail_is_refused(world, ses):
    add_rule(ses, "first", {"StopAction": {"Scope": "RuleSet"}})
    ses.create_receipt_filter(Filter={"Name": "block", "IpFilter": {"Policy": "Block", "Cidr": "203.0.113.0/24"}})
    ses.create_receipt_filter(Filter={"Name": "allow", "IpFilter": {"Policy": "Allow", "Cidr": "203.0.113.7"}})
    assert deliver(world, sourceIp="203.0.113.9")["accepted"] is False
    assert deliver(world, sourceIp="203.0.113.7")["accepted"] is True
    ses.set_active_receipt_rule_set()
    assert ses.describe_active_receipt_rule_set().get("Rules", []) == []
    assert deliver(world)["accepted"] is False


def test_send_bounce_within_24_hours(world, ses):
    add_rule(ses, "first", {"StopAction": {"Scope": "RuleSet"}})
    message_id = deliver(world)["messageId"]
    bounce = {"OriginalMessageId": message_id, "BounceSender": f"mailer@{DOMAIN}"}
    bounce["BouncedRecipientInfoList"] = [{"Recipient": f"help@{DOMAIN}", "BounceType": "ContentRejected"}]
    ses.send_bounce(**bounce)
    (mail,) = world.control.outbox("?kind=bounce")
    assert "Status: 5.6.1" in mail["text"] and mail["recipients"] == ["jane@client.example"]
    with refused("MessageRejected"):
        ses.send_bounce(**bounce | {"OriginalMessageId": "unknown"})
    world.control("POST", "/clock", {"advanceSeconds": 24 * 3600 + 1})
    with refused("MessageRejected"):
        ses.send_bounce(**bounce)


def test_errors_of_rule_sets(world, ses):
    with refused("CannotDelete", "Cannot delete active rule set: rules"):
        ses.delete_receipt_rule_set(RuleSetName="rules")
    with refused("RuleSetDoesNotExist"):
        ses.describe_receipt_rule_set(RuleSetName="none")
    with refused("AlreadyExists"):
        ses.create_receipt_rule_set(RuleSetName="rules")
    add_rule(ses, "one", {"StopAction": {"Scope": "RuleSet"}})
    with refused("AlreadyExists"):
        add_rule(ses, "one", {"StopAction": {"Scope": "RuleSet"}})
    with refused("RuleDoesNotExist"):
        add_rule(ses, "two", {"StopAction": {"Scope": "RuleSet"}}, after="none")
