"""What SES accepts and refuses, what it sends, and on whose behalf."""

import base64
import email
import json

import pytest
from conftest import ACCOUNT, DELEGATE, OWNER, REGION, refused, v2_mail

DOMAIN = "shop.example"
SENDER = f"sender@{DOMAIN}"
IDENTITY_ARN = f"arn:aws:ses:{REGION}:{OWNER}:identity/{DOMAIN}"
SUCCESS = "success@simulator.amazonses.com"


@pytest.fixture
def ses(world):
    ses = world.ses()
    ses.create_email_identity(EmailIdentity=DOMAIN)
    return ses


@pytest.fixture
def v1(world, ses):
    return world.ses("ses")


def raw(*headers: str, to: str = SUCCESS) -> dict:
    text = "\r\n".join([f"From: {SENDER}", f"To: {to}", "Subject: Hello", *headers, "", "Text", ""])
    return {"Content": {"Raw": {"Data": text}}}


def v1_mail(**others) -> dict:
    message = {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Text"}}}
    return {"Source": SENDER, "Destination": {"ToAddresses": [SUCCESS]}, "Message": message} | others


def test_the_outbox_has_the_mail_as_it_was_sent(control, ses):
    simple = {
        "Subject": {"Data": "Grüße"},
        "Body": {"Text": {"Data": "Text ä"}, "Html": {"Data": "<p>ä</p>"}},
        "Headers": [{"Name": "X-Order", "Value": "17"}],
        "Attachments": [{"RawContent": b"\x00\x01", "FileName": "data.bin"}],
    }
    destination = {
        "ToAddresses": ["Jane <jane@reader.example>"],
        "CcAddresses": ["cc@reader.example"],
        "BccAddresses": ["bcc@reader.example"],
    }
    message_id = ses.send_email(
        FromEmailAddress=f"Example Shop <{SENDER}>",
        Destination=destination,
        ReplyToAddresses=["help@shop.example"],
        Content={"Simple": simple},
    )["MessageId"]
    (found,) = control.outbox("?kind=sent")
    assert found["recipients"] == ["Jane <jane@reader.example>", "cc@reader.example", "bcc@reader.example"]
    mail = email.message_from_bytes(base64.b64decode(found["raw"]), policy=email.policy.default)
    assert (mail["Subject"], mail["To"], mail["Cc"], mail["Bcc"]) == (
        "Grüße",
        "Jane <jane@reader.example>",
        "cc@reader.example",
        None,
    )
    assert (mail["From"], mail["Reply-To"], mail["X-Order"]) == (f"Example Shop <{SENDER}>", "help@shop.example", "17")
    assert mail["Message-ID"] == f"<{message_id}@email.amazonses.com>" and mail["Date"]
    assert [part.get_content_type() for part in mail.walk() if not part.is_multipart()] == [
        "text/plain",
        "text/html",
        "application/octet-stream",
    ]


def test_a_raw_mail_is_sent_byte_for_byte_but_for_settings(control, ses):
    ses.create_configuration_set(ConfigurationSetName="news")
    headers = [
        "Message-ID: <own@shop.example>",
        "Date: Wed, 25 Nov 2026 10:00:00 +0000",
        "X-SES-CONFIGURATION-SET: news",
        "X-SES-MESSAGE-TAGS: a=1, b=2",
        "X-Folded: one",
        "\ttwo",
    ]
    message_id = ses.send_email(**raw(*headers))["MessageId"]
    (found,) = control.outbox()
    expected = [
        f"Message-ID: <{message_id}@email.amazonses.com>",
        f"From: {SENDER}",
        f"To: {SUCCESS}",
        "Subject: Hello",
        "Date: Wed, 25 Nov 2026 10:00:00 +0000",
        "X-Folded: one",
        "\ttwo",
        "",
        "Text",
        "",
    ]
    assert found["text"] == "\r\n".join(expected)
    assert found["recipients"] == [SUCCESS]
    sent = control("GET", "/state")["accounts"][f"{ACCOUNT}/{REGION}"]["messages"][message_id]
    assert (sent["configuration_set"], sent["tags"]["a"], sent["tags"]["b"]) == ("news", ["1"], ["2"])


@pytest.mark.parametrize("name", ["MIME-Version", "DKIM-Signature", "Message-ID", "Return-Path", "Sender"])
def test_a_second_header_of_a_kind_is_refused(ses, v1, name):
    twice = raw(f"{name}: 1", f"{name}: 2")
    with refused("BadRequestException", f"Duplicate header '{name}'."):
        ses.send_email(**twice)
    with refused("InvalidParameterValue", f"Duplicate header '{name}'."):
        v1.send_raw_email(RawMessage={"Data": twice["Content"]["Raw"]["Data"]})


def test_limits_of_a_message(ses, v1):
    many = [f"{number}@reader.example" for number in range(51)]
    with refused("BadRequestException", "Recipient count exceeds 50."):
        ses.send_email(**v2_mail("", Destination={"ToAddresses": many}))
    with refused("InvalidParameterValue", "Missing final '@domain'"):
        v1.send_email(**v1_mail(Destination={"ToAddresses": ["nobody"]}))
    with refused("BadRequestException", "Message length is more than 41943040 bytes long"):
        ses.send_email(Content={"Raw": {"Data": f"From: {SENDER}\nTo: {SUCCESS}\n\n".encode() + b"a" * 41943040}})


def test_an_identity_must_be_verified(control, ses, v1):
    with refused("MessageRejected", "The following identities failed the check in region US-EAST-1: x@other.example"):
        ses.send_email(**v2_mail(SUCCESS, "Shop <x@other.example>"))
    control("POST", f"/identities/{DOMAIN}/verification", {"status": "PENDING"})
    with refused("MessageRejected", "Email address is not verified."):
        v1.send_email(**v1_mail())


def test_a_domain_covers_its_subdomains_and_addresses_with_labels(world, ses):
    ses.send_email(**v2_mail(SUCCESS, f"a@news.{DOMAIN}"))
    ses.create_email_identity(EmailIdentity="jane@mail.example")
    ses.send_email(**v2_mail(SUCCESS, "jane+label@mail.example"))


def test_accounts_and_regions_are_isolated(world, ses):
    for other in (world.ses(account=DELEGATE), world.ses(region="eu-west-1")):
        assert other.list_email_identities()["EmailIdentities"] == []
        with refused("MessageRejected"):
            other.send_email(**v2_mail(SUCCESS))


def test_sandbox(control, ses):
    control("PATCH", f"/accounts/{ACCOUNT}", {"production_access": False})
    with refused("MessageRejected", "failed the check in region US-EAST-1: jane@reader.example"):
        ses.send_email(**v2_mail("jane@reader.example"))
    ses.send_email(**v2_mail(SUCCESS))
    ses.create_email_identity(EmailIdentity="reader.example")
    ses.send_email(**v2_mail("jane@reader.example"))
    assert ses.get_account()["ProductionAccessEnabled"] is False
    assert ses.get_account()["SendQuota"] == {"Max24HourSend": 200.0, "MaxSendRate": 1.0, "SentLast24Hours": 2.0}


def test_paused_and_suspended_accounts(control, ses, v1):
    v1.update_account_sending_enabled(Enabled=False)
    with refused("AccountSendingPausedException"):
        v1.send_email(**v1_mail())
    with refused("SendingPausedException"):
        ses.send_email(**v2_mail(SUCCESS))
    ses.put_account_sending_attributes(SendingEnabled=True)
    control("PATCH", f"/accounts/{ACCOUNT}", {"enforcement_status": "SHUTDOWN"})
    assert ses.get_account()["EnforcementStatus"] == "SHUTDOWN"
    with refused("MessageRejected", "Sending suspended for this account."):
        v1.send_email(**v1_mail())
    with refused("AccountSuspendedException"):
        ses.send_email(**v2_mail(SUCCESS))


def test_paused_and_missing_configuration_sets(ses, v1):
    ses.create_configuration_set(ConfigurationSetName="news")
    ses.put_configuration_set_sending_options(ConfigurationSetName="news", SendingEnabled=False)
    with refused("SendingPausedException", "configuration set <news>"):
        ses.send_email(**v2_mail(SUCCESS, ConfigurationSetName="news"))
    with refused("ConfigurationSetSendingPausedException"):
        v1.send_email(**v1_mail(ConfigurationSetName="news"))
    with refused("NotFoundException", "Configuration set <other> does not exist."):
        ses.send_email(**v2_mail(SUCCESS, ConfigurationSetName="other"))
    with refused("ConfigurationSetDoesNotExist"):
        v1.send_email(**v1_mail(ConfigurationSetName="other"))


def test_quota_of_24_hours_and_the_clock(control, ses):
    control("PATCH", f"/accounts/{ACCOUNT}", {"max_24_hour_send": 2})
    ses.send_email(**v2_mail(SUCCESS))
    ses.send_email(**v2_mail(SUCCESS))
    with refused("TooManyRequestsException", "Daily message quota exceeded."):
        ses.send_email(**v2_mail(SUCCESS))
    control("POST", "/clock", {"advanceSeconds": 24 * 3600 + 1})
    ses.send_email(**v2_mail(SUCCESS))


def test_send_statistics(control, v1):
    for name, outcome in (("gone", "bounce"), ("angry", "complaint"), ("virus", "reject"), ("fine", "delivery")):
        control("PUT", f"/outcomes/{name}@reader.example", {"outcomes": [{"outcome": outcome}]})
        v1.send_email(**v1_mail(Destination={"ToAddresses": [f"{name}@reader.example"]}))
    v1.send_email(**v1_mail(Destination={"ToAddresses": ["bounce@simulator.amazonses.com"]}))
    points = v1.get_send_statistics()["SendDataPoints"]
    totals = {
        name: sum(point[name] for point in points) for name in ("DeliveryAttempts", "Bounces", "Complaints", "Rejects")
    }
    assert totals == {"DeliveryAttempts": 5, "Bounces": 1, "Complaints": 1, "Rejects": 1}, (
        "simulator addresses bounce without a mark"
    )
    assert all(point["Timestamp"].minute % 15 == 0 for point in points)
    control("POST", "/clock", {"advanceSeconds": 15 * 24 * 3600})
    assert v1.get_send_statistics()["SendDataPoints"] == []


# Delegate senders


def grant(world, **statement) -> None:
    allow = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{DELEGATE}:root"},
        "Action": "ses:SendEmail",
        "Resource": IDENTITY_ARN,
    }
    policy = {"Version": "2012-10-17", "Statement": [allow | statement]}
    world.ses("ses", OWNER).put_identity_policy(Identity=DOMAIN, PolicyName="delegate", Policy=json.dumps(policy))


