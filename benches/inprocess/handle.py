"""Hands the events on standard input, one a line, to the Python handler, and prints how many notifications a second."""

import json
import logging
import os
import pathlib
import sys
import time

os.environ |= {
    "TABLE_NAME": "postroom",
    "AWS_ENDPOINT_URL_DYNAMODB": sys.argv[1],
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": "us-east-1",
    "LOG_LEVEL": "ERROR",
    "NO_PROXY": "127.0.0.1",
}
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python"))

import handler  # noqa: E402  It reads its configuration when it is imported.


def main() -> None:
    logging.getLogger().addHandler(logging.NullHandler())
    events = [json.loads(line) for line in sys.stdin]
    began = time.perf_counter()
    for event in events:
        answer = handler.handle(event, None)
        assert answer == {"batchItemFailures": []}, answer
    seconds = time.perf_counter() - began
    print(json.dumps({"per_second": sum(len(event["Records"]) for event in events) / seconds}))


if __name__ == "__main__":
    main()
