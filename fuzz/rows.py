#!/usr/bin/env python3
"""Runs every fuzz target: `fuzz/rows.py SECONDS [TARGET...]`. Prints one JSON row of figures per target."""

import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def main() -> int:
    seconds, crashed = int(sys.argv[1]), 0
    for target in sorted(path.stem for path in (HERE / "fuzz_targets").glob("*.rs")):
        if sys.argv[2:] and target not in sys.argv[2:]:
            continue
        print(f"{target}: {seconds} s", file=sys.stderr)
        run = subprocess.run([HERE / "run.sh", target, str(seconds)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = run.stdout.decode(errors="replace")
        progress = re.findall(r"^#(\d+)\s+.*\bcov: (\d+) .*\bcorp: (\d+)/", output, re.MULTILINE)
        if not progress:
            sys.exit(output[-4000:])
        executions, coverage, corpus = map(int, progress[-1])
        row = {"target": target, "seconds": seconds, "executions": executions, "coverage": coverage, "corpus": corpus}
        print(json.dumps(row | {"crashes": int(run.returncode != 0)}), flush=True)
        if run.returncode != 0:
            crashed += 1
            print(output[-4000:], file=sys.stderr)
    return crashed


if __name__ == "__main__":
    sys.exit(main())
