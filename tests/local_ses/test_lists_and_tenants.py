"""Suppression lists, import jobs, tenants, reputation and recommendations."""

import json
import time

import pytest
from conftest import ACCOUNT, REGION, allow_policy, refused, v2_mail

DOMAIN = "shop.example"
JANE = "jane@reader.example"


@pytest.fixture
def ses(world):
    ses = world.ses()
    ses.create_email_identity(EmailIdentity=DOMAIN)
    return ses


@pytest.fixture
def topic(world, ses):
    topic = world.topic()
    for kind in ("Bounce", "Complaint"):
        world.ses("ses").set_identity_notification_topic(Identity=DOMAIN, NotificationType=kind, SnsTopic=topic.arn)
    topic.texts()
    return topic


def bounces(control, address: str = JANE, **outcome) -> None:
    control("PUT", f"/outcomes/{address}", {"outcomes": [{"outcome": "bounce"} | outcome]})


def send(control, ses, to: str = JANE, **others) -> None:
    ses.send_email(**v2_mail(to, **others))
    control.settle()


def suppressed(ses, **others) -> dict[str, str]:
    found = ses.list_suppressed_destinations(**others)["SuppressedDestinationSummaries"]
    return {one["EmailAddress"]: one["Reason"] for one in found}


def test_a_hard_bounce_is_listed_and_the_next_mail_is_not_sent(control, ses, topic):
    bounces(control)
    send(control, ses)
    send(control, ses)
    first, second = topic.messages()
    assert first["bounce"]["bounceSubType"] == "General"
    assert second["bounce"]["bounceSubType"] == "OnAccountSuppressionList"
    assert (
        "because it is on the suppression list for your account"
        in second["bounce"]["bouncedRecipients"][0]["diagnosticCode"]
    )
    assert "remoteMtaIp" not in second["bounce"], "SES asked no other server"
    entry = ses.get_suppressed_destination(EmailAddress="Jane@Reader.example")["SuppressedDestination"]
    assert entry["Attributes"] == {"MessageId": first["mail"]["messageId"], "FeedbackId": first["bounce"]["feedbackId"]}


def test_only_the_reasons_that_count_are_listed(control, ses, topic):
    ses.put_account_suppression_attributes(SuppressedReasons=["COMPLAINT"])
    bounces(control)
    send(control, ses)
    bounces(control, "full@reader.example", bounceType="Transient", bounceSubType="MailboxFull")
    send(control, ses, "full@reader.example")
    control("PUT", "/outcomes/angry@reader.example", {"outcomes": [{"outcome": "complaint"}]})
    send(control, ses, "angry@reader.example")
    send(control, ses, "bounce@simulator.amazonses.com")
    assert suppressed(ses) == {"angry@reader.example": "COMPLAINT"}


def test_a_configuration_set_overrides_the_account(control, ses):
    ses.create_configuration_set(ConfigurationSetName="news", SuppressionOptions={"SuppressedReasons": []})
    bounces(control)
    send(control, ses, ConfigurationSetName="news")
    assert suppressed(ses) == {}
    ses.put_suppressed_destination(EmailAddress=JANE, Reason="BOUNCE")
    bounces(control, bounceType="Transient")
    send(control, ses, ConfigurationSetName="news")
    assert control("GET", "/publications")["done"][-1]["error"] is None


def test_listing_by_reason_date_and_page(control, ses):
    for number in range(5):
        ses.put_suppressed_destination(
            EmailAddress=f"{number}@reader.example", Reason="BOUNCE" if number % 2 else "COMPLAINT"
        )
    assert suppressed(ses, Reasons=["BOUNCE"]) == {"1@reader.example": "BOUNCE", "3@reader.example": "BOUNCE"}
    assert suppressed(ses, StartDate=time.time() + 60) == {}
    seen, token = [], None
    while True:
        answer = ses.list_suppressed_destinations(PageSize=2, **({"NextToken": token} if token else {}))
        seen += [one["EmailAddress"] for one in answer["SuppressedDestinationSummaries"]]
        token = answer.get("NextToken")
        if not token:
            break
    assert len(seen) == len(set(seen)) == 5
    with refused("InvalidNextTokenException"):
        ses.list_suppressed_destinations(NextToken="nonsense")
    with refused("NotFoundException", "does not exist on your suppression list"):
        ses.delete_suppressed_destination(EmailAddress="other@reader.example")


@pytest.mark.parametrize(
    "data_format, text",
    [
        ("CSV", "emailAddress,reason\r\na@reader.example,BOUNCE\r\nb@reader.example,COMPLAINT\r\nnobody,BOUNCE\r\n"),
        (
            "JSON",
            '{"emailAddress":"a@reader.example","reason":"BOUNCE"}\n{"emailAddress":"b@reader.example","reason":"COMPLAINT"}\n{"emailAddress":"x"}\n',
        ),
    ],
)
def test_import_jobs(world, ses, data_format, text):
    s3 = world.aws("s3")
    s3.create_bucket(Bucket="lists")
    s3.put_object(Bucket="lists", Key="folder/list", Body=text.encode())

    def run(action: str, url: str = "s3://lists/folder/list") -> dict:
        source = {"S3Url": url, "DataFormat": data_format}
        destination = {"SuppressionListDestination": {"SuppressionListImportAction": action}}
        job = ses.create_import_job(ImportDestination=destination, ImportDataSource=source)["JobId"]
        for _ in range(200):
            found = ses.get_import_job(JobId=job)
            if found["JobStatus"] in ("COMPLETED", "FAILED"):
                return found
            time.sleep(0.02)
        raise AssertionError(found)

    done = run("PUT")
    assert (done["JobStatus"], done["ProcessedRecordsCount"], done["FailedRecordsCount"]) == ("COMPLETED", 3, 1)
    assert suppressed(ses) == {"a@reader.example": "BOUNCE", "b@reader.example": "COMPLAINT"}
    run("DELETE")
    assert suppressed(ses) == {}
    assert run("PUT", "s3://lists/missing")["JobStatus"] == "FAILED"


