"""Parses a Lambda event and decides, with Python's json. Prints the nanoseconds of processor time per notification.

Does the same as the minimal handler in `src/classify.rs`.
"""

import json
import pathlib
import sys
import time
from datetime import datetime


def decide(event: bytes) -> int:
    decided = 0
    for record in json.loads(event)["Records"]:
        notification = json.loads(json.loads(record["body"])["Message"])
        kind = notification.get("eventType") or notification["notificationType"]
        mail = notification["mail"]
        if kind == "Bounce":
            report, recipients = notification["bounce"], notification["bounce"]["bouncedRecipients"]
        elif kind == "Complaint":
            report, recipients = notification["complaint"], notification["complaint"]["complainedRecipients"]
        else:
            report, recipients = notification["delivery"], notification["delivery"]["recipients"]
        at = datetime.fromisoformat(report["timestamp"].replace("Z", "+00:00"))
        reason = kind if kind != "Bounce" or report["bounceType"] == "Permanent" else "Transient"
        for recipient in recipients:
            address = recipient if isinstance(recipient, str) else recipient["emailAddress"]
            sender = f"{mail.get('sendingAccountId', '')}#{mail.get('sourceArn', '')}"
            _ = (address.strip("<>").lower(), reason, sender, mail["messageId"], at)
        decided += 1
    return decided


def main() -> None:
    event, times = pathlib.Path(sys.argv[1]).read_bytes(), int(sys.argv[2])
    began = time.thread_time_ns()
    notifications = sum(decide(event) for _ in range(times))
    print((time.thread_time_ns() - began) / notifications)


if __name__ == "__main__":
    main()
