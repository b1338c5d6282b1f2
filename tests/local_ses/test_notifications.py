"""Identity topics: notifications, headers, forwarding, and what SES does when it cannot publish."""

import json

import pytest
from conftest import ACCOUNT, DELEGATE, OWNER, REGION, allow_policy, refused

DOMAIN = "shop.example"
SENDER = f"Example Shop <orders@{DOMAIN}>"


@pytest.fixture
def ses(world):
    world.ses("ses").verify_domain_identity(Domain=DOMAIN)
    return world.ses("ses")


def set_topics(ses, arn: str, *kinds: str, identity: str = DOMAIN) -> None:
    for kind in kinds:
        ses.set_identity_notification_topic(Identity=identity, NotificationType=kind, SnsTopic=arn)


def send(ses, to: str, **others) -> str:
    message = {"Subject": {"Data": "Your order"}, "Body": {"Text": {"Data": "It is on its way."}}}
    return ses.send_email(Source=SENDER, Destination={"ToAddresses": [to]}, Message=message, **others)["MessageId"]


def attributes(ses, identity: str = DOMAIN) -> dict:
    return ses.get_identity_notification_attributes(Identities=[identity])["NotificationAttributes"][identity]


def test_setting_a_topic_publishes_a_test_message(world, ses):
    topic = world.topic()
    set_topics(ses, topic.arn, "Bounce")
    (text,) = topic.texts()
    assert json.loads(text) == {
        "notificationType": "AmazonSnsSubscriptionSucceeded",
        "message": f"You have successfully subscribed your Amazon SNS topic '{topic.arn}' to receive 'Bounce' notifications from Amazon "
        f"SES for identity '{DOMAIN}'.",
    }
    assert attributes(ses)["BounceTopic"] == topic.arn


def test_a_bounce_as_documented(world, ses):
    """https://docs.aws.amazon.com/ses/latest/dg/notification-examples.html"""
    topic = world.topic()
    set_topics(ses, topic.arn, "Bounce")
    message_id = send(ses, "bounce+label@simulator.amazonses.com")
    world.control.settle()
    (found,) = topic.messages()
    assert found["notificationType"] == "Bounce"
    bounce, mail = found["bounce"], found["mail"]
    assert (bounce["bounceType"], bounce["bounceSubType"]) == ("Permanent", "General")
    assert bounce["bouncedRecipients"] == [
        {
            "emailAddress": "bounce+label@simulator.amazonses.com",
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": "smtp; 550 5.1.1 user unknown",
        }
    ]
    assert bounce.keys() == {
        "feedbackId",
        "bounceType",
        "bounceSubType",
        "bouncedRecipients",
        "timestamp",
        "remoteMtaIp",
        "reportingMTA",
    }
    assert mail == {
        "timestamp": mail["timestamp"],
        "source": SENDER,
        "sourceArn": f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{DOMAIN}",
        "sourceIp": "127.0.0.1",
        "callerIdentity": "root",
        "sendingAccountId": ACCOUNT,
        "messageId": message_id,
        "destination": ["bounce+label@simulator.amazonses.com"],
    }, "no headers and no tags unless they are switched on"


def test_complaint_delivery_and_automatic_reply(world, ses):
    topic = world.topic()
    set_topics(ses, topic.arn, "Bounce", "Complaint", "Delivery")
    for name in ("success", "complaint", "ooto", "suppressionlist"):
        send(ses, f"{name}@simulator.amazonses.com")
    world.control.settle()
    found = topic.messages()
    kinds = [(one["notificationType"], one["mail"]["destination"][0].split("@")[0]) for one in found]
    assert sorted(kinds) == [
        ("Bounce", "ooto"),
        ("Bounce", "suppressionlist"),
        ("Complaint", "complaint"),
        ("Delivery", "complaint"),
        ("Delivery", "ooto"),
        ("Delivery", "success"),
    ]
    by_kind = dict(zip(kinds, found))
    complaint = by_kind["Complaint", "complaint"]["complaint"]
    assert complaint["complaintFeedbackType"] == "abuse" and complaint["complaintSubType"] is None
    assert complaint["complainedRecipients"] == [{"emailAddress": "complaint@simulator.amazonses.com"}]
    reply = by_kind["Bounce", "ooto"]["bounce"]
    assert (reply["bounceType"], reply["bounceSubType"]) == ("Transient", "General")
    assert reply["bouncedRecipients"] == [{"emailAddress": "ooto@simulator.amazonses.com"}]
    suppressed = by_kind["Bounce", "suppressionlist"]["bounce"]
    assert (suppressed["bounceType"], suppressed["bounceSubType"]) == ("Permanent", "Suppressed")
    assert by_kind["Delivery", "success"]["delivery"]["recipients"] == ["success@simulator.amazonses.com"]


