#!/usr/bin/env python3
"""Draws doc comments of the Rust code and sentences of the docs, for a reader who has not seen them.

`tools/gate/sample.py SEED [COUNT]` prints COUNT (default: 100) of each, numbered. The same seed draws the same ones. The reader
restates each in own words; what is restated wrongly, or only after a second reading, is rewritten.
"""

from __future__ import annotations

import pathlib
import random
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOC_COMMENT = re.compile(r"(?:^[ \t]*//[/!].*\n)+", re.M)
CODE_BLOCK = re.compile(r"```.*?```", re.S)
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`])")


def tracked(pattern: str) -> list[pathlib.Path]:
    names = subprocess.run(["git", "ls-files", pattern], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in names.splitlines()]


def doc_comments() -> list[tuple[str, str]]:
    """Every doc comment outside tests, with its place."""
    found = []
    for file in tracked("*.rs"):
        if "tests" in file.parts:
            continue
        text = file.read_text()
        for match in DOC_COMMENT.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            comment = " ".join(part.strip().lstrip("/!").strip() for part in match.group().splitlines())
            found.append((f"{file.relative_to(ROOT)}:{line}", comment[:600]))
    return found


def sentences() -> list[tuple[str, str]]:
    """Every sentence of the pages, with its file. Tables and code are left out."""
    found = []
    for file in tracked("*.md"):
        if file.name.startswith(("LICENSE", "CHANGELOG")) or "tests" in file.parts:
            continue
        text = CODE_BLOCK.sub("", file.read_text())
        prose = "\n".join(line for line in text.splitlines() if not line.startswith(("|", "#", "    ")))
        for paragraph in prose.split("\n\n"):
            for sentence in SENTENCE.split(" ".join(paragraph.split())):
                if len(sentence.split()) > 4:
                    found.append((str(file.relative_to(ROOT)), sentence))
    return found


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    seed, count = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 100
    for title, texts in (("Doc comments", doc_comments()), ("Sentences of the docs", sentences())):
        print(f"\n{title}: {count} of {len(texts)}\n")
        for number, (place, text) in enumerate(random.Random(seed).sample(texts, min(count, len(texts))), 1):
            print(f"{number:3}. {place}\n     {text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
