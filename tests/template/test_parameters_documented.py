"""docs/parameters.md names the template's parameters, all of them and no others."""

import re

from conftest import ROOT


def test_every_parameter_has_a_row(template):
    rows = [line for line in (ROOT / "docs/parameters.md").read_text().splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(named) == sorted(template["Parameters"])