def test_headers_where_they_are_switched_on(world, ses):
    topic = world.topic()
    with refused("InvalidParameterValue"):
        ses.set_identity_headers_in_notifications_enabled(Identity=DOMAIN, NotificationType="Bounce", Enabled=True)
    set_topics(ses, topic.arn, "Bounce")
    ses.set_identity_headers_in_notifications_enabled(Identity=DOMAIN, NotificationType="Bounce", Enabled=True)
    message_id = send(ses, "bounce@simulator.amazonses.com")
    world.control.settle()
    ((mail),) = [one["mail"] for one in topic.messages()]
    assert mail["headersTruncated"] is False
    assert {"name": "Subject", "value": "Your order"} in mail["headers"]
    assert mail["commonHeaders"] == {
        "from": [SENDER],
        "to": ["bounce@simulator.amazonses.com"],
        "subject": "Your order",
        "messageId": message_id,
    }


def test_headers_beyond_10_kb_are_truncated(world, ses):
    topic = world.topic()
    set_topics(ses, topic.arn, "Bounce")
    ses.set_identity_headers_in_notifications_enabled(Identity=DOMAIN, NotificationType="Bounce", Enabled=True)
    long = "".join(f"X-Long-{number}: {'a' * 900}\n" for number in range(20))
    raw = f"From: {SENDER}\nTo: bounce@simulator.amazonses.com\n{long}\nText\n"
    ses.send_raw_email(RawMessage={"Data": raw})
    world.control.settle()
    ((mail),) = [one["mail"] for one in topic.messages()]
    assert mail["headersTruncated"] is True and 5 < len(mail["headers"]) < 20


def test_forwarding_can_be_switched_off_only_with_both_topics(world, ses):
    topic = world.topic()
    set_topics(ses, topic.arn, "Bounce", "Delivery")
    with refused("InvalidParameterValue"):
        ses.set_identity_feedback_forwarding_enabled(Identity=DOMAIN, ForwardingEnabled=False)
    # The operation of v2 does not check it.
    world.ses().put_email_identity_feedback_attributes(EmailIdentity=DOMAIN, EmailForwardingEnabled=False)
    assert attributes(ses)["ForwardingEnabled"] is False
    ses.set_identity_feedback_forwarding_enabled(Identity=DOMAIN, ForwardingEnabled=True)
    set_topics(ses, topic.arn, "Complaint")
    ses.set_identity_feedback_forwarding_enabled(Identity=DOMAIN, ForwardingEnabled=False)
    with refused("InvalidParameterValue"):
        ses.set_identity_notification_topic(Identity=DOMAIN, NotificationType="Bounce")
    ses.set_identity_notification_topic(Identity=DOMAIN, NotificationType="Delivery")
    assert "DeliveryTopic" not in attributes(ses)