@pytest.fixture
def delegate(world):
    world.ses("ses", OWNER).verify_domain_identity(Domain=DOMAIN)
    return world.ses(account=DELEGATE)


def test_a_delegate_needs_a_policy(world, delegate):
    mail = v2_mail(SUCCESS, FromEmailAddressIdentityArn=IDENTITY_ARN)
    message = (
        f"User `arn:aws:iam::{DELEGATE}:root' is not authorized to perform `ses:SendEmail' on resource `{IDENTITY_ARN}'"
    )
    with refused("AccessDeniedException", message):
        delegate.send_email(**mail)
    grant(world)
    delegate.send_email(**mail)
    with refused("AccessDenied"):
        world.ses("ses", DELEGATE).send_raw_email(
            RawMessage={"Data": raw()["Content"]["Raw"]["Data"]}, SourceArn=IDENTITY_ARN
        )
    with refused("MessageRejected"):
        delegate.send_email(**v2_mail(SUCCESS))


@pytest.mark.parametrize(
    "condition, sender, to, allowed",
    [
        ({"StringLike": {"ses:FromAddress": "sender@*"}}, SENDER, SUCCESS, True),
        ({"StringLike": {"ses:FromAddress": "Sender@*"}}, SENDER, SUCCESS, False),
        ({"StringEquals": {"ses:FromDisplayName": "Shop"}}, f"Shop <{SENDER}>", SUCCESS, True),
        ({"StringEquals": {"ses:FromDisplayName": "Shop"}}, f"shop <{SENDER}>", SUCCESS, False),
        ({"ForAllValues:StringLike": {"ses:Recipients": ["*@reader.example"]}}, SENDER, "jane@reader.example", True),
        ({"ForAllValues:StringLike": {"ses:Recipients": ["*@reader.example"]}}, SENDER, SUCCESS, False),
        ({"StringEquals": {"ses:FeedbackAddress": SENDER}}, SENDER, SUCCESS, True),
        ({"StringNotEquals": {"ses:FeedbackAddress": SENDER}}, SENDER, SUCCESS, False),
    ],
)
def test_conditions_of_policies_are_case_sensitive(world, delegate, condition, sender, to, allowed):
    grant(world, Condition=condition)
    mail = v2_mail(to, sender, FromEmailAddressIdentityArn=IDENTITY_ARN)
    if allowed:
        delegate.send_email(**mail)
    else:
        with refused("AccessDeniedException"):
            delegate.send_email(**mail)


