"""Keeps the suppressed addresses of an application in step with the change notices of Postroom.

    python suppression_consumer.py QUEUE_URL suppressions.db

suppression-consumer.yaml creates the queue. The notices are described in docs/suppression-changes.md.
"""

import json
import sqlite3
import sys
from datetime import datetime, timezone

SCHEMA_VERSION = 1


def open_database(path):
    """The database of the application, with a table that has the newest notice of each address, scope and contact list."""
    database = sqlite3.connect(path)
    database.execute(
        "CREATE TABLE IF NOT EXISTS suppression (address TEXT, scope TEXT, list TEXT, version TEXT, state TEXT, until TEXT,"
        " PRIMARY KEY (address, scope, list))"
    )
    return database


def apply(database, notice):
    """Store a notice, unless the database has the same or a newer one. It may arrive twice and in any order."""
    if notice["schemaVersion"] != SCHEMA_VERSION:
        raise ValueError(f"schemaVersion {notice['schemaVersion']}: this program reads {SCHEMA_VERSION}")
    with database:
        database.execute(
            "INSERT INTO suppression VALUES (:address, :scope, :list, :version, :state, :until)"
            " ON CONFLICT DO UPDATE SET version = excluded.version, state = excluded.state, until = excluded.until"
            " WHERE excluded.version > suppression.version",
            notice | {"list": notice["list"] or ""},
        )


def is_suppressed(database, address, scopes, contact_list="", now=None):
    """Whether mail to an address must not be sent. `scopes`: global, the tenant and the domain of the sender."""
    now = (now or datetime.now(timezone.utc)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    lists = {"", contact_list, contact_list.partition("/")[0]}
    rows = database.execute("SELECT scope, list, state, until FROM suppression WHERE address = ?", (address.lower(),))
    return any(
        scope in scopes and of_list in lists and state == "suppressed" and (until is None or until > now)
        for scope, of_list, state, until in rows
    )


def consume(sqs, queue_url, database):
    """Apply the notices in the queue, at most ten. A message that fails stays in the queue, and at last becomes a dead letter."""
    answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=20)
    for message in answer.get("Messages", []):
        try:
            apply(database, json.loads(json.loads(message["Body"])["Message"]))
        except (KeyError, ValueError) as error:
            print(f"message {message['MessageId']} is not applied: {error!r}", file=sys.stderr)
            continue
        # Only now, so that a message is not lost when the program ends before it is applied.
        sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])


if __name__ == "__main__":
    import boto3

    _, url, path = sys.argv
    client, connection = boto3.client("sqs"), open_database(path)
    while True:
        consume(client, url, connection)
