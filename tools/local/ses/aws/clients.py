"""boto3 clients of the local AWS, one an account, service and Region."""

from __future__ import annotations

import threading

import boto3
import botocore.config

QUICK = botocore.config.Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 2})
# A function that a receipt rule invokes may take 30 seconds.
PATIENT = botocore.config.Config(connect_timeout=5, read_timeout=35, retries={"total_max_attempts": 1})


class Clients:
    """`endpoint` is the URL of the local AWS. The access key id of a client is its account."""

    def __init__(self, endpoint: str | None):
        self.endpoint = endpoint
        self._lock = threading.Lock()
        self._clients: dict[tuple, object] = {}

    def get(self, service: str, account: str, region: str):
        key = (service, account, region)
        with self._lock:
            if key not in self._clients:
                session = boto3.Session(aws_access_key_id=account, aws_secret_access_key="test", region_name=region)
                config = PATIENT if service == "lambda" else QUICK
                self._clients[key] = session.client(service, endpoint_url=self.endpoint, config=config)
            return self._clients[key]
