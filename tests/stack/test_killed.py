"""Function processes are killed while they work. No message is lost and no event is counted twice."""

import json
import os
import pathlib
import random
import signal
import threading
import time

import ses_payloads
from boto3.dynamodb.conditions import Key
from conftest import VISIBILITY_SECONDS, eventually

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


def create_messages(text: str) -> tuple[dict[str, str], list[str]]:
    """A bounce or complaint per recipient, and unreadable messages."""
    notifications = {}
    for number in range(MESSAGES):
        recipient = f"{number}-{text}@example.net"
        notification = ses_payloads.complaint if number % 5 == 0 else ses_payloads.bounce
        notifications[recipient] = notification(recipient)
    return notifications, [f"not JSON {text} {number}" for number in range(3)]


def counted_events(stack, notifications: dict[str, str]) -> dict[str, int]:
    """The number of counted events by kind. The sender's partition has an item per event."""
    sender = f"SENDER#{ses_payloads.OWNER}#{ses_payloads.OWNER}#stack-test.example"
    message_ids = {json.loads(body)["mail"]["messageId"] for body in notifications.values()}
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


def take_dead_letters(stack, text: str) -> list[str]:
    return [body for body in stack.take_dead_letters() if text in body]


def test_killed_processes_lose_no_message_and_count_no_event_twice(stack, unique):
    notifications, unreadable = create_messages(unique)
    published = [*notifications.values(), *unreadable, *random.sample(list(notifications.values()), MESSAGES * 3 // 10)]
    random.shuffle(published)

    stack.set_visibility_timeout(VISIBILITY_SECONDS_WHILE_KILLING, stack.outputs["QueueUrl"])
    with Killer(stack.outputs["FunctionName"]) as killer:
        began = time.monotonic()
        for number, message in enumerate(published):
            # Spread over the whole time, so that processes are killed while they handle messages.
            time.sleep(max(0.0, began + number * KILLING_SECONDS / len(published) - time.monotonic()))
            stack.sns.publish(TopicArn=stack.topic_arn, Message=message)
        # A slow machine starts few processes in that time. More messages start more processes.
        deadline = time.monotonic() + 120
        while killer.kills < MIN_KILLS and time.monotonic() < deadline:
            stack.sns.publish(TopicArn=stack.topic_arn, Message=random.choice(list(notifications.values())))
            time.sleep(0.5)
    stack.set_visibility_timeout(VISIBILITY_SECONDS, stack.outputs["QueueUrl"])
    assert killer.kills >= MIN_KILLS, "too few processes were killed for a meaningful test"

    eventually(lambda: stack.queue_length() == 0, seconds=600)
    dead = take_dead_letters(stack, unique)
    for recipient, body in notifications.items():
        message = json.loads(body)["mail"]["messageId"]
        in_table, is_dead = stack.suppressions(recipient), any(message in letter for letter in dead)
        assert in_table or is_dead, f"{recipient} is neither suppressed nor a dead letter"

    # An operator redrives the dead letters. Repeated, because a busy machine may use up the attempts again.
    left = dead
    for _ in range(3):
        for letter in left:
            stack.sqs.send_message(QueueUrl=stack.outputs["QueueUrl"], MessageBody=letter)
        eventually(lambda: stack.queue_length() == 0, seconds=600)
        left = take_dead_letters(stack, unique)
        if len(left) == len(unreadable):
            break
    assert sorted(text for letter in left for text in unreadable if text in letter) == sorted(unreadable)
    assert len(left) == len(unreadable)
    for recipient in notifications:
        assert len(stack.suppressions(recipient)) == 1
        assert len(stack.history(recipient)) == 1
    complaints = len(range(0, MESSAGES, 5))
    assert counted_events(stack, notifications) == {"hard": MESSAGES - complaints, "complaint": complaints}
    print(f"{killer.kills} processes killed, {len(published)} messages, {len(dead)} dead letters on the way")
