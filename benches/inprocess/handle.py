"""Passes the events on standard input, one per line, to the Python handler. Prints the notifications per second."""

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

import handler  # noqa: E402  It reads the environment when it is imported.


def main() -> None:
    logging.getLogger().addHandler(logging.NullHandler())
    events = [json.loads(line) for line in sys.stdin]
    began = time.perf_counter()
    for event in events:
        response = handler.handle(event, None)
        assert response == {"batchItemFailures": []}, response
    seconds = time.perf_counter() - began
    print(json.dumps({"per_second": sum(len(event["Records"]) for event in events) / seconds}))


if __name__ == "__main__":
    main()
