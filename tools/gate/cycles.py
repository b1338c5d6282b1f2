#!/usr/bin/env python3
"""Fails when the files of a crate import each other in a circle, and names the circle.

An import counts from the file that has it to the file that defines the item: re-exports (`pub use`) are followed. A module
that only declares and re-exports its children is no part of a circle.
"""

from __future__ import annotations

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
TESTS = re.compile(r"#\[cfg\(test\)\]\s*mod \w+ \{.*\Z", re.S)
USE = re.compile(r"\b(pub(?:\([^)]*\))?\s+)?use\s+([^;]+);")
PATH = re.compile(r"\b(?:crate|super|self)(?:::\w+)+")
Module = tuple[str, ...]


def modules_of(source: pathlib.Path) -> dict[Module, pathlib.Path]:
    """The files of a crate by module path."""
    found = {}
    for file in source.rglob("*.rs"):
        parts = file.relative_to(source).with_suffix("").parts
        if parts[-1] in ("lib", "main", "mod"):
            parts = parts[:-1]
        found.setdefault(parts, file)
    return found


def expand(tree: str) -> list[list[str]]:
    """The paths of a use tree: `a::{b, c::d}` is a::b and a::c::d."""
    tree = tree.strip()
    brace = tree.find("{")
    if brace < 0:
        return [[part.strip() for part in tree.split(" as ")[0].split("::")]] if tree else []
    prefix = [part.strip() for part in tree[:brace].split("::") if part.strip()]
    depth, start, parts = 0, brace + 1, []
    for index in range(brace, len(tree)):
        if tree[index] == "{":
            depth += 1
        elif tree[index] == "}":
            depth -= 1
        if (tree[index] == "," and depth == 1) or (tree[index] == "}" and depth == 0):
            parts.append(tree[start:index])
            start = index + 1
    return [prefix + path for part in parts for path in expand(part)]


def absolute(path: list[str], module: Module, modules: dict[Module, pathlib.Path]) -> list[str] | None:
    """A path from the crate's root; None for paths into other crates."""
    if path[0] == "crate":
        return path[1:]
    if path[0] == "self":
        return [*module, *path[1:]]
    if path[0] == "super":
        up = 0
        while up < len(path) and path[up] == "super":
            up += 1
        return [*module[: len(module) - up], *path[up:]]
    return [*module, *path] if (*module, path[0]) in modules else None


class Crate:
    """The files of one crate, with what each imports and re-exports."""

    def __init__(self, source: pathlib.Path) -> None:
        self.modules = modules_of(source)
        self.imports: dict[Module, list[list[str]]] = {}
        self.exports: dict[tuple[Module, str], list[str]] = {}
        for module, file in self.modules.items():
            text = TESTS.sub("", COMMENT.sub("", file.read_text()))
            paths = []
            for public, tree in USE.findall(text):
                for path in expand(tree):
                    whole = absolute(path, module, self.modules)
                    if whole is None:
                        continue
                    if public:
                        self.exports[module, whole[-1]] = whole
                    else:
                        paths.append(whole)
            for path in PATH.findall(USE.sub("", text)):
                whole = absolute(path.split("::"), module, self.modules)
                if whole:
                    paths.append(whole)
            self.imports[module] = paths

    def definer(self, path: list[str], depth: int = 0) -> Module | None:
        """The module that defines what a path names."""
        for length in range(len(path), -1, -1):
            module = tuple(path[:length])
            if module not in self.modules:
                continue
            rest = path[length:]
            if rest and depth < 8 and (module, rest[0]) in self.exports:
                return self.definer([*self.exports[module, rest[0]], *rest[1:]], depth + 1)
            return module
        return None

    def graph(self) -> dict[Module, set[Module]]:
        """The modules that each module takes items from."""
        return {
            module: {found for path in paths if (found := self.definer(path)) is not None and found != module}
            for module, paths in self.imports.items()
        }


def circles(graph: dict[Module, set[Module]]) -> list[list[Module]]:
    """The groups of modules that reach each other."""
    def reached(start: Module) -> set[Module]:
        seen, waiting = set(), list(graph.get(start, ()))
        while waiting:
            module = waiting.pop()
            if module not in seen:
                seen.add(module)
                waiting.extend(graph.get(module, ()))
        return seen

    reach = {module: reached(module) for module in graph}
    groups = {frozenset([a, *(b for b in reach[a] if a in reach.get(b, ()))]) for a in graph if a in reach[a]}
    return sorted(sorted(group) for group in groups)


def main() -> int:
    failed = False
    for manifest in sorted(ROOT.glob("*/*/Cargo.toml")):
        source = manifest.parent / "src"
        for circle in circles(Crate(source).graph()):
            failed = True
            names = ", ".join("::".join(module) or "the crate's root" for module in circle)
            print(f"{manifest.parent.relative_to(ROOT)}: these modules import each other: {names}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
