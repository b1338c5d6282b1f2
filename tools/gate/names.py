#!/usr/bin/env python3
"""Fails when a name or a phrase that was replaced comes back, and names the file, the line and the standard term.

The identifiers are those that had a private meaning; the phrases are those that a reader has to read twice.
"""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What must not appear -> the standard term.
IDENTIFIERS = {
    r"\b[Jj]udge\w*\b": "classify, BounceClassification",
    r"\bBounceKind::Echo\b|\bEchoes\b": "SuppressedBySes",
    r"\bLedger\w*\b|\bledger\b": "store",
    r"\bForGood\b|\bLasting\b": "SuppressionPeriod, Permanent",
    r"\bLinesTable\b": "ThresholdTable",
    r"\bTally\b|\bCounted\b": "EventCounts, UniqueEvents",
    r"\bDeed\b|\bWish(es)?\b|\bActKind\b|\bActStatus\b": "Enforcement, EnforcementRequest",
    r"\bWatchState\b|\bwatch_states?\b": "ReputationState",
    r"\bPartyMatch\b|\bParties\b|\[\[party\]\]": "SenderMatch, Ownership, [[account]]",
    r"\bAsker\b": "SenderContext",
    r"\bNarrowing\b": "RouteFilter",
    r"\bTreatment\b|\bTroubleDisposition\b|\bTROUBLE_DISPOSITION\b|\bTrouble\b": "VerdictAction, FallbackDisposition, RecordError",
    r"\bPERSONS_WORD\b|\bTELLING_RECIPIENTS\b": "MANUAL_OVERRIDE_PERIOD, MIN_RECIPIENTS_FOR_RATE",
    r"\bPARK_QUEUE_URL\b|\bpark(ed|s)?\b": "dead-letter queue",
    r"\bembedded[-_]metrics\b|\blambda[-_]clients\b": "lambda-kit",
    r"\b(Books|Happening|Mortal)\b": "Journal, ScenarioEvent, KillAfter",
    r"(?i)\bpatience\b": "time-out",
    r"\bglance\b|\blong look\b": "fast path, full parse",
}
PHRASES = {
    r"(?i)\bwhoever\b|\bsomebody\b|\bnobody's\b|\beverybody's\b": "name the role: the sender, the operator, the function",
    r"(?i)\bhears? of\b|\bmust hear\b|\bis told\b|\bare told\b|\btells? of\b": "receives, is notified, reports",
    r"(?i)\bof tomorrow\b|\ba person's word\b|\bstands in (the|your) way\b": "say it plainly",
    r"(?i)\bmirror lane\b|\bslow lane\b": "mirror queue",
}
CODE = {".rs", ".py", ".toml", ".yaml", ".md", ""}
# The lists above, and texts that are not ours.
EXEMPT = ("tools/gate/names.py", "LICENSE", "Cargo.lock", "CHANGELOG.md", "events/", "functions/inbound/tests/corpus/")


def tracked_files() -> list[pathlib.Path]:
    """The files under version control that hold names and sentences of ours."""
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return [ROOT / name for name in names if not name.startswith(EXEMPT) and pathlib.Path(name).suffix in CODE]


def main() -> int:
    rules = [(re.compile(pattern), term) for pattern, term in (IDENTIFIERS | PHRASES).items()]
    found = 0
    for file in tracked_files():
        if not file.is_file():
            continue
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
            for pattern, term in rules:
                if match := pattern.search(line):
                    found += 1
                    print(f"{file.relative_to(ROOT)}:{number}: {match.group()!r}; write: {term}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
