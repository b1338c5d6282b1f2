"""The controls for tests: faults, limits of calls, publications, the clock, snapshots and the call log."""

import io
import json
import time
import urllib.error
import zipfile

import botocore.exceptions
import pytest
from conftest import ACCOUNT, DELEGATE, REGION, refused, v2_mail

DOMAIN = "shop.example"


@pytest.fixture
def ses(world):
    ses = world.ses()
    ses.create_email_identity(EmailIdentity=DOMAIN)
    return ses


@pytest.fixture
def topic(world, ses):
    topic = world.topic()
    for kind in ("Bounce", "Delivery"):
        world.ses("ses").set_identity_notification_topic(Identity=DOMAIN, NotificationType=kind, SnsTopic=topic.arn)
    topic.texts()
    return topic


def send(ses, name: str = "success") -> str:
    return ses.send_email(**v2_mail(f"{name}@simulator.amazonses.com"))["MessageId"]


def test_one_call_a_second_but_not_for_sending(world, control, ses):
    control("PATCH", "/settings", {"second": 0.3})
    ses.get_account()
    with refused("TooManyRequestsException", "Rate exceeded"):
        ses.get_account()
    ses.get_email_identity(EmailIdentity=DOMAIN)
    world.ses(account=DELEGATE).get_account()
    v1 = world.ses("ses")
    v1.get_send_quota()
    with refused("Throttling", "Rate exceeded"):
        v1.get_send_quota()
    for _ in range(5):
        send(ses)
    time.sleep(0.31)
    ses.get_account()
    control("PATCH", "/settings", {"second": 0.3, "limit_scope": "account"})
    ses.get_account()
    with refused("TooManyRequestsException"):
        ses.get_email_identity(EmailIdentity=DOMAIN)


def test_the_sending_rate(control, ses):
    control("PATCH", f"/accounts/{ACCOUNT}", {"max_send_rate": 2})
    control("PATCH", "/settings", {"second": 5})
    send(ses)
    send(ses)
    with refused("TooManyRequestsException", "Maximum sending rate exceeded."):
        send(ses)


def test_failing_call_n(control, ses):
    fault = {
        "operation": "GetAccount",
        "call": 2,
        "times": 2,
        "error": {"code": "InternalServiceErrorException", "message": "down"},
    }
    control("POST", "/faults", fault)
    ses.get_account()
    for _ in range(2):
        with refused("InternalServiceErrorException", "down"):
            ses.get_account()
    ses.get_account()
    assert control("GET", "/faults")["faults"] == []


def test_throttling_on_request(world, control, ses):
    control("POST", "/faults", {"service": "ses", "throttle": True})
    ses.get_account()
    with refused("Throttling"):
        world.ses("ses").get_send_quota()


def test_a_late_answer(control, ses):
    control("POST", "/faults", {"operation": "GetAccount", "delay_seconds": 0.2})
    started = time.monotonic()
    ses.get_account()
    assert time.monotonic() - started >= 0.2


def test_an_answer_that_is_lost_after_the_call_took_effect(control, ses):
    control("POST", "/faults", {"operation": "PutSuppressedDestination", "lose_answer": True})
    with pytest.raises(botocore.exceptions.ConnectionClosedError):
        ses.put_suppressed_destination(EmailAddress="a@b.example", Reason="BOUNCE")
    assert ses.get_suppressed_destination(EmailAddress="a@b.example")["SuppressedDestination"]["Reason"] == "BOUNCE"


def test_an_unknown_field_of_a_fault_is_refused(control):
    with pytest.raises(urllib.error.HTTPError) as caught:
        control("POST", "/faults", {"operaton": "GetAccount"})
    assert b"operaton" in caught.value.read()


def test_publishing_twice(control, ses, topic):
    control("POST", "/publications/rules", {"kind": "Bounce", "times": 3})
    send(ses, "bounce")
    send(ses, "bounce")
    control.settle()
    ids = [one["bounce"]["feedbackId"] for one in topic.messages()]
    assert (len(ids), len(set(ids))) == (4, 2)


def test_publishing_again_what_was_published_before(control, ses, topic):
    send(ses, "bounce")
    send(ses)
    control.settle()
    first, *_ = topic.messages()
    (done,) = control("GET", "/publications?kind=Bounce&recipient=bounce@simulator.amazonses.com")["done"]
    assert done["body"] == first
    assert control("POST", "/publications/again", {"kind": "Bounce"}) == {"count": 1}
    control.settle()
    assert topic.messages() == [first]


def test_publishing_late_on_the_clock_of_the_local_ses(control, ses, topic):
    control("POST", "/publications/rules", {"kind": "Delivery", "delay_seconds": 3600})
    send(ses)
    control.settle()
    assert topic.messages() == []
    control("POST", "/clock", {"advanceSeconds": 3601})
    control.settle()
    assert len(topic.messages()) == 1


def test_publishing_out_of_order(control, ses, topic):
    control("POST", "/publications/hold")
    sent = [send(ses) for _ in range(3)]
    control.settle()
    assert topic.messages() == []
    control("POST", "/publications/release", {"order": "reversed"})
    control.settle()
    assert [one["mail"]["messageId"] for one in topic.messages()] == sent[::-1]
    control("POST", "/publications/hold")
    sent = [send(ses) for _ in range(3)]
    numbers = [one["number"] for one in control("GET", "/publications")["waiting"]]
    control("POST", "/publications/release", {"order": [numbers[1], numbers[0], numbers[2]]})
    control.settle()
    assert [one["mail"]["messageId"] for one in topic.messages()] == [sent[1], sent[0], sent[2]]


