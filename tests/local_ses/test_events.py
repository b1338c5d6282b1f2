"""Event destinations: all ten kinds of events, to topics, to the default bus and to delivery streams."""

import json

import pytest
from conftest import ACCOUNT, REGION, allow_policy, refused, v2_mail

DOMAIN = "shop.example"
KINDS = [
    "SEND",
    "REJECT",
    "BOUNCE",
    "COMPLAINT",
    "DELIVERY",
    "OPEN",
    "CLICK",
    "RENDERING_FAILURE",
    "DELIVERY_DELAY",
    "SUBSCRIPTION",
]
SET_ARN = f"arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/news"


@pytest.fixture
def ses(world):
    ses = world.ses()
    ses.create_email_identity(EmailIdentity=DOMAIN)
    ses.create_configuration_set(ConfigurationSetName="news")
    return ses


def add_destination(ses, name: str = "first", kinds=KINDS, **destination) -> None:
    definition = {"Enabled": True, "MatchingEventTypes": kinds} | destination
    ses.create_configuration_set_event_destination(
        ConfigurationSetName="news", EventDestinationName=name, EventDestination=definition
    )


def send(ses, to: str = "jane@reader.example", **others) -> str:
    return ses.send_email(**v2_mail(to, ConfigurationSetName="news", **others))["MessageId"]


def script(control, address: str, *outcomes: dict) -> None:
    control("PUT", f"/outcomes/{address}", {"outcomes": list(outcomes)})


def test_setting_a_topic_publishes_a_plain_text(world, ses):
    topic = world.topic()
    add_destination(ses, SnsDestination={"TopicArn": topic.arn})
    assert topic.texts() == ["Successfully validated SNS topic for Amazon SES event publishing."]


def test_the_ten_events_as_documented(world, ses, control):
    """https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-examples.html"""
    topic = world.topic()
    add_destination(ses, SnsDestination={"TopicArn": topic.arn})
    later = [{"outcome": one} for one in ("delivery", "open", "click", "complaint", "subscription")]
    script(control, "jane@reader.example", {"outcome": "delay"}, *later)
    script(control, "virus@reader.example", {"outcome": "reject"})
    script(control, "blank@reader.example", {"outcome": "rendering-failure", "templateName": "welcome"})
    tags = [{"Name": "campaign", "Value": "spring"}]
    for name in (
        "jane@reader.example",
        "virus@reader.example",
        "blank@reader.example",
        "bounce@simulator.amazonses.com",
    ):
        send(ses, name, EmailTags=tags)
    control.settle()
    found = {}
    for one in topic.messages():
        found.setdefault(one["eventType"], one)
    assert found.keys() == {
        "Send", "Reject", "Bounce", "Complaint", "Delivery", "Open", "Click", "Rendering Failure", "DeliveryDelay", "Subscription"
    }  # fmt: skip
    assert found["Send"]["send"] == {}
    assert found["Reject"]["reject"] == {"reason": "Bad content"}
    assert found["Rendering Failure"]["failure"] == {
        "templateName": "welcome",
        "errorMessage": "Attribute 'name' is not present in the rendering data.",
    }
    assert found["DeliveryDelay"]["deliveryDelay"].keys() == {
        "timestamp",
        "delayType",
        "expirationTime",
        "delayedRecipients",
    }
    assert found["DeliveryDelay"]["deliveryDelay"]["delayedRecipients"][0]["emailAddress"] == "jane@reader.example"
    assert found["Open"]["open"].keys() == {"ipAddress", "timestamp", "userAgent"}
    assert found["Click"]["click"].keys() == {"ipAddress", "timestamp", "userAgent", "link", "linkTags"}
    assert found["Subscription"]["subscription"].keys() == {
        "contactList", "timestamp", "source", "newTopicPreferences", "oldTopicPreferences"
    }  # fmt: skip
    mail = found["Send"]["mail"]
    assert mail["tags"] == {
        "ses:operation": ["SendEmail"],
        "ses:configuration-set": ["news"],
        "ses:source-ip": ["127.0.0.1"],
        "ses:from-domain": [DOMAIN],
        "ses:caller-identity": ["root"],
        "campaign": ["spring"],
    }
    assert {"headersTruncated", "headers", "commonHeaders"} <= mail.keys(), "events always have headers"
    assert mail["sourceArn"] == f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{DOMAIN}"


def test_messages_of_event_destinations_end_in_a_newline(world, ses, control):
    topic = world.topic()
    add_destination(ses, SnsDestination={"TopicArn": topic.arn})
    topic.texts()
    send(ses)
    control.settle()
    assert all(text.endswith("}\n") for text in topic.texts())


def test_only_matching_events_of_enabled_destinations(world, ses, control):
    matching, disabled = world.topic(), world.topic()
    add_destination(ses, "first", ["DELIVERY"], SnsDestination={"TopicArn": matching.arn})
    add_destination(ses, "second", KINDS, SnsDestination={"TopicArn": disabled.arn}, Enabled=False)
    send(ses)
    control.settle()
    assert [one["eventType"] for one in matching.messages()] == ["Delivery"]
    assert disabled.messages() == []


