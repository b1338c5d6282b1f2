"""Function processes die in the midst of their work, again and again, and nothing is lost or counted twice."""

import os
import pathlib
import random
import signal
import threading
import time

from boto3.dynamodb.conditions import Key
from conftest import ACCOUNT, VISIBILITY_SECONDS, eventually

MESSAGES = 150
SECONDS_OF_KILLING = 15
FEWEST_KILLS = 10
# So short while processes are killed that some messages run out of attempts.
VISIBILITY_AMONG_KILLS = 3


class Killer(threading.Thread):
    """Ends the processes of a function with SIGKILL, at moments they cannot foresee, until told to stop."""

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
                    pass  # It ended by itself meanwhile.

    def processes(self) -> list[int]:
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                ours = b"POSTROOM_LOCAL_STACK=" + os.fsencode(pathlib.Path(__file__).resolve().parents[2])
                environment = (entry / "environ").read_bytes().split(b"\0")
                if entry.name.isdecimal() and self.wanted in environment and ours in environment:
                    found.append(int(entry.name))
            except OSError:
                continue  # It ended, or is another process's.
        return found

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.join()


SENDER_DOMAIN = "killed-test.example"


def counted(stack, messages: set[str]) -> dict[str, int]:
    """How often each message is counted, by kind: one row each, in the sender's partition."""
    sender = f"SENDER#{ACCOUNT}#{ACCOUNT}#{SENDER_DOMAIN}"
    numbers = {"hard": 0, "complaint": 0}
    question = {"KeyConditionExpression": Key("pk").eq(sender), "ConsistentRead": True}
    while True:
        answer = stack.table.query(**question)
        for row in answer["Items"]:
            parts = row["sk"].split("#")
            if parts[1] in numbers and parts[2] in messages:
                numbers[parts[1]] += 1
        if "LastEvaluatedKey" not in answer:
            return numbers
        question["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


class Traffic:
    """Mail that bounces or is complained about, now and then reported twice, and messages nobody can read."""

    def __init__(self, stack, word: str):
        self.stack = stack
        # The id of the message to a recipient.
        self.messages: dict[str, str] = {}
        self.recipients = [f"{number}-{word}@example.net" for number in range(MESSAGES)]
        self.unreadable = [f"not JSON {word} {number}" for number in range(3)]
        again = random.sample(self.recipients, MESSAGES * 3 // 10)
        self.steps = [*self.recipients, *self.unreadable, *again]
        random.shuffle(self.steps)

    def step(self, one: str) -> None:
        """Publish a message of `steps`. The second time a recipient comes it is the same report again."""
        if one in self.unreadable:
            self.stack.sns.publish(TopicArn=self.stack.topic_arn, Message=one)
        elif one in self.messages:
            self.stack.local_ses.publish_again(self._kind(one), one)
        else:
            send = self.stack.local_ses.complain if self._kind(one) == "Complaint" else self.stack.local_ses.bounce
            self.messages[one] = send(one, sender=f"sender@{SENDER_DOMAIN}")

    def _kind(self, recipient: str) -> str:
        return "Complaint" if self.recipients.index(recipient) % 5 == 0 else "Bounce"


def dead_letters(stack, word: str) -> list[str]:
    return [body for body in stack.take_dead_letters() if word in body]


def test_killed_processes_lose_nothing_and_count_nothing_twice(stack, unique):
    stack.report_identity(SENDER_DOMAIN)
    traffic = Traffic(stack, unique)

    stack.hand_out_again_after(VISIBILITY_AMONG_KILLS, stack.outputs["QueueUrl"])
    with Killer(stack.outputs["FunctionName"]) as killer:
        began = time.monotonic()
        for number, one in enumerate(traffic.steps):
            # Over the whole time, so that processes die with work in hand.
            time.sleep(max(0.0, began + number * SECONDS_OF_KILLING / len(traffic.steps) - time.monotonic()))
            traffic.step(one)
        # A slow machine starts few processes in that time. More of the same keeps them coming.
        deadline = time.monotonic() + 120
        while killer.kills < FEWEST_KILLS and time.monotonic() < deadline:
            traffic.step(random.choice(traffic.recipients))
            time.sleep(0.5)
    stack.hand_out_again_after(VISIBILITY_SECONDS, stack.outputs["QueueUrl"])
    assert killer.kills >= FEWEST_KILLS, "too few died to prove anything"

    eventually(lambda: stack.waiting() == 0, seconds=600)
    dead = dead_letters(stack, unique)
    for recipient, message in traffic.messages.items():
        in_table, is_dead = stack.suppressions(recipient), any(message in letter for letter in dead)
        assert in_table or is_dead, f"{recipient} is neither suppressed nor a dead letter"

    # The cause is mended, and the dead letters are moved back, as an operator does: again, where a busy machine was too
    # slow for its attempts.
    left = dead
    for _ in range(3):
        for letter in left:
            stack.sqs.send_message(QueueUrl=stack.outputs["QueueUrl"], MessageBody=letter)
        eventually(lambda: stack.waiting() == 0, seconds=600)
        left = dead_letters(stack, unique)
        if len(left) == len(traffic.unreadable):
            break
    found = [text for letter in left for text in traffic.unreadable if text in letter]
    assert sorted(found) == sorted(traffic.unreadable)
    assert len(left) == len(traffic.unreadable)
    for recipient in traffic.recipients:
        assert len(stack.suppressions(recipient)) == 1
        assert len(stack.history(recipient)) == 1
    complaints = len(range(0, MESSAGES, 5))
    assert counted(stack, set(traffic.messages.values())) == {"hard": MESSAGES - complaints, "complaint": complaints}
    print(f"{killer.kills} processes killed, {len(traffic.steps)} messages, {len(dead)} dead letters on the way")
