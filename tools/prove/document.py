#!/usr/bin/env python3
"""Writes what was proved into docs/proof.md: `document.py seeds|mutants|fuzz FILE`.

Each section stands between two markers; what stands outside of them is written by people and stays.
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
    written = {"seeds": seeds, "mutants": mutants, "fuzz": fuzz}[section](path)
    begin, end = f"<!-- {section}: written by a command -->", f"<!-- end of {section} -->"
    before, found, rest = TARGET.read_text().partition(begin)
    if not found:
        sys.exit(f"{TARGET}: no {begin}")
    after = rest.partition(end)[2]
    TARGET.write_text(f"{before}{begin}\n\n{written}\n{end}{after}")


def when() -> str:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    return f"{datetime.date.today()}, commit {commit}, {os.cpu_count()} cores, Linux {platform.release().partition('-')[0]}"


def seeds(path: pathlib.Path) -> str:
    line = next(line for line in path.read_text().splitlines() if line.startswith("{"))
    figures = json.loads(line)
    first, number, seconds = figures.pop("first seed"), figures.pop("seeds"), figures.pop("seconds")
    rows = "\n".join(f"| {name} | {count:,} |" for name, count in sorted(figures.items()))
    return f"{number:,} seeds from {first} held in {seconds} s ({when()}).\n\n| what | number |\n|---|---:|\n{rows}\n"


def mutants(path: pathlib.Path) -> str:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    table = "\n".join(f"| [{one['name']}](../tools/prove/mutants/{one['name']}.patch) | {one['bug']} | {one['verdict']} |" for one in rows)
    caught = sum(one["caught"] for one in rows)
    return f"{caught} of {len(rows)} bugs caught ({when()}).\n\n| patch | bug | the proof says |\n|---|---|---|\n{table}\n"


def fuzz(path: pathlib.Path) -> str:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    table = "\n".join(
        f"| {one['target']} | {one['seconds']} s | {one['executions']:,} | {one['coverage']:,} | {one['corpus']:,} | {one['crashes']} |"
        for one in rows
    )
    head = "| target | time | executions | coverage (edges) | corpus | crashes |\n|---|---:|---:|---:|---:|---:|"
    return f"{when()}.\n\n{head}\n{table}\n"


if __name__ == "__main__":
    main()
