#!/usr/bin/env python3
"""Checks that `make demo`, `make test` and the tests of each single crate give every dependency the same features.

Where they differ, cargo compiles the AWS SDK once more. Exit code 1 names the features that
`tools/test-features/Cargo.toml` lacks.
"""

from __future__ import annotations

import json
import subprocess
import sys

import build


def features(*selection: str) -> dict[str, set[str]]:
    """The features of each package, `name version`, that cargo selects."""
    command = ["cargo", "tree", "--locked", "--prefix=none", "--format={p}|{f}", *selection]
    lines = subprocess.run(command, check=True, capture_output=True, text=True, cwd=build.ROOT).stdout.splitlines()
    found: dict[str, set[str]] = {}
    for line in lines:
        package, _, names = line.removesuffix(" (*)").partition("|")
        found.setdefault(" ".join(package.split()[:2]), set()).update(filter(None, names.split(",")))
    return found


def main() -> int:
    tested = features("--edges=normal,build,dev", "--workspace")
    packages = [argument for argument in build.debug_command() if argument.startswith("--package=")]
    selections = {"make demo": ["--edges=normal,build", *packages]}
    for name in workspace_packages():
        selections[f"cargo test --package {name}"] = ["--edges=normal,build,dev", f"--package={name}"]
    missing = set()
    for command, selection in selections.items():
        for package, names in features(*selection).items():
            # Only the tests need the table that `store` serves for them, and it compiles in seconds.
            if package.startswith("store ") or not tested[package] - names:
                continue
            missing.add((package, ", ".join(sorted(tested[package] - names)), command))
    for package, names, command in sorted(missing):
        print(f"{package}: {command} lacks {names}; add them to tools/test-features/Cargo.toml", file=sys.stderr)
    return 1 if missing else 0


def workspace_packages() -> list[str]:
    """The names of the workspace's crates that have tests of their own."""
    command = ["cargo", "metadata", "--locked", "--no-deps", "--format-version=1"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=build.ROOT)
    return [package["name"] for package in json.loads(answer.stdout)["packages"] if has_tests(package)]


def has_tests(package: dict) -> bool:
    """Whether the crate has the features of the tests, as every crate with dev-dependencies must."""
    return any(dependency["kind"] == "dev" for dependency in package["dependencies"])


if __name__ == "__main__":
    sys.exit(main())
