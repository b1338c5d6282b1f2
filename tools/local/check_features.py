#!/usr/bin/env python3
"""Checks that a debug build and the tests give every dependency the same features.

If they differ, cargo compiles the AWS SDK once for `make demo` and again for `make test`. Exit code 1 names the features that
`tools/test-features/Cargo.toml` lacks.
"""

from __future__ import annotations

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
    packages = [argument for argument in build.debug_command() if argument.startswith("--package=")]
    built = features("--edges=normal,build", *packages)
    tested = features("--edges=normal,build,dev", "--workspace")
    missing = {package: sorted(tested[package] - names) for package, names in built.items() if tested[package] - names}
    # The functions' own crates are small, and `store` needs its test database only in tests.
    missing.pop("store v0.1.0", None)
    for package, names in sorted(missing.items()):
        print(f"{package}: tests add {', '.join(names)}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