def test_the_policy_of_an_address_beats_that_of_its_domain(world, delegate):
    grant(world)
    arn = IDENTITY_ARN.replace(DOMAIN, SENDER)
    world.ses("ses", OWNER).verify_email_identity(EmailAddress=SENDER)
    with refused("AccessDeniedException"):
        delegate.send_email(**v2_mail(SUCCESS, FromEmailAddressIdentityArn=arn))


def test_quota_bounces_and_pauses_count_on_the_delegate(world, control, delegate):
    grant(world)
    mail = v2_mail("bounce@simulator.amazonses.com", FromEmailAddressIdentityArn=IDENTITY_ARN)
    topic = world.topic(OWNER)
    world.ses("ses", OWNER).set_identity_notification_topic(
        Identity=DOMAIN, NotificationType="Bounce", SnsTopic=topic.arn
    )
    delegate.send_email(**mail)
    control.settle()
    (found,) = topic.messages()
    assert (found["mail"]["sourceArn"], found["mail"]["sendingAccountId"]) == (IDENTITY_ARN, DELEGATE)
    assert delegate.get_account()["SendQuota"]["SentLast24Hours"] == 1
    assert world.ses(account=OWNER).get_account()["SendQuota"]["SentLast24Hours"] == 0
    delegate.put_account_sending_attributes(SendingEnabled=False)
    with refused("SendingPausedException"):
        delegate.send_email(**mail)


