"""checkov and cfn-lint look at the template with everything on too: by default half of the resources are not there."""

import json
import re
import shutil
import subprocess

import pytest
from conftest import EVERYTHING, ROOT


def with_defaults(text: str, parameters: dict[str, str]) -> str:
    for name, value in parameters.items():
        pattern = rf"(\n  {name}:\n(?:    .*\n)*?    Default: ).*"
        text, found = re.subn(pattern, lambda match: match.group(1) + json.dumps(value), text, count=1)
        assert found, name
    return text


@pytest.fixture(scope="module")
def everything_on(tmp_path_factory) -> str:
    # cfn-lint takes a default of "none" for what a function would get.
    reserved = {f"{name}ReservedConcurrency": "7" for name in ("Feedback", "Router", "Mirror", "Inbound")}
    path = tmp_path_factory.mktemp("template") / "template.yaml"
    path.write_text(with_defaults((ROOT / "template.yaml").read_text(), EVERYTHING | reserved))
    return str(path)


def run(*command: str) -> str:
    if not shutil.which(command[0]):
        pytest.fail(f"{command[0]} is not installed: make template-check installs it")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_checkov_finds_nothing(everything_on, tmp_path):
    config = tmp_path / "checkov.yaml"
    settings = (ROOT / ".checkov.yaml").read_text()
    config.write_text(settings.replace("[template.yaml]", f"[{everything_on}]").replace("quiet: true\n", ""))
    assert everything_on in config.read_text()
    passed = int(re.search(r"Passed checks: (\d+)", run("checkov", "--config-file", str(config))).group(1))
    assert passed > 75, "it looked at less than it should have"


def test_cfn_lint_finds_nothing(everything_on):
    run("cfn-lint", everything_on)


def test_each_check_that_is_left_out_has_its_reason():
    lines = (ROOT / ".checkov.yaml").read_text().splitlines()
    left_out = [number for number, line in enumerate(lines) if re.match(r"\s+- CKV", line)]
    assert left_out
    for number in left_out:
        assert lines[number - 1].lstrip().startswith("#"), f"no reason above {lines[number]}"
    template = (ROOT / "template.yaml").read_text()
    assert template.count("id: CKV") == len(re.findall(r"id: CKV\w+\n +comment: \w+", template))
