"""Builds the functions and the command line, and lays out what `sam deploy` takes.

A debug build is one cargo invocation for everything, in the directory and with the features that the tests use too, so
that nothing is compiled twice. `sam build` would start cargo once for each function, for a target of its own.
A release build runs `sam build`, as it is run for an AWS account.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import re
import shutil

ROOT = pathlib.Path(__file__).resolve().parents[2]
FUNCTIONS = ROOT / "functions"
TEMPLATE = ROOT / "template.yaml"
NESTED_TEMPLATES = ROOT / "stacks"

# A function's code in the template: the folder of its crate.
CODE_URI = re.compile(r"(?m)^(\s+CodeUri:) functions/([a-z-]+)$")


def function_names() -> list[str]:
    """The names of the functions, each its folder, its crate and its binary."""
    return sorted(manifest.parent.name for manifest in FUNCTIONS.glob("*/Cargo.toml"))


def target_directory() -> pathlib.Path:
    """Where cargo puts what it builds."""
    return ROOT / os.environ.get("CARGO_TARGET_DIR", "target")


def debug_command() -> list[str]:
    """The cargo invocation that builds every function and the command line, with the features the tests have."""
    packages = [*function_names(), "postroomctl", "test-features"]
    return ["cargo", "build", "--bins", "--lib", *(f"--package={package}" for package in packages)]


def command_line_command() -> list[str]:
    """The cargo invocation that builds the command line alone."""
    return ["cargo", "build", "--package=postroomctl", "--package=test-features"]


def binary(name: str) -> pathlib.Path:
    """Where a debug build leaves a program."""
    return target_directory() / "debug" / name


def release_commands() -> list[tuple[str, list[str], pathlib.Path]]:
    """For each function its name, the command that `sam build` runs for it, and the folder to run it in."""
    return [(name, ["cargo", "lambda", "build", "--release"], FUNCTIONS / name) for name in function_names()]


def digest_of_debug_build() -> str:
    """Identifies everything that a deployment of the debug build depends on.

    Programs count by size and time of linking, since cargo does not link again what did not change.
    """
    digest = hashlib.sha256()
    for name in function_names():
        status = binary(name).stat()
        digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    tools = pathlib.Path(__file__).parent
    for path in [TEMPLATE, *sorted(NESTED_TEMPLATES.glob("*")), ROOT / "samconfig.toml", *sorted(tools.glob("*.py"))]:
        digest.update(f"{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def lay_out(directory: pathlib.Path) -> None:
    """Write the template and one folder with a `bootstrap` for each function, as `sam build` does."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    template = TEMPLATE.read_text()
    for _, name in CODE_URI.findall(template):
        (directory / name).mkdir(exist_ok=True)
        shutil.copy(binary(name), directory / name / "bootstrap")
    (directory / "template.yaml").write_text(CODE_URI.sub(r"\1 \2", template))
    if NESTED_TEMPLATES.is_dir():
        shutil.copytree(NESTED_TEMPLATES, directory / NESTED_TEMPLATES.name)
