"""Writes the list of operations into README.md: python -m ses.document"""

from __future__ import annotations

import pathlib

from . import operations  # noqa: F401  Registers the operations.
from .operations.registry import OPERATIONS
from .protocol import models

README = pathlib.Path(__file__).with_name("README.md")
START, END = "<!-- operations: python -m ses.document -->\n", "<!-- end of operations -->\n"


def table() -> str:
    """Every operation with what is guessed about it, then those that are not modelled."""
    lines = ["| API | operation | source |", "|---|---|---|"]
    for (service, name), operation in sorted(OPERATIONS.items()):
        lines.append(f"| {'v1' if service == models.V1 else 'v2'} | {name} | {operation.guess or 'documented'} |")
    for service, version in ((models.V1, "v1"), (models.V2, "v2")):
        missing = [name for name in models.service(service).operation_names if (service, name) not in OPERATIONS]
        lines += ["", f"Not modelled of {version}: {', '.join(missing)}."]
    return "\n".join(lines) + "\n"


def document(text: str) -> str:
    before, rest = text.split(START)
    return before + START + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    README.write_text(document(README.read_text()))