def test_source_arn_in_headers_of_a_raw_mail(world, delegate):
    grant(world, Action="ses:SendRawEmail")
    delegate.send_email(**raw(f"X-SES-SOURCE-ARN: {IDENTITY_ARN}"))


def test_rules_for_policies(world, ses):
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": DELEGATE},
        "Action": "ses:SendEmail",
        "Resource": f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{DOMAIN}",
    }

    def put(name: str = "one", **changes) -> None:
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement | changes]})
        ses.create_email_identity_policy(EmailIdentity=DOMAIN, PolicyName=name, Policy=policy)

    for changes in (
        {"Resource": "*"},
        {"Resource": [statement["Resource"], statement["Resource"] + "x"]},
        {"Action": "ses:GetSendQuota"},
        {"Action": ["ses:SendEmail", "s3:GetObject"]},
        {"Sid": "a" * 4096},
        {"Effect": "Maybe"},
    ):
        with refused("BadRequestException"):
            put(**changes)
    with refused("BadRequestException", "Invalid policy name"):
        put("no spaces")
    with refused("BadRequestException"):
        put("a" * 65)
    with refused("InvalidPolicy"):
        world.ses("ses").put_identity_policy(Identity=DOMAIN, PolicyName="one", Policy="no JSON")
    for number in range(20):
        put(f"number{number}")
    with refused("LimitExceededException"):
        put("more")
    with refused("AlreadyExistsException"):
        put("number0")
    ses.delete_email_identity_policy(EmailIdentity=DOMAIN, PolicyName="number0")
    # An update of a policy that does not exist makes it.
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    ses.update_email_identity_policy(EmailIdentity=DOMAIN, PolicyName="new", Policy=policy)
    assert "new" in ses.get_email_identity(EmailIdentity=DOMAIN)["Policies"]


# Templates


def test_bulk_mail(control, ses, v1):
    v1.create_template(
        Template={
            "TemplateName": "hi",
            "SubjectPart": "Hi {{name}}",
            "HtmlPart": "{{#each items}}<b>{{this}}</b>{{/each}}{{#if vip}}!{{else}}.{{/if}}",
        }
    )
    default = json.dumps({"name": "all", "items": ["<1>", "2"], "vip": False})
    own = json.dumps({"name": "Jane", "items": [], "vip": True})
    entries = [
        {"Destination": {"ToAddresses": ["a@reader.example"]}},
        {
            "Destination": {"ToAddresses": ["b@reader.example"]},
            "ReplacementEmailContent": {"ReplacementTemplate": {"ReplacementTemplateData": own}},
        },
        {"Destination": {"ToAddresses": ["nobody"]}},
    ]
    results = ses.send_bulk_email(
        FromEmailAddress=SENDER,
        DefaultContent={"Template": {"TemplateName": "hi", "TemplateData": default}},
        BulkEmailEntries=entries,
    )["BulkEmailEntryResults"]
    assert [one["Status"] for one in results] == ["SUCCESS", "SUCCESS", "INVALID_PARAMETER"]
    first, second = (email.message_from_string(one["text"]) for one in control.outbox())
    assert (first["Subject"], first.get_payload().strip()) == ("Hi all", "<b>&lt;1&gt;</b><b>2</b>.")
    assert (second["Subject"], second.get_payload().strip()) == ("Hi Jane", "!")


def test_template_errors(ses, v1):
    with refused("TemplateDoesNotExist"):
        v1.send_templated_email(
            Source=SENDER, Destination={"ToAddresses": [SUCCESS]}, Template="none", TemplateData="{}"
        )
    with refused("InvalidTemplate"):
        v1.create_template(Template={"TemplateName": "bad", "SubjectPart": "{{#if a}}"})
    v1.create_template(Template={"TemplateName": "one", "SubjectPart": "{{a}}"})
    with refused("AlreadyExists"):
        v1.create_template(Template={"TemplateName": "one"})
    with refused("MissingRenderingAttribute", "Attribute 'a' is not present in the rendering data."):
        v1.test_render_template(TemplateName="one", TemplateData="{}")
    with refused("NotFoundException"):
        ses.get_email_template(TemplateName="none")
