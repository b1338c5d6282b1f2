"""Function processes are killed while they work. No message is lost and no event is counted twice."""

import os
import pathlib
import random
import signal
import threading
import time

from boto3.dynamodb.conditions import Key
from conftest import ACCOUNT, VISIBILITY_SECONDS, eventually

MESSAGES = 150
KILLING_SECONDS = 15
MIN_KILLS = 10
# So short that some messages become dead letters while processes are killed.
VISIBILITY_SECONDS_WHILE_KILLING = 3


class Killer(threading.Thread):
    """Kills the processes of a function with SIGKILL at random times until it is stopped."""

    def __init__(self, function_name: str):
        super().__init__(daemon=True)
        self.wanted = f"AWS_LAMBDA_FUNCTION_NAME={function_name}".encode()
        self.kills = 0
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(random.uniform(0.05, 0.4)):
            for pid in self.processes():
                try:
                    os.kill(pid, signal.SIGKILL)
                    self.kills += 1
                except ProcessLookupError:
                    pass  # The process has exited.

    def processes(self) -> list[int]:
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                ours = b"POSTROOM_LOCAL_STACK=" + os.fsencode(pathlib.Path(__file__).resolve().parents[2])
                environment = (entry / "environ").read_bytes().split(b"\0")
                if entry.name.isdecimal() and self.wanted in environment and ours in environment:
                    found.append(int(entry.name))
            except OSError:
                continue  # The process has exited or belongs to another user.
        return found

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.join()


SENDER_DOMAIN = "killed-test.example"


def counted_events(stack, message_ids: set[str]) -> dict[str, int]:
    """The number of counted events by kind. The sender's partition has an item per event."""
    sender = f"SENDER#{ACCOUNT}#{ACCOUNT}#{SENDER_DOMAIN}"
    numbers = {"hard": 0, "complaint": 0}
    query = {"KeyConditionExpression": Key("pk").eq(sender), "ConsistentRead": True}
    while True:
        page = stack.table.query(**query)
        for row in page["Items"]:
            parts = row["sk"].split("#")
            if parts[1] in numbers and parts[2] in message_ids:
                numbers[parts[1]] += 1
        if "LastEvaluatedKey" not in page:
            return numbers
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


class Traffic:
    """Mail with bounces and complaints, some of them published twice, and unreadable messages."""

    def __init__(self, stack, text: str):
        self.stack = stack
        # Message ids by recipient.
        self.message_ids: dict[str, str] = {}
        self.recipients = [f"{number}-{text}@example.net" for number in range(MESSAGES)]
        self.unreadable = [f"not JSON {text} {number}" for number in range(3)]
        repeated = random.sample(self.recipients, MESSAGES * 3 // 10)
        self.steps = [*self.recipients, *self.unreadable, *repeated]
        random.shuffle(self.steps)

    def publish(self, step: str) -> None:
        """Publish an unreadable message or the report about a recipient. A repeated recipient repeats the same report."""
        if step in self.unreadable:
            self.stack.sns.publish(TopicArn=self.stack.topic_arn, Message=step)
        elif step in self.message_ids:
            self.stack.local_ses.publish_again(self._kind(step), step)
        else:
            send = self.stack.local_ses.complain if self._kind(step) == "Complaint" else self.stack.local_ses.bounce
            self.message_ids[step] = send(step, sender=f"sender@{SENDER_DOMAIN}")

    def _kind(self, recipient: str) -> str:
        return "Complaint" if self.recipients.index(recipient) % 5 == 0 else "Bounce"


def take_dead_letters(stack, text: str) -> list[str]:
    return [body for body in stack.take_dead_letters() if text in body]


def test_killed_processes_lose_no_message_and_count_no_event_twice(stack, unique):
    stack.report_identity(SENDER_DOMAIN)
    traffic = Traffic(stack, unique)

    stack.set_visibility_timeout(VISIBILITY_SECONDS_WHILE_KILLING, stack.outputs["QueueUrl"])
    with Killer(stack.outputs["FunctionName"]) as killer:
        began = time.monotonic()
        for number, step in enumerate(traffic.steps):
            # Spread over the whole time, so that processes are killed while they handle messages.
            time.sleep(max(0.0, began + number * KILLING_SECONDS / len(traffic.steps) - time.monotonic()))
            traffic.publish(step)
        # A slow machine starts few processes in that time. More messages start more processes.
        deadline = time.monotonic() + 120
        while killer.kills < MIN_KILLS and time.monotonic() < deadline:
            traffic.publish(random.choice(traffic.recipients))
            time.sleep(0.5)
    stack.set_visibility_timeout(VISIBILITY_SECONDS, stack.outputs["QueueUrl"])
    assert killer.kills >= MIN_KILLS, "too few processes were killed for a meaningful test"

    eventually(lambda: stack.queue_length() == 0, seconds=600)
    dead = take_dead_letters(stack, unique)
    for recipient, message in traffic.message_ids.items():
        in_table, is_dead = stack.suppressions(recipient), any(message in letter for letter in dead)
        assert in_table or is_dead, f"{recipient} is neither suppressed nor a dead letter"

    # An operator redrives the dead letters. Repeated, because a busy machine may use up the attempts again.
    left = dead
    for _ in range(3):
        for letter in left:
            stack.sqs.send_message(QueueUrl=stack.outputs["QueueUrl"], MessageBody=letter)
        eventually(lambda: stack.queue_length() == 0, seconds=600)
        left = take_dead_letters(stack, unique)
        if len(left) == len(traffic.unreadable):
            break
    found = [text for letter in left for text in traffic.unreadable if text in letter]
    assert sorted(found) == sorted(traffic.unreadable)
    assert len(left) == len(traffic.unreadable)
    for recipient in traffic.recipients:
        assert len(stack.suppressions(recipient)) == 1
        assert len(stack.history(recipient)) == 1
    complaints = len(range(0, MESSAGES, 5))
    assert counted_events(stack, set(traffic.message_ids.values())) == {"hard": MESSAGES - complaints, "complaint": complaints}
    print(f"{killer.kills} processes killed, {len(traffic.steps)} messages, {len(dead)} dead letters on the way")
