"""Tries what a receipt rule's action names: topic, bucket, function. Their policies must allow ses.amazonaws.com.

https://docs.aws.amazon.com/ses/latest/dg/receiving-email-permissions.html
"""

from __future__ import annotations

import json
import typing

import botocore.exceptions

from ..aws.topics import TopicError
from ..policy.evaluator import Request, decide
from ..protocol.errors import ServiceError
from ..state.model import Account

if typing.TYPE_CHECKING:
    from ..local_ses import LocalSes

PROBE = "AMAZON_SES_SETUP_NOTIFICATION"
PROBLEMS = (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError)
RECEIPT_SUBJECT = "Amazon SES Email Receipt Notification"


class ActionError(Exception):
    """An action cannot be carried out."""


def check(ses: LocalSes, account: Account, rule_arn: str, kind: str, options: dict) -> None:
    """Raises the error of CreateReceiptRule. Topics get a message and the bucket an object."""
    if topic := options.get("TopicArn"):
        try:
            ses.topics.publish(topic, _subscribed(topic), account.id, rule_arn, account.region, RECEIPT_SUBJECT)
        except TopicError:
            raise ServiceError(
                "InvalidSnsTopicException", f"Could not publish to SNS topic: {topic}", Topic=topic
            ) from None
    if kind == "S3Action":
        bucket = options["BucketName"]
        try:
            write_object(ses, account, rule_arn, bucket, options.get("ObjectKeyPrefix", "") + PROBE, _PROBE_MAIL)
        except (ActionError, *PROBLEMS):
            raise ServiceError(
                "InvalidS3ConfigurationException", f"Could not write to bucket: {bucket}", Bucket=bucket
            ) from None
    if kind == "LambdaAction":
        function = options["FunctionArn"]
        try:
            require_invocable(ses, account, rule_arn, function)
        except (ActionError, *PROBLEMS):
            message = f"Could not invoke Lambda function: {function}"
            raise ServiceError("InvalidLambdaFunctionException", message, FunctionArn=function) from None


_PROBE_MAIL = b"Subject: Amazon SES Setup Notification\r\n\r\nThis is a notification that Amazon SES has been set up to deliver mail here.\r\n"


def _subscribed(topic: str) -> str:
    text = f"You have successfully subscribed your Amazon SNS topic '{topic}' to receive notifications from Amazon SES."
    return json.dumps({"notificationType": "AmazonSnsSubscriptionSucceeded", "message": text})


def write_object(ses: LocalSes, account: Account, rule_arn: str, bucket: str, key: str, body: bytes) -> None:
    """Put an object as SES does: the policy of the bucket must allow it, and in the account's own bucket too."""
    client = ses.clients.get("s3", account.id, account.region)
    try:
        policy = client.get_bucket_policy(Bucket=bucket)["Policy"]
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
            raise
        policy = None
    context = {"aws:SourceAccount": account.id, "aws:SourceArn": rule_arn, "aws:Referer": account.id}
    if decide(policy, Request("ses.amazonaws.com", "s3:PutObject", f"arn:aws:s3:::{bucket}/{key}", context)) != "Allow":
        raise ActionError(f"the policy of bucket {bucket} does not let ses.amazonaws.com write {key}")
    client.put_object(Bucket=bucket, Key=key, Body=body)


def require_invocable(ses: LocalSes, account: Account, rule_arn: str, function: str) -> None:
    """The function exists, and its policy lets SES invoke it."""
    client = ses.clients.get("lambda", function.split(":")[4], account.region)
    client.get_function_configuration(FunctionName=function)
    context = {"aws:SourceAccount": account.id, "AWS:SourceArn": rule_arn}
    try:
        policy = client.get_policy(FunctionName=function)["Policy"]
    except client.exceptions.ResourceNotFoundException:
        policy = None
    if decide(policy, Request("ses.amazonaws.com", "lambda:InvokeFunction", function, context)) != "Allow":
        raise ActionError(f"the policy of {function} does not let ses.amazonaws.com invoke it")
