#!/usr/bin/env python3
"""Measures the functions' work and prints one row per line; see benches/README.md.

The subjects alternate. Each run is a process, which measures its own time.
"""

import argparse
import base64
import contextlib
import json
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COMMAND = "make bench"

# US dollars in us-east-1, on demand, without free tiers, as published in November 2026 on
# https://aws.amazon.com/dynamodb/pricing/on-demand/, https://aws.amazon.com/lambda/pricing/,
# https://aws.amazon.com/sqs/pricing/ and https://aws.amazon.com/sns/pricing/.
PER_WRITE_UNIT = 0.625e-6
PER_READ_UNIT = 0.125e-6
PER_INVOCATION = 0.20e-6
PER_GB_SECOND_ARM = 0.0000133334
PER_SQS_REQUEST = 0.40e-6
PER_SNS_PUBLISH = 0.50e-6

# As in template.yaml.
MEMORY_GB = 256 / 1024
# The approximate duration of a request to DynamoDB within a Region.
LATENCY_MS = 5


class Bench:
    def __init__(self, arguments: argparse.Namespace):
        self.binary = str(arguments.binary.resolve())
        self.python = str(arguments.python)
        self.runs = arguments.runs
        self.work = arguments.work
        self.work.mkdir(parents=True, exist_ok=True)

    def run(self, *arguments: object) -> float:
        return float(subprocess.run([self.binary, *map(str, arguments)], check=True, capture_output=True, text=True).stdout)

    def run_python(self, script: str, *arguments: object) -> float:
        command = [self.python, HERE / script, *map(str, arguments)]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def event(self, kind: str, batch: int) -> pathlib.Path:
        path = self.work / f"{kind}-{batch}.json"
        options = ["events", "--kind", kind, "--batch", str(batch), "--total", str(batch)]
        path.write_text(subprocess.run([self.binary, *options], check=True, capture_output=True, text=True).stdout)
        return path

    @contextlib.contextmanager
    def store(self, latency_ms: int = 0):
        """An empty table; yields its endpoint."""
        options = [self.binary, "serve", "--latency-ms", str(latency_ms)]
        with subprocess.Popen(options, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield process.stdout.readline().strip()
            finally:
                process.kill()


def consumed(endpoint: str) -> dict:
    """The requests and capacity units of a table since the last call."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(endpoint) as response:
        return json.load(response)


def spread(values: list[float]) -> float:
    """The interquartile range in percent of the median."""
    if len(values) < 4:
        return 0.0
    low, middle, high = statistics.quantiles(values, n=4)
    return 100 * (high - low) / middle


def row(group: str, name: str, unit: str, ours: list[float], other: list[float] | None = None, than: str = "") -> None:
    mine = statistics.median(ours)
    theirs = statistics.median(other) if other else None
    line = {
        "group": group,
        "row": name,
        "ours": round(mine, 4),
        "other": None if theirs is None else round(theirs, 4),
        "than": than,
        "ratio": None if theirs is None else round(mine / theirs, 4),
        "unit": unit,
        "runs": len(ours),
        "spread": round(max(spread(ours), spread(other or [])), 1),
        "command": COMMAND,
    }
    print(json.dumps(line), flush=True)


def alternating(runs: int, *subjects) -> list[list[float]]:
    """The results of each subject. The subjects alternate, and the first run of each is discarded."""
    results = [[] for _ in subjects]
    for run in range(runs + 1):
        for subject_results, subject in zip(results, subjects):
            result = subject()
            if run > 0:
                subject_results.append(result)
    return results


def classifying(bench: Bench) -> None:
    group = "Parse and decide, per notification"
    for kind in ("bounce", "delivery", "complaint"):
        event = bench.event(kind, 10)
        body = json.loads(json.loads(event.read_text())["Records"][0]["body"])["Message"]
        name = f"{kind} of {len(body) / 1000:.1f} KB"
        classify = lambda how, event=event: lambda: bench.run("classify", "--event", event, "--with", how, "--times", 2000)
        python = lambda event=event: bench.run_python("classify.py", event, 400)
        types, values, in_python = alternating(bench.runs, classify("types"), classify("values"), python)
        row(group, f"{name}: processor time", "ns", types, values, "serde_json::Value, fewer decisions")
        row(group, f"{name}: processor time", "ns", types, in_python, "Python json, fewer decisions")
        if not shutil.which("valgrind"):
            print("valgrind is not installed: instructions and allocations are not counted", file=sys.stderr)
            continue
        for what, unit in (("instructions", "instructions"), ("allocations", "allocations")):
            counts = {how: per_notification(bench, event, how, what) for how in ("types", "values")}
            row(group, f"{name}: {what}", unit, [counts["types"]], [counts["values"]], "serde_json::Value, fewer decisions")


def per_notification(bench: Bench, event: pathlib.Path, how: str, what: str) -> float:
    """Measured with valgrind. The difference between few and more repetitions excludes the start of the process."""
    few, more = 5, 25
    counted = [counted_by_valgrind(bench, event, how, what, times) for times in (few, more)]
    return (counted[1] - counted[0]) / (more - few) / 10


def counted_by_valgrind(bench: Bench, event: pathlib.Path, how: str, what: str, times: int) -> int:
    tool, pattern = {
        "instructions": (["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"], r"I\s+refs:\s+([\d,]+)"),
        "allocations": (["--tool=memcheck", "--leak-check=no"], r"total heap usage: ([\d,]+) allocs"),
    }[what]
    command = ["valgrind", *tool, bench.binary, "classify", "--event", event, "--with", how, "--times", times]
    output = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stderr
    return int(re.search(pattern, output).group(1).replace(",", ""))


def handling(bench: Bench) -> None:
    group = "Whole handler with a table in the same process, processor time of both"
    total = 2000
    for kind in ("bounce", "delivery"):
        sizes = (1, 10, 100, 1000)
        handle = lambda batch, kind=kind: lambda: bench.run("handle", "--kind", kind, "--batch", batch, "--total", total)
        measured = dict(zip(sizes, alternating(bench.runs, *map(handle, sizes))))
        for size in sizes:
            than = "" if size == 10 else "batches of 10"
            row(group, f"{kind}, batches of {size}", "per second", measured[size], measured[10] if than else None, than)
    recipients = (1, 10, 50)
    handle = lambda number: lambda: number * bench.run("handle", "--recipients", number, "--total", 2000 // number)
    measured = dict(zip(recipients, alternating(bench.runs, *map(handle, recipients))))
    for number in recipients[1:]:
        row(group, f"bounce of {number} recipients", "recipients per second", measured[number], measured[1], "one recipient each")
    routes = (1, 10, 50)
    route = lambda number: lambda: number * bench.run("route", "--routes", number, "--total", 2000 // number)
    measured = dict(zip(routes, alternating(bench.runs, *map(route, routes))))
    row(group, "router, one route", "per second", measured[1])
    for number in routes[1:]:
        row(group, f"router, {number} routes to {number} targets", "deliveries per second", measured[number], measured[1], "one route")


def handling_compared_with_python(bench: Bench) -> None:
    group = "Whole handler with a table over loopback"
    for kind in ("bounce", "complaint", "delivery"):
        with bench.store() as ours, bench.store() as theirs:
            handle = lambda: bench.run("handle", "--endpoint", ours, "--kind", kind, "--batch", 10, "--total", 1000)
            python = lambda: in_python(bench, theirs, kind, 10, 1000)["per_second"]
            row(group, f"{kind}, batches of 10", "per second", *alternating(bench.runs, handle, python), "Python with boto3")


def in_python(bench: Bench, endpoint: str, kind: str, batch: int, total: int) -> dict:
    options = ["events", "--kind", kind, "--batch", str(batch), "--total", str(total)]
    events = subprocess.run([bench.binary, *options], check=True, capture_output=True).stdout
    command = [bench.python, HERE / "handle.py", endpoint]
    return json.loads(subprocess.run(command, input=events, check=True, capture_output=True).stdout)


def pricing(bench: Bench) -> None:
    group = "DynamoDB per notification"
    # The Python handler keeps the ids of an hour in one item, so its cost depends on the volume.
    for kind, batch, total in (
        ("bounce", 10, 50),
        ("bounce", 10, 1000),
        ("complaint", 10, 50),
        ("soft", 10, 50),
        ("delivery", 10, 50),
        ("delivery", 100, 1000),
    ):
        name = f"{kind}, batches of {batch}, {total:,} per hour"
        with bench.store(LATENCY_MS) as ours, bench.store(LATENCY_MS) as theirs:
            rate = bench.run("handle", "--endpoint", ours, "--kind", kind, "--batch", batch, "--total", total)
            mine = consumed(ours)
            rate_of_python = in_python(bench, theirs, kind, batch, total)["per_second"]
            other = consumed(theirs)
            for what, read in (
                ("requests", lambda counted: sum(counted["requests"].values())),
                ("write units including the index", lambda counted: counted["writeUnits"] + counted["indexWriteUnits"]),
                ("read units", lambda counted: counted["readUnits"]),
            ):
                if read(mine) or read(other):
                    python_result = [read(other) / total] if read(other) else None
                    row(group, f"{name}: {what}", "", [read(mine) / total], python_result, "Python with boto3" if python_result else "")
            dollars = [price_per_million(counted, total, per_second, batch) for counted, per_second in ((mine, rate), (other, rate_of_python))]
            row("Dollars per million notifications", name, "$", [dollars[0]], [dollars[1]], "Python with boto3")


def mailing(bench: Bench) -> None:
    group = "Inbound mail"
    mails = {kilobytes: mail(bench, kilobytes) for kilobytes in (1, 1000, 30_000)}
    returned = report(bench, mails[1000])
    header = len(mails[1].read_bytes().partition(b"\r\n\r\n")[0]) / 1e6
    work = [
        (f"header of {1000 * header:.1f} KB", mails[30_000], "header", header, 2000),
        ("all parts of 1 MB (mail-parser; the function does not decode them)", mails[1000], "parts", 1, 50),
        ("delivery report that returns 1 MB", returned, "report", 1, 50),
        ("forward of 1 MB", mails[1000], "forward", 1, 50),
        ("forward of 30 MB", mails[30_000], "forward", 30, 5),
    ]
    for name, file, what, megabytes, times in work:
        ours = lambda: megabytes * 1e9 / bench.run("mail", "--mail", file, "--operation", what, "--times", times)
        other = lambda: megabytes * 1e9 / bench.run_python("mail.py", file, what, max(1, times // 25), "time")
        row(group, name, "MB/s", *alternating(bench.runs, ours, other), "Python's email package")
    for kilobytes, size in ((1000, "1 MB"), (30_000, "30 MB")):
        for what in ("header", "forward"):
            peak = lambda: bench.run("mail", "--mail", mails[kilobytes], "--operation", what, "--peak") / 1024
            other = lambda: bench.run_python("mail.py", mails[kilobytes], what, 1, "peak") / 1024
            name = f"{what} of {size}: peak memory including the mail"
            row(group, name, "MiB", *alternating(3, peak, other), "Python's email package")


HEADER = """\
Return-Path: <news+bounces@lists.shop.example>
Received: from mail-1.relay.example (mail-1.relay.example [192.0.2.1])
 by inbound-smtp.us-east-1.amazonaws.com with SMTP id 7f3k0s9d8f7g6h5j4k3l2m1n0
 for info@shop.example; Tue, 03 Mar 2026 09:15:01 +0000 (UTC)
X-SES-Spam-Verdict: PASS
X-SES-Virus-Verdict: PASS
Authentication-Results: amazonses.com; spf=pass (spfCheck: domain of relay.example designates 192.0.2.1)
 client-ip=192.0.2.1; envelope-from=jane@relay.example; helo=mail-1.relay.example; dkim=pass header.i=@relay.example;
 dmarc=pass header.from=relay.example;
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=relay.example; s=s1; t=1772529302;
 h=from:to:subject:date:message-id:mime-version:content-type; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;
 b={signature}
From: =?utf-8?q?J=C3=BCrgen_Doe?= <jane@relay.example>
To: "Doe, Joe" <info@shop.example>, sales@shop.example
Cc: =?utf-8?b?TcO8bGxlcg==?= <mueller@relay.example>
Subject: =?utf-8?q?Angebot_=C3=BCber_hundert_St=C3=BCck?= und mehr
Date: Tue, 03 Mar 2026 10:15:00 +0100
Message-ID: <20260303091500.12345@relay.example>
References: <1@shop.example> <2@relay.example>
MIME-Version: 1.0
"""


def mail(bench: Bench, kilobytes: int) -> pathlib.Path:
    """A mail with a typical header, a text and a base64 attachment. The content is the same each time."""
    fields = HEADER.format(signature="\n ".join(["Zm9ydHktdHdvIG9jdGV0cyBvZiBhIHNpZ25hdHVyZSwgdHdpY2U"] * 7))
    text = fields.replace("\n", "\r\n").encode()
    text += b'Content-Type: multipart/mixed; boundary="part"\r\n\r\n--part\r\nContent-Type: text/plain; charset=utf-8\r\n'
    text += b"\r\nGuten Tag,\r\nanbei unser Angebot.\r\n--part\r\nContent-Type: application/pdf; name=offer.pdf\r\n"
    text += b"Content-Transfer-Encoding: base64\r\n\r\n"
    attachment = base64.encodebytes(random.Random(1).randbytes(max(0, kilobytes * 1000 - len(text)) * 57 // 78))
    path = bench.work / f"{kilobytes}.eml"
    path.write_bytes(text + attachment.replace(b"\n", b"\r\n") + b"--part--\r\n")
    return path


def report(bench: Bench, returned: pathlib.Path) -> pathlib.Path:
    """A delivery report (RFC 3464) that returns the whole mail."""
    parts = [
        b"Content-Type: text/plain\r\n\r\nYour message could not be delivered.\r\n",
        b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; relay.example\r\n\r\n"
        b"Final-Recipient: rfc822; gone@relay.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        b"Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n",
        b"Content-Type: message/rfc822\r\n\r\n" + returned.read_bytes(),
    ]
    text = b"From: MAILER-DAEMON@relay.example\r\nTo: info@shop.example\r\nSubject: Undelivered\r\n"
    text += b"Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
    text += b'Content-Type: multipart/report; report-type=delivery-status; boundary="whole"\r\n\r\n'
    path = bench.work / "report.eml"
    path.write_bytes(text + b"".join(b"--whole\r\n" + part + b"\r\n" for part in parts) + b"--whole--\r\n")
    return path


def price_per_million(counted: dict, total: int, per_second: float, batch: int) -> float:
    """The price of one million notifications: SNS, queue, function and table."""
    table = (counted["writeUnits"] + counted["indexWriteUnits"]) * PER_WRITE_UNIT + counted["readUnits"] * PER_READ_UNIT
    function = MEMORY_GB * PER_GB_SECOND_ARM / per_second + PER_INVOCATION / batch
    # SNS sends messages one by one. Lambda receives and deletes ten at a time.
    queue = PER_SQS_REQUEST * (1 + 2 / 10)
    return 1e6 * (table / total + function + queue + PER_SNS_PUBLISH)


def main() -> None:
    parts = {"classifying": classifying, "handling": handling, "python": handling_compared_with_python, "pricing": pricing, "mailing": mailing}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target" / "release" / "bench-inprocess")
    parser.add_argument("--python", default=sys.executable, help="Python with boto3")
    parser.add_argument("--runs", type=int, default=9, help="runs per subject (default: %(default)s)")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / ".local" / "bench" / "inprocess")
    parser.add_argument("parts", nargs="*", choices=[*parts, []], default=[], help="only these parts")
    arguments = parser.parse_args()
    bench = Bench(arguments)
    for name in arguments.parts or parts:
        began = time.monotonic()
        parts[name](bench)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
