#!/usr/bin/env python3
"""Checks that the fault proof finds bugs: each file in mutants/ is a bug, and the proof must fail with it.

A bug replaces text in source files. The script fails if the text does not occur exactly once. The bugs are written to a copy
of the repository in target/mutants, which uses the dependencies that are already built.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
MUTANTS = pathlib.Path(__file__).resolve().parent / "mutants"
NOT_COPIED = shutil.ignore_patterns("target", ".git", ".local", ".aws-sam", "__pycache__")


class CannotApply(Exception):
    """The text to replace does not occur exactly once."""


@dataclasses.dataclass
class Mutant:
    """A bug."""

    name: str
    bug: str
    edits: list[dict[str, str]]
    # A rare bug names a seed that finds it.
    first_seed: int

    @classmethod
    def read(cls, path: pathlib.Path) -> Mutant:
        content = tomllib.loads(path.read_text())
        return cls(path.stem, content["bug"], content["edit"], content.get("first-seed", 1))

    def edited(self, root: pathlib.Path) -> dict[pathlib.Path, str]:
        """The texts of the edited files below root."""
        texts: dict[pathlib.Path, str] = {}
        for edit in self.edits:
            path = root / edit["file"]
            text = texts.get(path) or (path.read_text() if path.exists() else "")
            if (number := text.count(edit["find"])) != 1:
                raise CannotApply(f"{self.name}: the text to replace occurs {number} times in {edit['file']}:\n{edit['find']}")
            texts[path] = text.replace(edit["find"], edit["replace"])
        return texts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="only these bugs (file names without .toml)")
    parser.add_argument("--seeds", type=int, default=3000, help="number of seeds per bug (default: %(default)s)")
    parser.add_argument("--rows", type=argparse.FileType("w"), help="file for the results, one JSON object per line")
    parser.add_argument("--target-dir", type=pathlib.Path, default=ROOT / "target", help="cargo's target directory")
    parser.add_argument("--profile", default="prove", help="cargo's build profile (default: %(default)s)")
    parser.add_argument("--check", action="store_true", help="only check that each bug can be written to the source")
    arguments = parser.parse_args()
    mutants = [Mutant.read(path) for path in sorted(MUTANTS.glob("*.toml"))]
    if arguments.names:
        mutants = [mutant for mutant in mutants if mutant.name in arguments.names]
    if not mutants:
        sys.exit(f"no bug of this name in {MUTANTS}")
    check(mutants)
    if arguments.check:
        return
    copy = arguments.target_dir / "mutants"
    make_copy(copy)
    survivors = []
    for mutant in mutants:
        edited = mutant.edited(copy)
        originals = {path: path.read_text() for path in edited}
        write(edited)
        try:
            if not report(mutant, copy, arguments):
                survivors.append(mutant.name)
        finally:
            write(originals)
    shutil.rmtree(copy)
    if survivors:
        sys.exit(f"not caught: {', '.join(survivors)}")


def check(mutants: list[Mutant]) -> None:
    """Checks that every bug can be written to the source."""
    problems = []
    for mutant in mutants:
        try:
            mutant.edited(ROOT)
        except CannotApply as problem:
            problems.append(str(problem))
    if problems:
        sys.exit("\n".join(problems))


def write(texts: dict[pathlib.Path, str]) -> None:
    for path, text in texts.items():
        path.write_text(text)


def make_copy(copy: pathlib.Path) -> None:
    """Copies the repository. Cargo builds by modification times, so all files get new ones once."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
    for file in copy.rglob("*.rs"):
        file.touch()


def report(mutant: Mutant, copy: pathlib.Path, arguments: argparse.Namespace) -> bool:
    """Runs the proof and prints whether it caught the bug."""
    result = run_proof(mutant, copy, arguments)
    print(f"{mutant.name:<42} {result or 'NOT CAUGHT'}", flush=True)
    if arguments.rows:
        row = {"name": mutant.name, "bug": mutant.bug, "caught": bool(result), "result": result or "**not caught**"}
        print(json.dumps(row), file=arguments.rows, flush=True)
    return bool(result)


def run_proof(mutant: Mutant, copy: pathlib.Path, arguments: argparse.Namespace) -> str | None:
    """The difference that the proof reports; None if it reports none."""
    environment = os.environ | {"CARGO_TARGET_DIR": str(arguments.target_dir), "RUST_BACKTRACE": "0"}
    prove = ["cargo", "run", "--quiet", "--package", "prove", "--profile", arguments.profile, "--"]
    build = subprocess.run([*prove, "--help"], cwd=copy, env=environment, capture_output=True, text=True)
    if build.returncode != 0:
        sys.exit(f"{mutant.name} does not compile:\n{build.stderr}")
    command = [*prove, "--first", str(mutant.first_seed), "--seeds", str(arguments.seeds)]
    run = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    if run.returncode == 0:
        return None
    failure = re.search(r"^seed (\d+) fails with (\d+) events: (.*)$", run.stdout, re.MULTILINE)
    if not failure:
        sys.exit(f"{mutant.name}: the proof ended without a result:\n{run.stdout}\n{run.stderr}")
    seed, events, problem = failure.groups()
    return f"seed {seed}, {events} events: {problem[:100]}"


if __name__ == "__main__":
    main()
