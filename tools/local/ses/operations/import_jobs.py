"""Import jobs for the suppression list of the account.

https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html#sending-email-suppression-list-manual-add-bulk
"""

from __future__ import annotations

import csv
import io
import json
import threading
import uuid

import botocore.exceptions

from ..local_ses import Call
from ..protocol.errors import NotModelled, not_found
from ..state.model import SuppressedDestination
from . import suppression
from .paging import page
from .registry import operation

MAX_ADDRESSES = 100_000


@operation("sesv2", "CreateImportJob", guess="The format of lines that fail. Contact lists are not modelled.")
def create(call: Call, ImportDestination: dict, ImportDataSource: dict) -> dict:
    if "SuppressionListDestination" not in ImportDestination:
        raise NotModelled("import jobs for contact lists")
    job = {
        "JobId": str(uuid.uuid4()),
        "ImportDestination": ImportDestination,
        "ImportDataSource": ImportDataSource,
        "JobStatus": "CREATED",
        "CreatedTimestamp": call.now,
    }
    call.account.import_jobs[job["JobId"]] = job
    threading.Thread(target=_work, args=(call, job), daemon=True).start()
    return {"JobId": job["JobId"]}


@operation("sesv2", "GetImportJob")
def get(call: Call, JobId: str) -> dict:
    if JobId not in call.account.import_jobs:
        raise not_found(f"Import job {JobId} does not exist.")
    return call.account.import_jobs[JobId]


@operation("sesv2", "ListImportJobs")
def list_jobs(
    call: Call, ImportDestinationType: str | None = None, NextToken: str | None = None, PageSize: int | None = None
) -> dict:
    # Contact lists have no import jobs here.
    jobs = [] if ImportDestinationType == "CONTACT_LIST" else list(call.account.import_jobs.values())
    items, token = page(call.service, jobs, NextToken, PageSize, 1000)
    return {"ImportJobs": items, "NextToken": token}


def _work(call: Call, job: dict) -> None:
    with call.ses.lock:
        job["JobStatus"] = "PROCESSING"
    try:
        bucket, _, object_key = job["ImportDataSource"]["S3Url"].removeprefix("s3://").partition("/")
        client = call.ses.clients.get("s3", call.account.id, call.account.region)
        text = client.get_object(Bucket=bucket, Key=object_key)["Body"].read().decode("utf-8-sig")
        lines = _read(text, job["ImportDataSource"]["DataFormat"])
        if len(lines) > MAX_ADDRESSES:
            raise ValueError(f"the file has more than {MAX_ADDRESSES} addresses")
    except (ValueError, botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        with call.ses.lock:
            job |= {"JobStatus": "FAILED", "CompletedTimestamp": call.now, "FailureInfo": {"ErrorMessage": str(error)}}
        return
    with call.ses.lock:
        failed = _apply(
            call, job["ImportDestination"]["SuppressionListDestination"]["SuppressionListImportAction"], lines
        )
        job |= {"JobStatus": "COMPLETED", "CompletedTimestamp": call.now}
        job |= {"ProcessedRecordsCount": len(lines), "FailedRecordsCount": failed}


def _read(text: str, data_format: str) -> list[tuple[str, str | None]]:
    """Address and reason of each line. A CSV file may start with the names of its columns."""
    if data_format == "JSON":
        objects = [json.loads(line) for line in text.splitlines() if line.strip()]
        return [(one.get("emailAddress", ""), one.get("reason")) for one in objects]
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    if rows and rows[0][0].strip().lower() == "emailaddress":
        rows = rows[1:]
    return [(row[0].strip(), row[1].strip() if len(row) > 1 else None) for row in rows]


def _apply(call: Call, action: str, lines: list[tuple[str, str | None]]) -> int:
    """The number of lines that could not be applied. The caller holds the lock."""
    failed = 0
    for address, reason in lines:
        if "@" not in address or (action == "PUT" and reason not in ("BOUNCE", "COMPLAINT")):
            failed += 1
        elif action == "PUT":
            call.account.suppression[suppression.key(address)] = SuppressedDestination(address, reason, call.now)
        else:
            call.account.suppression.pop(suppression.key(address), None)
    return failed
