"""Builds the mail of a request, and reads the headers of a raw one."""

from __future__ import annotations

import dataclasses
import email.headerregistry
import email.message
import email.policy
import email.utils
import re

# Headers a mail may have only once. SES refuses a second one.
# https://docs.aws.amazon.com/ses/latest/dg/header-fields.html
SINGLE_HEADERS = {
    "bcc", "cc", "content-disposition", "content-transfer-encoding", "content-type", "date", "dkim-signature", "from", "message-id",
    "mime-version", "reply-to", "return-path", "sender", "subject", "to",
}  # fmt: skip


@dataclasses.dataclass
class Content:
    """What simple and templated requests say."""

    subject: str
    text: str | None = None
    html: str | None = None
    headers: list[dict] = dataclasses.field(default_factory=list)
    attachments: list[dict] = dataclasses.field(default_factory=list)
    addresses: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    """From, To, Cc and Reply-To."""


def compose(content: Content) -> bytes:
    mail = email.message.EmailMessage(policy=email.policy.SMTP)
    for name, values in content.addresses.items():
        if values:
            mail[name] = ", ".join(_encoded(value) for value in values)
    mail["Subject"] = " ".join(content.subject.splitlines())
    for header in content.headers:
        mail[header["Name"]] = header["Value"]
    if content.text is not None or content.html is None:
        mail.set_content(content.text or "")
        if content.html is not None:
            mail.add_alternative(content.html, subtype="html")
    else:
        mail.set_content(content.html, subtype="html")
    for attachment in content.attachments:
        main, _, sub = attachment.get("ContentType", "application/octet-stream").partition("/")
        mail.add_attachment(
            attachment["RawContent"],
            maintype=main,
            subtype=sub or "octet-stream",
            filename=attachment["FileName"],
            disposition=attachment.get("ContentDisposition", "ATTACHMENT").lower(),
            cid=f"<{attachment['ContentId']}>" if "ContentId" in attachment else None,
        )
    return mail.as_bytes()


def _encoded(address: str) -> str:
    """Keep an address as it was given; only a display name outside ASCII is encoded."""
    name, bare = email.utils.parseaddr(address)
    return email.utils.formataddr((name, bare)) if bare and not address.isascii() else address


def split(raw: bytes) -> tuple[list[tuple[str, str]], bytes]:
    """The headers of a mail, in order and unfolded, and its body."""
    head, _, body = re.match(rb"(.*?)(\r?\n\r?\n|\Z)(.*)", raw, re.DOTALL).groups()
    headers: list[tuple[str, str]] = []
    for line in re.sub(rb"\r?\n(?=[ \t])", b"", head).splitlines():
        name, colon, value = line.decode("utf-8", "replace").partition(":")
        if colon and name and not name[0].isspace():
            headers.append((name.strip(), value.strip()))
    return headers, body


def duplicate_header(headers: list[tuple[str, str]]) -> str | None:
    """The first header that occurs twice and must not."""
    seen = set()
    for name, _ in headers:
        if name.lower() in seen:
            return name
        if name.lower() in SINGLE_HEADERS:
            seen.add(name.lower())
    return None


def header(headers: list[tuple[str, str]], wanted: str) -> str | None:
    return next((value for name, value in headers if name.lower() == wanted.lower()), None)


def without_headers(raw: bytes, unwanted: set[str]) -> bytes:
    """The mail without some headers, whose names are lower-case; everything else stays as it is."""
    head, separator, body = re.match(rb"(.*?)(\r?\n\r?\n|\Z)(.*)", raw, re.DOTALL).groups()
    lines = re.split(rb"(?<=\n)(?![ \t])", head + (b"" if head.endswith(b"\n") else b"\n"))
    kept = [line for line in lines if line.split(b":", 1)[0].strip().lower().decode("latin-1") not in unwanted]
    return b"".join(kept).rstrip(b"\r\n") + separator + body


def with_headers(raw: bytes, headers: list[tuple[str, str]]) -> bytes:
    """The mail with more headers before its own."""
    line_end = "\r\n" if b"\r\n" in raw else "\n"
    return "".join(f"{name}: {value}{line_end}" for name, value in headers).encode() + raw


def bare_address(address: str) -> str:
    """The address without display name and angle brackets, or the text itself."""
    return email.utils.parseaddr(address)[1] or address


def display_name(address: str) -> str:
    return email.utils.parseaddr(address)[0]


def addresses(value: str | None) -> list[str]:
    return [bare for _, bare in email.utils.getaddresses([value or ""]) if bare]
