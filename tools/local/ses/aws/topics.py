"""Publishes to SNS topics as the service ses.amazonaws.com, which the policy of the topic must allow.

https://docs.aws.amazon.com/ses/latest/dg/configure-sns-notifications.html
"""

from __future__ import annotations

import re

import botocore.exceptions

from ..policy.evaluator import Request, decide
from .clients import Clients

TOPIC_ARN = re.compile(r"arn:[\w-]+:sns:([a-z0-9-]+):(\d{12}):([A-Za-z0-9_-]+(?:\.fifo)?)")
# The AWS managed key has a key policy that lets no other service use it.
AWS_MANAGED_KEYS = ("alias/aws/sns", "aws/sns")


class TopicError(Exception):
    """A topic cannot be used. `kind` is malformed, region, fifo, missing, key, policy or unreachable."""

    def __init__(self, kind: str, arn: str, detail: str = ""):
        super().__init__(f"{kind}: {arn} {detail}".strip())
        self.kind, self.arn = kind, arn


class Topics:
    """`publish` does what SES's publication does; it raises TopicError where SES could not publish."""

    def __init__(self, clients: Clients):
        self._clients = clients

    def publish(
        self, topic: str, message: str, source_account: str, source_arn: str, region: str, subject: str | None = None
    ):
        """Publish for a resource of SES (`source_arn`) of an account, in the Region of SES."""
        found = TOPIC_ARN.fullmatch(topic)
        if not found:
            raise TopicError("malformed", topic)
        topic_region, owner, name = found.groups()
        if topic_region != region:
            raise TopicError("region", topic)
        if name.endswith(".fifo"):
            raise TopicError("fifo", topic)
        client = self._clients.get("sns", owner, region)
        try:
            attributes = client.get_topic_attributes(TopicArn=topic)["Attributes"]
            if attributes.get("KmsMasterKeyId", "").endswith(AWS_MANAGED_KEYS):
                raise TopicError("key", topic)
            if not _allows_ses(attributes.get("Policy"), topic, source_account, source_arn):
                raise TopicError("policy", topic)
            client.publish(TopicArn=topic, Message=message, **({"Subject": subject} if subject else {}))
        except botocore.exceptions.ClientError as error:
            kind = "missing" if error.response["Error"]["Code"] in ("NotFound", "NotFoundException") else "policy"
            raise TopicError(kind, topic, error.response["Error"]["Message"]) from error
        except botocore.exceptions.BotoCoreError as error:
            raise TopicError("unreachable", topic, str(error)) from error


def _allows_ses(policy: str | None, topic: str, account: str, source_arn: str) -> bool:
    context = {"aws:SourceAccount": account, "aws:SourceArn": source_arn, "aws:SourceOwner": account}
    return decide(policy, Request("ses.amazonaws.com", "sns:Publish", topic, context)) == "Allow"
