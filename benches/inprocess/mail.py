"""Inbound mail with Python's email package: prints the nanoseconds of processor time per mail, or the peak memory in KiB.

The same operations as in `src/mail.rs`. To forward a mail, it is parsed and serialised again, as handlers in Python do.
"""

import email.policy
import pathlib
import re
import sys
import time
from email.parser import BytesHeaderParser, BytesParser

DROPPED = ("Return-Path", "Sender", "DKIM-Signature", "Message-ID", "Received-SPF", "Authentication-Results")


def header(mail: bytes):
    # Without this, the parser copies the body.
    block, _, _ = mail.partition(b"\r\n\r\n")
    message = BytesHeaderParser(policy=email.policy.default).parsebytes(block + b"\r\n\r\n")
    return [message[name] for name in ("From", "To", "Subject", "Date", "Auto-Submitted", "List-Id", "Received")]


def parts(mail: bytes):
    message = BytesParser(policy=email.policy.default).parsebytes(mail)
    return sum(len(part.get_payload(decode=True) or b"") for part in message.walk() if not part.is_multipart())


def report(mail: bytes):
    message = BytesParser(policy=email.policy.default).parsebytes(mail)
    (status,) = [part for part in message.walk() if part.get_content_type() == "message/delivery-status"]
    return [(fields["Final-Recipient"], fields["Action"], fields["Status"]) for fields in status.get_payload()]


def forward(mail: bytes) -> bytes:
    message = BytesParser(policy=email.policy.SMTP).parsebytes(mail)
    author = message["From"]
    for name in DROPPED:
        del message[name]
    message.replace_header("From", "forward@shop.example")
    if "Reply-To" not in message:
        message["Reply-To"] = author
    message["Resent-To"] = "owner@target.example"
    return message.as_bytes()


OPERATIONS = {"header": header, "parts": parts, "report": report, "forward": forward}


def main() -> None:
    file, operation, times, output = sys.argv[1:]
    mail, run = pathlib.Path(file).read_bytes(), OPERATIONS[operation]
    began = time.thread_time_ns()
    for _ in range(int(times)):
        run(mail)
    nanoseconds = (time.thread_time_ns() - began) / int(times)
    print(peak_memory() if output == "peak" else nanoseconds)


def peak_memory() -> int:
    # getrusage would include the peak of the parent process.
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path("/proc/self/status").read_text())[1])


if __name__ == "__main__":
    main()