def test_the_default_configuration_set_of_the_identity(world, ses, control):
    topic = world.topic()
    add_destination(ses, SnsDestination={"TopicArn": topic.arn})
    ses.put_email_identity_configuration_set_attributes(EmailIdentity=DOMAIN, ConfigurationSetName="news")
    ses.send_email(**v2_mail("jane@reader.example"))
    control.settle()
    assert {one["mail"]["tags"]["ses:configuration-set"][0] for one in topic.messages()} == {"news"}


def test_events_reach_the_targets_of_matching_rules(world, ses, control):
    events, sqs = world.aws("events"), world.aws("sqs")
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:bus-queue"
    policy = allow_policy("events.amazonaws.com", "sqs:SendMessage", arn)
    url = sqs.create_queue(QueueName="bus-queue", Attributes={"Policy": policy})["QueueUrl"]
    pattern = {"source": ["aws.ses"], "detail-type": ["Email Delivered"]}
    events.put_rule(Name="delivered", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="delivered", Targets=[{"Id": "queue", "Arn": arn}])
    bus = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
    add_destination(ses, EventBridgeDestination={"EventBusArn": bus})
    send(ses)
    control.settle()
    (message,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    event = json.loads(message["Body"])
    assert (event["source"], event["detail-type"], event["resources"]) == ("aws.ses", "Email Delivered", [SET_ARN])
    assert event["detail"]["eventType"] == "Delivery"
    events.remove_targets(Rule="delivered", Ids=["queue"])
    events.delete_rule(Name="delivered")
    with refused("BadRequestException"):
        add_destination(ses, "other", EventBridgeDestination={"EventBusArn": bus.replace("default", "other")})


def test_events_reach_delivery_streams(world, ses, control):
    s3, firehose = world.aws("s3"), world.aws("firehose")
    s3.create_bucket(Bucket="events")
    role = f"arn:aws:iam::{ACCOUNT}:role/firehose"
    stream = {
        "RoleARN": role,
        "BucketARN": "arn:aws:s3:::events",
        "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 0},
    }
    firehose.create_delivery_stream(DeliveryStreamName="events", ExtendedS3DestinationConfiguration=stream)
    arn = f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/events"
    with refused("BadRequestException"):
        add_destination(ses, KinesisFirehoseDestination={"IamRoleArn": role, "DeliveryStreamArn": arn + "-missing"})
    add_destination(ses, KinesisFirehoseDestination={"IamRoleArn": role, "DeliveryStreamArn": arn})
    send(ses)
    control.settle()
    done = [one for one in control("GET", "/publications")["done"] if one["target"] == arn]
    assert [(one["kind"], one["error"]) for one in done] == [("Send", None), ("Delivery", None)]


def test_a_topic_of_an_event_destination_must_let_ses_in(world, ses):
    topic = world.topic(allow=False)
    with refused("BadRequestException", "Could not publish to SNS topic"):
        add_destination(ses, SnsDestination={"TopicArn": topic.arn})
    with refused("InvalidSNSDestination"):
        definition = {"Name": "first", "MatchingEventTypes": ["send"], "SNSDestination": {"TopicARN": topic.arn}}
        world.ses("ses").create_configuration_set_event_destination(
            ConfigurationSetName="news", EventDestination=definition
        )


def test_limits_of_event_destinations(world, ses):
    topic = world.topic()
    with refused("BadRequestException"):
        add_destination(ses, "empty", [], SnsDestination={"TopicArn": topic.arn})
    for number in range(10):
        add_destination(ses, f"number{number}", SnsDestination={"TopicArn": topic.arn})
    with refused("LimitExceededException"):
        add_destination(ses, "eleventh", SnsDestination={"TopicArn": topic.arn})
    with refused("AlreadyExistsException"):
        add_destination(ses, "number0", SnsDestination={"TopicArn": topic.arn})
    with refused("NotFoundException"):
        ses.delete_configuration_set_event_destination(ConfigurationSetName="news", EventDestinationName="missing")


def test_a_template_that_cannot_be_rendered_is_accepted_and_reported(world, ses, control):
    topic = world.topic()
    add_destination(ses, SnsDestination={"TopicArn": topic.arn})
    ses.create_email_template(TemplateName="welcome", TemplateContent={"Subject": "Hello {{name}}", "Text": "Hi"})
    content = {"Template": {"TemplateName": "welcome", "TemplateData": "{}"}}
    mail = v2_mail("jane@reader.example", ConfigurationSetName="news") | {"Content": content}
    assert ses.send_email(**mail)["MessageId"]
    control.settle()
    (found,) = topic.messages()
    assert found["eventType"] == "Rendering Failure"
    assert found["failure"] == {
        "errorMessage": "Attribute 'name' is not present in the rendering data.",
        "templateName": "welcome",
    }
    assert control.outbox("?kind=sent") == []