def test_misleading_errors(world, ses):
    topic = world.topic()
    with refused("InvalidParameterValue", f"Identity {DOMAIN} is invalid. Must be a verified email address or domain."):
        set_topics(ses, topic.arn.replace(REGION, "eu-west-1"), "Bounce")
    with refused(
        "InvalidParameterValue", "Identity gone.example is invalid. Must be a verified email address or domain."
    ):
        set_topics(ses, topic.arn, "Bounce", identity="gone.example")
    topic.sns.set_topic_attributes(TopicArn=topic.arn, AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns")
    with refused("InvalidParameterValue", topic.arn):
        set_topics(ses, topic.arn, "Bounce")
    assert "BounceTopic" not in attributes(ses)


def test_a_topic_must_exist_be_standard_and_let_ses_in(world, ses):
    for arn in (
        f"arn:aws:sns:{REGION}:{ACCOUNT}:missing",
        f"arn:aws:sns:{REGION}:{ACCOUNT}:first.fifo",
        "nonsense",
        world.topic(allow=False).arn,
    ):
        with refused("InvalidParameterValue", arn):
            set_topics(ses, arn, "Bounce")


def test_the_policy_of_a_topic_is_evaluated_for_account_and_identity(world, ses):
    topic = world.topic(OWNER)
    arn = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{DOMAIN}"
    for condition, works in (
        ({"StringEquals": {"AWS:SourceAccount": ACCOUNT}, "ArnLike": {"AWS:SourceArn": arn}}, True),
        ({"StringEquals": {"AWS:SourceAccount": DELEGATE}}, False),
        ({"ArnLike": {"AWS:SourceArn": arn.replace(DOMAIN, "other.example")}}, False),
    ):
        topic.set_policy(allow_policy("ses.amazonaws.com", "sns:Publish", topic.arn, condition))
        if works:
            set_topics(ses, topic.arn, "Bounce")
        else:
            with refused("InvalidParameterValue"):
                set_topics(ses, topic.arn, "Bounce")


def test_the_default_policy_of_a_topic_lets_its_own_account_in(world, ses):
    arn = world.aws("sns").create_topic(Name="default-policy")["TopicArn"]
    set_topics(ses, arn, "Bounce")


@pytest.mark.parametrize("broken", ["deleted", "policy"])
def test_ses_removes_topics_after_a_failed_publication(world, ses, broken):
    topic = world.topic()
    set_topics(ses, topic.arn, "Bounce", "Complaint", "Delivery")
    ses.set_identity_feedback_forwarding_enabled(Identity=DOMAIN, ForwardingEnabled=False)
    if broken == "deleted":
        topic.sns.delete_topic(TopicArn=topic.arn)
    else:
        topic.set_policy(allow_policy("s3.amazonaws.com", "sns:Publish", topic.arn))
    send(ses, "bounce@simulator.amazonses.com")
    world.control.settle()
    left = attributes(ses)
    assert "BounceTopic" not in left and "ComplaintTopic" not in left
    assert left["DeliveryTopic"] == topic.arn and left["ForwardingEnabled"] is True
    (notice,) = world.control.outbox("?kind=notice")
    assert notice["recipients"] == [f"account-{ACCOUNT}@aws.example"]
    assert 'An error occurred while trying to publish a notification of type "Bounce"' in notice["text"]


def test_settings_of_an_address_beat_those_of_its_domain(world, ses):
    of_domain, of_address = world.topic(), world.topic()
    ses.verify_email_identity(EmailAddress=f"orders@{DOMAIN}")
    set_topics(ses, of_domain.arn, "Bounce")
    set_topics(ses, of_address.arn, "Bounce", identity=f"orders@{DOMAIN}")
    send(ses, "bounce@simulator.amazonses.com")
    world.control.settle()
    assert of_domain.messages() == []
    (found,) = of_address.messages()
    assert found["mail"]["sourceArn"].endswith(f":identity/orders@{DOMAIN}")


def test_bounces_and_complaints_go_to_the_return_path_when_nothing_is_set(world, ses):
    ses.verify_email_identity(EmailAddress="bounces@mail.example")
    send(ses, "bounce@simulator.amazonses.com", ReturnPath="bounces@mail.example")
    send(ses, "complaint@simulator.amazonses.com")
    world.control.settle()
    (bounce,) = world.control.outbox("?kind=feedback&to=bounces@mail.example")
    assert "Final-Recipient: rfc822;bounce@simulator.amazonses.com" in bounce["text"]
    assert "Status: 5.1.1" in bounce["text"]
    (complaint,) = world.control.outbox(f"?kind=feedback&to=orders@{DOMAIN}")
    assert "Feedback-Type: abuse" in complaint["text"]


def test_identities_may_be_given_by_arn_and_unknown_ones_are_left_out(world, ses):
    topic = world.topic()
    arn = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{DOMAIN}"
    set_topics(ses, topic.arn, "Bounce", identity=arn)
    found = ses.get_identity_notification_attributes(Identities=[arn, "unknown.example"])["NotificationAttributes"]
    assert found[arn]["BounceTopic"] == topic.arn and list(found) == [arn]
    with refused("InvalidParameterValue"):
        ses.get_identity_notification_attributes(Identities=[f"{number}.example" for number in range(101)])


def test_legacy_settings_for_another_account_can_be_used_but_not_made(world, ses):
    delegate = world.ses("ses", DELEGATE)
    topic = world.topic(DELEGATE)
    arn = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{DOMAIN}"
    with refused("InvalidParameterValue", "Must be a verified email address or domain"):
        set_topics(delegate, topic.arn, "Bounce", identity=arn)
    world.control(
        "POST", "/legacy-notifications", {"account": DELEGATE, "identityArn": arn, "topics": {"Bounce": topic.arn}}
    )
    assert attributes(delegate, arn)["BounceTopic"] == topic.arn
    policy = json.loads(allow_policy("", "ses:SendEmail", arn))
    policy["Statement"][0]["Principal"] = {"AWS": DELEGATE}
    ses.put_identity_policy(Identity=DOMAIN, PolicyName="delegate", Policy=json.dumps(policy))
    send(delegate, "bounce@simulator.amazonses.com", SourceArn=arn)
    world.control.settle()
    (found,) = topic.messages()
    assert (found["mail"]["sendingAccountId"], found["mail"]["sourceArn"]) == (DELEGATE, arn)
    delegate.set_identity_notification_topic(Identity=arn, NotificationType="Bounce")
    assert "BounceTopic" not in attributes(delegate, arn)
