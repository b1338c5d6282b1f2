"""Function processes die in the midst of their work, again and again, and nothing is lost or counted twice."""

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
                continue  # It ended, or is somebody else's.
        return found

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.join()


def notifications(word: str) -> tuple[dict[str, str], list[str]]:
    """By recipient, a bounce or a complaint; and what nobody can read."""
    told = {}
    for number in range(MESSAGES):
        recipient = f"{number}-{word}@example.net"
        tell = ses_payloads.complaint if number % 5 == 0 else ses_payloads.bounce
        told[recipient] = tell(recipient)
    return told, [f"not JSON {word} {number}" for number in range(3)]


def counted(stack, told: dict[str, str]) -> dict[str, int]:
    """How often each message is counted, by kind: one row each, in the sender's partition."""
    sender = f"SENDER#{ses_payloads.OWNER}#{ses_payloads.OWNER}#stack-test.example"
    of_ours = {json.loads(body)["mail"]["messageId"] for body in told.values()}
    numbers = {"hard": 0, "complaint": 0}
    question = {"KeyConditionExpression": Key("pk").eq(sender), "ConsistentRead": True}
    while True:
        answer = stack.table.query(**question)
        for row in answer["Items"]:
            parts = row["sk"].split("#")
            if parts[1] in numbers and parts[2] in of_ours:
                numbers[parts[1]] += 1
        if "LastEvaluatedKey" not in answer:
            return numbers
        question["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def dead_letters(stack, word: str) -> list[str]:
    return [body for body in stack.take_dead_letters() if word in body]


def test_killed_processes_lose_nothing_and_count_nothing_twice(stack, unique):
    told, unreadable = notifications(unique)
    published = [*told.values(), *unreadable, *random.sample(list(told.values()), MESSAGES * 3 // 10)]
    random.shuffle(published)

    stack.hand_out_again_after(VISIBILITY_AMONG_KILLS, stack.outputs["QueueUrl"])
    with Killer(stack.outputs["FunctionName"]) as killer:
        began = time.monotonic()
        for number, message in enumerate(published):
            # Over the whole time, so that processes die with work in hand.
            time.sleep(max(0.0, began + number * SECONDS_OF_KILLING / len(published) - time.monotonic()))
            stack.sns.publish(TopicArn=stack.topic_arn, Message=message)
        # A slow machine starts few processes in that time. More of the same keeps them coming.
        deadline = time.monotonic() + 120
        while killer.kills < FEWEST_KILLS and time.monotonic() < deadline:
            stack.sns.publish(TopicArn=stack.topic_arn, Message=random.choice(list(told.values())))
            time.sleep(0.5)
    stack.hand_out_again_after(VISIBILITY_SECONDS, stack.outputs["QueueUrl"])
    assert killer.kills >= FEWEST_KILLS, "too few died to prove anything"

    eventually(lambda: stack.waiting() == 0, seconds=600)
    dead = dead_letters(stack, unique)
    for recipient, body in told.items():
        message = json.loads(body)["mail"]["messageId"]
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
        if len(left) == len(unreadable):
            break
    assert sorted(text for letter in left for text in unreadable if text in letter) == sorted(unreadable)
    assert len(left) == len(unreadable)
    for recipient in told:
        assert len(stack.suppressions(recipient)) == 1
        assert len(stack.history(recipient)) == 1
    complaints = len(range(0, MESSAGES, 5))
    assert counted(stack, told) == {"hard": MESSAGES - complaints, "complaint": complaints}
    print(f"{killer.kills} processes killed, {len(published)} messages, {len(dead)} dead letters on the way")
