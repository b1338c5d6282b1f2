"""Sends mail through the local SES of the stack and sets the outcomes of the mail.

tools/local/ses/README.md describes the control API.
"""

import base64
import json
import os
import urllib.parse
import urllib.request

import boto3


class LocalSes:
    """A client of the local SES. `sender` is an address of an identity whose Bounce and Complaint topics are the stack's."""

    def __init__(self, sender: str):
        self.sender = sender
        self.client = boto3.client("sesv2")
        self._url = f"{os.environ['AWS_ENDPOINT_URL_SES']}/_local_ses"
        # The endpoint is on this machine, so no proxy is used.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def control(self, method: str, path: str, body: dict | None = None) -> dict:
        data = json.dumps(body).encode() if body is not None else None
        with self._opener.open(urllib.request.Request(self._url + path, data, method=method), timeout=120) as response:
            return json.load(response)

    def set_outcomes(self, address: str, *outcomes: str | dict) -> None:
        """Set the outcomes of mail to an address. Without outcomes, SES reports only the send."""
        objects = [{"outcome": outcome} if isinstance(outcome, str) else outcome for outcome in outcomes]
        self.control("PUT", f"/outcomes/{urllib.parse.quote(address)}", {"outcomes": objects})

    def send(
        self, recipient: str, client=None, sender: str | None = None, subject: str = "Stack test", **others
    ) -> str:
        """Send a mail, wait until its events are published, and return the message id."""
        content = {"Subject": {"Data": subject}, "Body": {"Text": {"Data": "Stack test"}}}
        destination = others.pop("Destination", {"ToAddresses": [recipient]})
        mail = {"FromEmailAddress": sender or self.sender, "Destination": destination, "Content": {"Simple": content}}
        message_id = (client or self.client).send_email(**mail, **others)["MessageId"]
        self._wait_until_published()
        return message_id

    def bounce(self, recipient: str, **others) -> str:
        """Send a mail that bounces permanently."""
        self.set_outcomes(recipient, "bounce")
        return self.send(recipient, **others)

    def complain(self, recipient: str, **others) -> str:
        """Send a mail that causes a complaint."""
        self.set_outcomes(recipient, "complaint")
        return self.send(recipient, **others)

    def create_reporting_configuration_set(self, name: str, topic_arn: str, kinds: list[str]) -> None:
        """Create a configuration set that publishes these event types to a topic."""
        self.client.create_configuration_set(ConfigurationSetName=name)
        self.client.create_configuration_set_event_destination(
            ConfigurationSetName=name,
            EventDestinationName="topic",
            EventDestination={"Enabled": True, "MatchingEventTypes": kinds, "SnsDestination": {"TopicArn": topic_arn}},
        )

    def publish_times(self, times: int, kind: str, recipient: str | None = None) -> None:
        """Publish the next notification or event of this type several times, as SES and SNS sometimes do."""
        self.control("POST", "/publications/rules", {"kind": kind, "recipient": recipient, "times": times})

    def publish_again(self, kind: str, recipient: str) -> None:
        """Publish the notifications and events of this type about a recipient again."""
        response = self.control("POST", "/publications/again", {"kind": kind, "recipient": recipient})
        assert response["count"] > 0, "there is no earlier publication"
        self._wait_until_published()

    def _wait_until_published(self) -> None:
        assert self.control("POST", "/publications/wait", {"seconds": 60})["idle"]

    def published(self, kind: str, recipient: str) -> list[dict]:
        """The published notifications and events about a recipient."""
        query = urllib.parse.urlencode({"kind": kind, "recipient": recipient})
        return [publication["body"] for publication in self.control("GET", f"/publications?{query}")["done"]]

    def calls(self) -> list[dict]:
        """The calls to SES, oldest first."""
        return self.control("GET", "/calls")["calls"]

    def receive(self, mail: bytes, recipients: list[str], **details) -> dict:
        """Receive a mail: run the active receipt rule set and return the result of each action."""
        body = {"raw": base64.b64encode(mail).decode(), "recipients": recipients, "sender": "jane@client.example"}
        return self.control("POST", "/inbound", body | details)

    def sent_to(self, address: str, kind: str = "sent") -> list[bytes]:
        """The mails to an address: of kind `sent`, or `feedback` (bounces and complaints as mail)."""
        query = urllib.parse.urlencode({"kind": kind, "to": address})
        return [base64.b64decode(mail["raw"]) for mail in self.control("GET", f"/outbox?{query}")["mails"]]