@pytest.fixture
def tenant(ses) -> dict:
    scope = {"SuppressionScope": "TENANT", "SuppressedReasons": ["BOUNCE", "COMPLAINT"]}
    tenant = ses.create_tenant(TenantName="acme", SuppressionAttributes=scope)
    ses.create_tenant_resource_association(
        TenantName="acme", ResourceArn=f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{DOMAIN}"
    )
    return tenant


def test_a_tenant_has_a_list_of_its_own(control, ses, topic, tenant):
    bounces(control)
    send(control, ses, TenantName="acme")
    send(control, ses, TenantName="acme")
    assert [one["bounce"]["bounceSubType"] for one in topic.messages()] == ["General", "OnTenantSuppressionList"]
    assert suppressed(ses) == {} and suppressed(ses, TenantName="acme") == {JANE: "BOUNCE"}


def test_a_tenant_sends_only_with_its_resources(control, ses, tenant):
    ses.create_configuration_set(ConfigurationSetName="news")
    with refused("BadRequestException", "is not associated with tenant acme"):
        send(control, ses, TenantName="acme", ConfigurationSetName="news")
    with refused("NotFoundException", "Tenant other does not exist."):
        send(control, ses, TenantName="other")
    with refused("AlreadyExistsException"):
        ses.create_tenant(TenantName="acme")
    with refused("NotFoundException"):
        ses.create_tenant_resource_association(
            TenantName="acme", ResourceArn=f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/none.example"
        )


def test_pausing_a_tenant_and_undoing_only_ones_own_pause(control, ses, tenant):
    entity = {"ReputationEntityType": "RESOURCE", "ReputationEntityReference": tenant["TenantArn"]}

    def status() -> dict:
        return ses.get_reputation_entity(**entity)["ReputationEntity"]

    assert status()["ReputationManagementPolicy"].endswith("/standard"), "a new tenant has the Standard policy"
    ses.update_reputation_entity_customer_managed_status(**entity, SendingStatus="DISABLED")
    with refused("SendingPausedException", "tenant <acme>"):
        send(control, ses, TenantName="acme")
    control(
        "POST",
        "/reputation",
        {"reference": tenant["TenantArn"], "status": "DISABLED", "impact": "HIGH", "cause": "Bounce rate"},
    )
    ses.update_reputation_entity_customer_managed_status(**entity, SendingStatus="ENABLED")
    found = status()
    assert (found["CustomerManagedStatus"]["Status"], found["AwsSesManagedStatus"]["Status"]) == ("ENABLED", "DISABLED")
    assert (found["SendingStatusAggregate"], found["ReputationImpact"]) == ("DISABLED", "HIGH")
    assert ses.get_tenant(TenantName="acme")["Tenant"]["SendingStatus"] == "DISABLED"
    control("POST", "/reputation", {"reference": tenant["TenantArn"], "status": "REINSTATED"})
    assert status()["SendingStatusAggregate"] == "REINSTATED"
    send(control, ses, TenantName="acme")


def test_events_about_tenants_and_recommendations(world, control, ses, tenant):
    events, sqs = world.aws("events"), world.aws("sqs")
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:findings"
    policy = allow_policy("events.amazonaws.com", "sqs:SendMessage", arn)
    url = sqs.create_queue(QueueName="findings", Attributes={"Policy": policy})["QueueUrl"]
    events.put_rule(Name="findings", EventPattern=json.dumps({"source": ["aws.ses"]}))
    events.put_targets(Rule="findings", Targets=[{"Id": "queue", "Arn": arn}])
    control("POST", "/reputation", {"reference": tenant["TenantArn"], "status": "DISABLED", "cause": "Bounce rate"})
    recommendation = {
        "ResourceArn": f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{DOMAIN}",
        "Type": "BOUNCE",
        "Impact": "HIGH",
        "Description": "The bounce rate exceeded 10 %.",
    }
    control("POST", "/recommendations", {"recommendation": recommendation})
    control("POST", "/recommendations", {"recommendation": recommendation | {"Status": "FIXED"}})
    control.settle()
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    found = [json.loads(message["Body"]) for message in messages]
    assert [one["detail-type"] for one in found] == [
        "Sending Status Disabled",
        "Advisor Recommendation Status Open",
        "Advisor Recommendation Status Resolved",
    ]
    status = found[0]["detail"]
    assert found[0]["resources"] == [tenant["TenantArn"]]
    assert (status["version"], status["data"]["origin"], status["data"]["record"]["cause"]) == (
        "1.0.0",
        "AWS_MANAGED",
        "Bounce rate",
    )
    assert len(status["data"]["record"]["lastUpdatedTimestamp"]) == 7
    assert found[1]["detail"] == {
        "version": "1.0.0",
        "data": "The bounce rate exceeded 10 %.",
        "metadata": {"impact": "HIGH", "type": "BOUNCE"},
    }
    assert ses.list_recommendations(Filter={"STATUS": "OPEN"})["Recommendations"] == []
    assert len(ses.list_recommendations()["Recommendations"]) == 1
    events.remove_targets(Rule="findings", Ids=["queue"])
    events.delete_rule(Name="findings")
