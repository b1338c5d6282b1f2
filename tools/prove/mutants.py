#!/usr/bin/env python3
"""Shows that the fault proof bites: each patch in mutants/ is a bug, and every one of them must make it fail.

The working tree stays as it is: each bug goes into a copy under target/mutants, which shares the built dependencies.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MUTANTS = pathlib.Path(__file__).resolve().parent / "mutants"
NOT_COPIED = shutil.ignore_patterns("target", ".git", ".local", ".aws-sam", "__pycache__")
PROVE = ["cargo", "run", "--quiet", "--package", "prove", "--profile", "prove", "--"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="only these (file names without .patch)")
    parser.add_argument("--seeds", type=int, default=3000, help="how many seeds a bug may survive")
    parser.add_argument("--rows", type=argparse.FileType("w"), help="where the verdicts go, one JSON object a line")
    parser.add_argument("--target-dir", type=pathlib.Path, default=ROOT / "target", help="where cargo builds")
    arguments = parser.parse_args()
    patches = sorted(MUTANTS.glob("*.patch"))
    if arguments.names:
        patches = [patch for patch in patches if patch.stem in arguments.names]
    if not patches:
        sys.exit("no such mutant")

    # Once only: cargo goes by the files' times, and those that a patch comes and goes in get new ones.
    copy = arguments.target_dir / "mutants"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
    for file in copy.rglob("*.rs"):
        file.touch()
    survivors = []
    for patch in patches:
        subprocess.run(["patch", "--quiet", "--strip=1", "--input", patch], cwd=copy, check=True)
        try:
            verdict = verdict_of(copy, first_seed(patch), arguments)
        finally:
            subprocess.run(["patch", "--quiet", "--strip=1", "--reverse", "--input", patch], cwd=copy, check=True)
        print(f"{patch.stem:<40} {verdict or 'NOT CAUGHT'}", flush=True)
        if arguments.rows:
            bug = patch.read_text().partition("\n")[0]
            row = {"name": patch.stem, "bug": bug, "caught": bool(verdict), "verdict": verdict or "**not caught**"}
            print(json.dumps(row), file=arguments.rows, flush=True)
        if not verdict:
            survivors.append(patch.stem)
    shutil.rmtree(copy)
    if survivors:
        sys.exit(f"not caught: {', '.join(survivors)}")


def first_seed(patch: pathlib.Path) -> str:
    """A rare bug names the seed that found it once."""
    named = re.search(r"^First seed: (\d+)$", patch.read_text(), re.MULTILINE)
    return named[1] if named else "1"


def verdict_of(copy: pathlib.Path, first: str, arguments: argparse.Namespace) -> str | None:
    """What the proof says of the bug; None when it says nothing."""
    command = [*PROVE, "--first", first, "--seeds", str(arguments.seeds)]
    environment = os.environ | {"CARGO_TARGET_DIR": str(arguments.target_dir), "RUST_BACKTRACE": "0"}
    build = subprocess.run([*PROVE, "--help"], cwd=copy, env=environment, capture_output=True, text=True)
    if build.returncode != 0:
        sys.exit(f"the bug does not compile:\n{build.stderr}")
    run = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    if run.returncode == 0:
        return None
    failure = re.search(r"^seed (\d+) fails with (\d+) happenings: (.*)$", run.stdout, re.MULTILINE)
    if not failure:
        sys.exit(f"it failed in another way:\n{run.stdout}\n{run.stderr}")
    seed, size, problem = failure.groups()
    return f"caught by seed {seed}, {size} happenings: {problem[:100]}"


if __name__ == "__main__":
    main()