def test_an_outcome_after_hours(control, ses, topic):
    outcome = {
        "outcome": "bounce",
        "after": 7200,
        "bounceType": "Transient",
        "bounceSubType": "General",
        "status": "4.4.7",
        "diagnosticCode": "",
    }
    control("PUT", "/outcomes/slow@reader.example", {"outcomes": [{"outcome": "delivery"}, outcome]})
    ses.send_email(**v2_mail("slow@reader.example"))
    control.settle()
    assert [one["notificationType"] for one in topic.messages()] == ["Delivery"]
    control("POST", "/clock", {"advanceSeconds": 7201})
    control.settle()
    (found,) = topic.messages()
    assert found["bounce"]["bouncedRecipients"] == [
        {"emailAddress": "slow@reader.example", "action": "failed", "status": "4.4.7", "diagnosticCode": ""}
    ]


def test_a_report_about_a_message_that_was_sent_before(control, ses, topic):
    message_id = send(ses)
    control.settle()
    topic.messages()
    outcome = {
        "outcome": "bounce",
        "recipients": [
            "a@reader.example",
            {"emailAddress": "b@reader.example", "action": "delayed", "status": "4.2.2"},
        ],
    }
    control("POST", f"/messages/{message_id}/outcomes", {"outcomes": [outcome]})
    control.settle()
    (found,) = topic.messages()
    assert found["mail"]["messageId"] == message_id
    assert [one["action"] for one in found["bounce"]["bouncedRecipients"]] == ["failed", "delayed"]
    with pytest.raises(urllib.error.HTTPError):
        control("POST", f"/messages/{message_id}/outcomes", {"outcomes": [{"outcome": "explosion"}]})


def test_the_clock_can_be_set(control, ses):
    control("POST", "/clock", {"now": "2030-01-01T00:00:00Z"})
    ses.put_suppressed_destination(EmailAddress="a@b.example", Reason="BOUNCE")
    assert (
        ses.get_suppressed_destination(EmailAddress="a@b.example")["SuppressedDestination"]["LastUpdateTime"].year
        == 2030
    )


def test_a_snapshot_is_json_and_brings_everything_back(world, control, ses, topic):
    ses.create_configuration_set(ConfigurationSetName="news")
    ses.create_tenant(TenantName="acme")
    send(ses, "bounce")
    world.ses("ses").create_receipt_rule_set(RuleSetName="rules")
    before = json.loads(json.dumps(control("GET", "/state")))
    control("POST", "/reset")
    assert ses.list_email_identities()["EmailIdentities"] == []
    control("PUT", "/state", before)
    assert control("GET", "/state") == before
    assert ses.get_tenant(TenantName="acme")["Tenant"]["SendingStatus"] == "ENABLED"
    send(ses)


def test_the_call_log(world, control, ses):
    with refused("NotFoundException"):
        ses.get_tenant(TenantName="none")
    world.ses("ses", DELEGATE).get_send_quota()
    calls = control("GET", "/calls")["calls"]
    assert [(one["action"], one["status"], one["error"]) for one in calls] == [
        ("ses:CreateEmailIdentity", 200, None),
        ("ses:GetTenant", 404, "NotFoundException"),
        ("ses:GetSendQuota", 200, None),
    ]
    assert calls[0]["parameters"] == {"EmailIdentity": DOMAIN}
    ses.create_configuration_set(ConfigurationSetName="news")
    ses.send_email(**v2_mail("success@simulator.amazonses.com", ConfigurationSetName="news"))
    (sent,) = control("GET", "/calls?operation=SendEmail")["calls"]
    start = f"arn:aws:ses:{REGION}:{ACCOUNT}"
    assert sent["resources"] == [f"{start}:identity/{DOMAIN}", f"{start}:configuration-set/news"]
    (found,) = control("GET", f"/calls?account={DELEGATE}&after={calls[0]['number']}")["calls"]
    assert (found["identity"], found["service"], found["region"]) == (f"arn:aws:iam::{DELEGATE}:root", "ses", REGION)
    control("DELETE", "/calls")
    assert control("GET", "/calls")["calls"] == []


def test_a_function_calls_with_its_role(world, control):
    """The local AWS gives functions keys of their role; the call log shows the role, as CloudTrail would."""
    iam, functions = world.aws("iam"), world.aws("lambda")
    role = iam.create_role(RoleName="mailer", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", "import boto3\ndef handler(event, context): boto3.client('sesv2').get_account()")
    settings = {"Runtime": "python3.11", "Handler": "index.handler", "Role": role, "Timeout": 20}
    settings["Environment"] = {"Variables": {"AWS_ENDPOINT_URL_SESV2": world.server.url}}
    functions.create_function(FunctionName="mailer-function", Code={"ZipFile": archive.getvalue()}, **settings)
    answer = functions.invoke(FunctionName="mailer-function")
    assert "FunctionError" not in answer, answer["Payload"].read()
    (call,) = control("GET", "/calls")["calls"]
    assert (call["account"], call["identity"]) == (
        ACCOUNT,
        f"arn:aws:sts::{ACCOUNT}:assumed-role/mailer/mailer-function",
    )
    functions.delete_function(FunctionName="mailer-function")
