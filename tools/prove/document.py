#!/usr/bin/env python3
"""Writes results into docs/proof.md: `document.py seeds|mutants|fuzz FILE`.

Replaces the text between the two markers of the section. All other text is kept.
"""

import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs" / "proof.md"


def main() -> None:
    section, path = sys.argv[1], pathlib.Path(sys.argv[2])
    text = {"seeds": seeds, "mutants": mutants, "fuzz": fuzz}[section](path)
    begin, end = f"<!-- {section}: written by a command -->", f"<!-- end of {section} -->"
    before, found, rest = TARGET.read_text().partition(begin)
    if not found:
        sys.exit(f"{TARGET}: the marker is missing: {begin}")
    after = rest.partition(end)[2]
    TARGET.write_text(f"{before}{begin}\n\n{text}\n{end}{after}")


def environment() -> str:
    """Date, commit and machine."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    kernel = platform.release().partition("-")[0]
    return f"{datetime.date.today()}, commit {commit}, {os.cpu_count()} cores, Linux {kernel}"


def seeds(path: pathlib.Path) -> str:
    line = next(line for line in path.read_text().splitlines() if line.startswith("{"))
    figures = json.loads(line)
    first, number, seconds = figures.pop("first seed"), figures.pop("seeds"), figures.pop("seconds")
    rows = "\n".join(f"| {name} | {count:,} |" for name, count in sorted(figures.items()))
    head = f"{number:,} seeds from {first} held in {seconds} s ({environment()})."
    return f"{head}\n\n| figure | number |\n|---|---:|\n{rows}\n"


def mutants(path: pathlib.Path) -> str:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    table = "\n".join(
        f"| [{row['name']}](../tools/prove/mutants/{row['name']}.toml) | {row['bug']} | {cell(row['result'])} |" for row in rows
    )
    caught = sum(row["caught"] for row in rows)
    head = f"{caught} of {len(rows)} bugs caught ({environment()})."
    return f"{head}\n\n| name | bug | caught by |\n|---|---|---|\n{table}\n"


def cell(text: str) -> str:
    """The text with the separator of table cells escaped."""
    return text.replace("|", "\\|")


def fuzz(path: pathlib.Path) -> str:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    table = "\n".join(
        f"| {row['target']} | {row['seconds']} s | {row['executions']:,} | {row['coverage']:,} | {row['corpus']:,} "
        f"| {row['crashes']} |"
        for row in rows
    )
    head = "| target | time | executions | coverage (edges) | corpus | crashes |\n|---|---:|---:|---:|---:|---:|"
    return f"{environment()}.\n\n{head}\n{table}\n"


if __name__ == "__main__":
    main()
