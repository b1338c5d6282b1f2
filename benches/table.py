#!/usr/bin/env python3
"""Writes the rows that the benchmarks print into docs/benchmarks.md.

Reads JSON lines from the given files; see benches/README.md for the format. Text outside of the two markers is kept.
"""

import json
import os
import pathlib
import platform
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- measured: written by `make bench` -->", "<!-- end of measured -->"
NEEDED = {"row", "ours", "other", "ratio", "unit", "runs", "spread", "command"}


def main() -> int:
    rows = [row for name in sys.argv[1:] for row in read(pathlib.Path(name))]
    if not rows:
        print("table.py: the files have no rows", file=sys.stderr)
        return 1
    text = TARGET.read_text() if TARGET.exists() else f"# Benchmarks\n\n{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    TARGET.write_text(f"{before}{BEGIN}\n\n{machine()}\n\n{tables(rows)}\n{END}{after}")
    print(f"{len(rows)} rows in {TARGET.relative_to(ROOT)}")
    return 0


def read(path: pathlib.Path) -> list[dict]:
    rows = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.startswith("{"):
            continue
        row = json.loads(line)
        if missing := NEEDED - row.keys():
            raise SystemExit(f"table.py: {path}:{number}: missing fields: {', '.join(sorted(missing))}")
        rows.append(row)
    return rows


def tables(rows: list[dict]) -> str:
    parts = []
    for group in dict.fromkeys(row.get("group", "Other") for row in rows):
        parts.append(f"## {group}\n")
        parts.append("| what | Postroom | compared with | | ratio | runs | spread |")
        parts.append("|---|---:|---|---:|---:|---:|---:|")
        members = [row for row in rows if row.get("group", "Other") == group]
        for row in members:
            parts.append(
                f"| {row['row']} | {number(row['ours'])} {row['unit']} | {row.get('than', '')} "
                f"| {amount(row['other'], row['unit'])} | {times(row['ratio'])} | {row['runs']} | {spread(row['spread'])} |"
            )
        commands = dict.fromkeys(row["command"] for row in members)
        parts.append("\nMeasured with " + ", ".join(f"`{command}`" for command in commands) + ".\n")
    return "\n".join(parts)


def number(value: float | None) -> str:
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def amount(value: float | None, unit: str) -> str:
    return "" if value is None else f"{number(value)} {unit}"


def times(ratio: float | None) -> str:
    if ratio is None:
        return ""
    return f"{ratio:.2f}" if ratio >= 0.1 else f"1 / {1 / ratio:.0f}"


def spread(percent: float | None) -> str:
    return f"{percent:.0f} %" if percent else ""


def machine() -> str:
    cpu = next(
        (line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    load = os.getloadavg()[0]
    busy = " **Other programs used the machine: the ratios are reliable, the times are not.**" if load > os.cpu_count() else ""
    return (
        f"Machine: {cpu}, {os.cpu_count()} cores; Linux {platform.release().split('-')[0]}; Rust {rustc}, "
        f"Python {platform.python_version()}; load {load:.1f} at the end.{busy}\n\n"
        "Each figure is the median of alternating runs. Ratio is Postroom's figure divided by the other figure. Spread is the "
        "interquartile range in percent of the median, for the subject with the larger one."
    )


if __name__ == "__main__":
    sys.exit(main())
