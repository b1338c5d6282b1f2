"""Requests and answers: boto3 and the AWS CLI understand the local SES, and mistakes get SES's errors."""

import json
import urllib.error
import urllib.request

import pytest
from conftest import OPENER, OWNER, refused
from ses import document
from ses.operations.registry import OPERATIONS
from ses.protocol import models


def test_every_registered_operation_is_in_the_service_models():
    for service, name in OPERATIONS:
        assert name in models.service(service).operation_names


def test_an_operation_that_is_not_modelled_is_named(world):
    with refused("LocalSesNotModelled", "local SES does not model ses:ListCustomVerificationEmailTemplates"):
        world.ses("ses").list_custom_verification_email_templates()
    with refused("LocalSesNotModelled", "local SES does not model sesv2:ListContactLists"):
        world.ses().list_contact_lists()


def test_missing_members_and_unknown_values_are_validation_errors(world):
    unchecked = world.ses("ses")
    with refused(
        "ValidationError",
        "at 'notificationType' failed to satisfy constraint: Member must satisfy enum value set: [Bounce,",
    ):
        unchecked.set_identity_notification_topic(Identity="shop.example", NotificationType="Open")
    with refused("BadRequestException", "Member must satisfy enum value set"):
        world.ses().put_suppressed_destination(EmailAddress="a@b.example", Reason="DISLIKE")


def _raw(world, method: str, path: str, body: bytes = b"", key: str = OWNER):
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={key}/20261101/us-east-1/ses/aws4_request, SignedHeaders=host, Signature=0"
    )
    request = urllib.request.Request(
        world.server.url + path, body or None, {"Authorization": authorization}, method=method
    )
    try:
        with OPENER.open(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_an_error_of_v1_is_xml_and_one_of_v2_json(world):
    status, _, body = _raw(
        world, "POST", "/", b"Action=DescribeConfigurationSet&Version=2010-12-01&ConfigurationSetName=none"
    )
    assert status == 400
    assert b"<Type>Sender</Type><Code>ConfigurationSetDoesNotExist</Code>" in body
    assert b"<ConfigurationSetName>none</ConfigurationSetName>" in body
    status, headers, body = _raw(world, "GET", "/v2/email/configuration-sets/none")
    assert (status, headers["x-amzn-ErrorType"]) == (404, "NotFoundException")
    assert json.loads(body) == {"message": "Configuration set <none> does not exist."}


def test_unknown_actions_and_paths(world):
    status, _, body = _raw(world, "POST", "/", b"Action=Nonsense")
    assert status == 400 and b"<Code>InvalidAction</Code>" in body
    status, headers, _ = _raw(world, "GET", "/v2/email/nonsense")
    assert (status, headers["x-amzn-ErrorType"]) == (404, "UnknownOperationException")
    status, headers, _ = _raw(world, "PUT", "/v2/email/account/sending", b"{")
    assert (status, headers["x-amzn-ErrorType"]) == (400, "SerializationException")


def test_a_request_without_credentials_is_refused(world):
    request = urllib.request.Request(world.server.url + "/", b"Action=GetSendQuota")
    with pytest.raises(urllib.error.HTTPError) as caught:
        OPENER.open(request)
    assert caught.value.code == 403


def test_documented_answer_of_get_send_quota(world):
    """https://docs.aws.amazon.com/ses/latest/APIReference/API_GetSendQuota.html"""
    _, _, body = _raw(world, "POST", "/", b"Action=GetSendQuota&Version=2010-12-01")
    start = (
        '<GetSendQuotaResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><GetSendQuotaResult><Max24HourSend>50000.0'
        "</Max24HourSend><MaxSendRate>14.0</MaxSendRate><SentLast24Hours>0.0</SentLast24Hours></GetSendQuotaResult>"
        "<ResponseMetadata><RequestId>"
    )
    assert body.decode().startswith(start)


def test_the_readme_lists_every_operation():
    text = document.README.read_text()
    assert document.document(text) == text, "run python -m ses.document in tools/local"
