"""The local SES of the stack: sends mail through it and sets the outcomes of the mail.

See tools/local/ses/README.md for its control API.
"""

import base64
import json
import os
import urllib.parse
import urllib.request

import boto3


class LocalSes:
    """Mail is sent with an identity of the stack's account whose Bounce and Complaint topics are the stack's."""

    def __init__(self, sender: str):
        self.sender = sender
        self.client = boto3.client("sesv2")
        self._url = f"{os.environ['AWS_ENDPOINT_URL_SES']}/_local_ses"
        # No proxy: the address is this machine's.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def control(self, method: str, path: str, body: dict | None = None) -> dict:
        data = json.dumps(body).encode() if body is not None else None
        with self._opener.open(urllib.request.Request(self._url + path, data, method=method), timeout=120) as answer:
            return json.load(answer)

    def set_outcomes(self, address: str, *outcomes: str | dict) -> None:
        """Set the outcomes of mail to an address; without outcomes SES only reports that it was sent."""
        objects = [{"outcome": one} if isinstance(one, str) else one for one in outcomes]
        self.control("PUT", f"/outcomes/{urllib.parse.quote(address)}", {"outcomes": objects})

    def send(
        self, recipient: str, client=None, sender: str | None = None, subject: str = "Stack test", **others
    ) -> str:
        """The message id. What is due has been published when it returns."""
        content = {"Subject": {"Data": subject}, "Body": {"Text": {"Data": "Stack test"}}}
        destination = others.pop("Destination", {"ToAddresses": [recipient]})
        mail = {"FromEmailAddress": sender or self.sender, "Destination": destination, "Content": {"Simple": content}}
        message_id = (client or self.client).send_email(**mail, **others)["MessageId"]
        self._settle()
        return message_id

    def bounce(self, recipient: str, **others) -> str:
        """Mail that bounces for good."""
        self.set_outcomes(recipient, "bounce")
        return self.send(recipient, **others)

    def complain(self, recipient: str, **others) -> str:
        """Mail that is complained about."""
        self.set_outcomes(recipient, "complaint")
        return self.send(recipient, **others)

    def create_reporting_configuration_set(self, name: str, topic_arn: str, kinds: list[str]) -> None:
        """A configuration set that publishes these kinds of events to a topic."""
        self.client.create_configuration_set(ConfigurationSetName=name)
        self.client.create_configuration_set_event_destination(
            ConfigurationSetName=name,
            EventDestinationName="topic",
            EventDestination={"Enabled": True, "MatchingEventTypes": kinds, "SnsDestination": {"TopicArn": topic_arn}},
        )

    def publish_times(self, times: int, kind: str, recipient: str | None = None) -> None:
        """Publish the next notification or event of this kind several times, as SES and SNS now and then do."""
        self.control("POST", "/publications/rules", {"kind": kind, "recipient": recipient, "times": times})

    def publish_again(self, kind: str, recipient: str) -> None:
        answer = self.control("POST", "/publications/again", {"kind": kind, "recipient": recipient})
        assert answer["count"] > 0, "nothing was published before"
        self._settle()

    def _settle(self) -> None:
        assert self.control("POST", "/publications/wait", {"seconds": 60})["idle"]

    def published(self, kind: str, recipient: str) -> list[dict]:
        """The notifications and events that were published about a recipient."""
        query = urllib.parse.urlencode({"kind": kind, "recipient": recipient})
        return [one["body"] for one in self.control("GET", f"/publications?{query}")["done"]]

    def calls(self) -> list[dict]:
        """The calls that were made to SES, oldest first."""
        return self.control("GET", "/calls")["calls"]

    def receive(self, mail: bytes, recipients: list[str], **details) -> dict:
        """A mail arrives: the active receipt rule set runs. The answer names each action."""
        body = {"raw": base64.b64encode(mail).decode(), "recipients": recipients, "sender": "jane@client.example"}
        return self.control("POST", "/inbound", body | details)

    def sent_to(self, address: str, kind: str = "sent") -> list[bytes]:
        """The mails that left for an address: `sent`, or `feedback`, which are bounces and complaints by mail."""
        query = urllib.parse.urlencode({"kind": kind, "to": address})
        return [base64.b64decode(mail["raw"]) for mail in self.control("GET", f"/outbox?{query}")["mails"]]
