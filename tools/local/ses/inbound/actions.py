"""The actions of receipt rules.

https://docs.aws.amazon.com/ses/latest/dg/receiving-email-action.html
"""

from __future__ import annotations

import base64
import json
import typing

from ..events.times import sent_message_id
from ..mail.message import with_headers
from ..state.model import Account
from . import bounce_mail
from .arrival import Arrival
from .permissions import RECEIPT_SUBJECT, ActionError, require_invocable, write_object

if typing.TYPE_CHECKING:
    from ..local_ses import LocalSes

MAX_SNS_BYTES = 150 * 1024
DISPOSITIONS = ("CONTINUE", "STOP_RULE", "STOP_RULE_SET")


class Execution:
    """One rule at work on one mail. `recipients` are those the rule matched."""

    def __init__(self, ses: LocalSes, account: Account, rule_arn: str, arrival: Arrival, recipients: list[str]):
        self.ses, self.account, self.rule_arn, self.arrival, self.recipients = (
            ses,
            account,
            rule_arn,
            arrival,
            recipients,
        )

    def run(self, action: dict) -> tuple[str, dict]:
        """The disposition, and what to report of the action. Raises ActionError, TopicError of `aws.topics` and errors of boto3."""
        ((kind, options),) = action.items()
        described, disposition = getattr(self, f"_{kind.lower()}")(options)
        if options.get("TopicArn") and kind != "SNSAction":
            self._publish(options["TopicArn"], described, None)
        return disposition, described

    def _s3action(self, options: dict) -> tuple[dict, str]:
        if options.get("KmsKeyArn"):
            raise ActionError("local SES does not model encryption with KMS")
        key = options.get("ObjectKeyPrefix", "") + self.arrival.id
        write_object(self.ses, self.account, self.rule_arn, options["BucketName"], key, self.arrival.raw)
        described = {"type": "S3", "topicArn": options.get("TopicArn"), "bucketName": options["BucketName"]}
        described |= {"objectKeyPrefix": options.get("ObjectKeyPrefix", ""), "objectKey": key}
        return _present(described), "CONTINUE"

    def _snsaction(self, options: dict) -> tuple[dict, str]:
        is_base64 = options.get("Encoding") == "Base64"
        described = {"type": "SNS", "topicArn": options["TopicArn"], "encoding": "BASE64" if is_base64 else "UTF8"}
        if len(self.arrival.raw) > MAX_SNS_BYTES:
            raise ActionError(f"the mail has more than {MAX_SNS_BYTES} bytes")
        content = (
            base64.b64encode(self.arrival.raw).decode() if is_base64 else self.arrival.raw.decode("utf-8", "replace")
        )
        self._publish(options["TopicArn"], described, content)
        return described, "CONTINUE"

    def _publish(self, topic: str, described: dict, content: str | None) -> None:
        body = {
            "notificationType": "Received",
            "mail": self.arrival.mail(),
            "receipt": self.arrival.receipt(self.recipients, described),
        }
        if content is not None:
            body["content"] = content
        self.ses.topics.publish(
            topic, json.dumps(body), self.account.id, self.rule_arn, self.account.region, RECEIPT_SUBJECT
        )

    def _lambdaaction(self, options: dict) -> tuple[dict, str]:
        function, invocation = options["FunctionArn"], options.get("InvocationType", "Event")
        described = _present(
            {
                "type": "Lambda",
                "topicArn": options.get("TopicArn"),
                "functionArn": function,
                "invocationType": invocation,
            }
        )
        require_invocable(self.ses, self.account, self.rule_arn, function)
        event = {"mail": self.arrival.mail(), "receipt": self.arrival.receipt(self.recipients, described)}
        payload = json.dumps({"Records": [{"eventSource": "aws:ses", "eventVersion": "1.0", "ses": event}]})
        client = self.ses.clients.get("lambda", function.split(":")[4], self.account.region)
        answer = client.invoke(FunctionName=function, InvocationType=invocation, Payload=payload)
        if invocation == "Event":
            return described, "CONTINUE"
        if answer.get("FunctionError"):
            raise ActionError(f"the function failed: {answer['Payload'].read().decode('utf-8', 'replace')[:500]}")
        return described, _disposition(answer["Payload"].read())

    def _bounceaction(self, options: dict) -> tuple[dict, str]:
        reply, status = options["SmtpReplyCode"], options.get("StatusCode", "5.0.0")
        code = f"smtp; {reply} {status} {options['Message']}"
        failed = [
            {"emailAddress": one, "action": "failed", "status": status, "diagnosticCode": code}
            for one in self.recipients
        ]
        now, sender = self.ses.clock.now(), self.arrival.sender
        message_id = sent_message_id(now)
        mail = bounce_mail.compose(
            options["Sender"], sender, failed, "dns; amazonses.com", options["Message"], message_id, now
        )
        self.ses.post(self.account, "bounce", options["Sender"], [sender], mail, message_id)
        described = {
            "type": "Bounce",
            "topicArn": options.get("TopicArn"),
            "smtpReplyCode": reply,
            "statusCode": status,
        }
        return _present(described | {"message": options["Message"], "sender": options["Sender"]}), "CONTINUE"

    def _stopaction(self, options: dict) -> tuple[dict, str]:
        return _present({"type": "Stop", "topicArn": options.get("TopicArn")}), "STOP_RULE_SET"

    def _addheaderaction(self, options: dict) -> tuple[dict, str]:
        self.arrival.raw = with_headers(self.arrival.raw, [(options["HeaderName"], options["HeaderValue"])])
        return {
            "type": "AddHeader",
            "headerName": options["HeaderName"],
            "headerValue": options["HeaderValue"],
        }, "CONTINUE"


def _disposition(payload: bytes) -> str:
    """Anything that is no disposition counts as CONTINUE."""
    try:
        answer = json.loads(payload)
    except ValueError:
        return "CONTINUE"
    disposition = answer.get("disposition") if isinstance(answer, dict) else None
    return disposition if disposition in DISPOSITIONS else "CONTINUE"


def _present(members: dict) -> dict:
    return {name: value for name, value in members.items() if value is not None}
