"""checkov and cfn-lint also check the templates with everything enabled: by default half of the resources do not exist."""

import json
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml
from conftest import EVERYTHING, ROOT, TEMPLATES, Stack, parse

NAMES = [str(path.relative_to(ROOT)) for path in TEMPLATES]


def with_defaults(text: str, parameters: dict[str, str]) -> str:
    for name, value in parameters.items():
        pattern = rf"(\n  {name}:\n(?:    .*\n)*?    Default: ).*"
        text, found = re.subn(pattern, lambda match: match.group(1) + json.dumps(value), text, count=1)
        assert found, name
    return text


@pytest.fixture(scope="module")
def everything_on(tmp_path_factory, template) -> list[str]:
    return with_parameters_as_defaults(template, EVERYTHING, tmp_path_factory.mktemp("templates"))


def with_parameters_as_defaults(template: dict, parameters: dict[str, str], directory: pathlib.Path) -> list[str]:
    """The root template with other defaults, and each nested one with the parameters that it then receives as defaults.
    Nested stacks that are then not created are left out."""
    # cfn-lint reports the default "none", which is not passed to a function.
    reserved = {f"{name}ReservedConcurrency": "7" for name in ("Feedback", "Router", "Mirror", "Inbound")}
    (directory / "stacks").mkdir()
    stack = Stack(template, parameters | reserved)
    (directory / "template.yaml").write_text(with_defaults((ROOT / "template.yaml").read_text(), parameters | reserved))
    written = ["template.yaml"]
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::CloudFormation::Stack" and stack.holds(resource["Condition"]):
            path = resource["Properties"]["TemplateURL"]
            nested = parse(ROOT / path)
            values = stack.nested_stack(name).names
            described = {
                parameter: description | {"Default": default(values[parameter])}
                for parameter, description in nested["Parameters"].items()
            }
            (directory / path).write_text(yaml.safe_dump(nested | {"Parameters": described}, sort_keys=False))
            written.append(path)
    return [str(directory / name) for name in written]


def default(value) -> str:
    """ARNs and names of resources of the root stack, as CloudFormation would pass them."""
    text = ",".join(value) if isinstance(value, list) else value
    text = re.sub(r"^<(\w*Topic)>$", r"arn:aws:sns:eu-west-1:111122223333:\1", text)
    text = re.sub(r"^<(\w*Bucket)\.Arn>$", r"arn:aws:s3:::bucket", text)
    text = re.sub(r"^<(\w*Bucket)>$", r"bucket", text)
    text = re.sub(r"^<(\w*Function)\.Arn>$", r"arn:aws:lambda:eu-west-1:111122223333:function:\1", text)
    text = re.sub(r"^<(\w*Key)\.Arn>$", r"arn:aws:kms:eu-west-1:111122223333:key/1", text)
    return re.sub(r"^<(\w+)(\.\w+)?>$", r"\1", text)


def run(*command: str) -> str:
    if not shutil.which(command[0]):
        pytest.fail(f"{command[0]} is not installed: make template-check installs it")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_checkov_checks_every_template():
    assert yaml.safe_load((ROOT / ".checkov.yaml").read_text())["file"] == NAMES


def test_checkov_finds_nothing(everything_on, tmp_path):
    settings = yaml.safe_load((ROOT / ".checkov.yaml").read_text()) | {"file": everything_on, "quiet": False}
    config = tmp_path / "checkov.yaml"
    config.write_text(yaml.safe_dump(settings))
    passed = int(re.search(r"Passed checks: (\d+)", run("checkov", "--config-file", str(config))).group(1))
    assert passed > 75, "it checked less than expected"


def test_checkov_finds_nothing_with_the_defaults():
    run("checkov", "--config-file", ".checkov.yaml")


def test_sam_accepts_the_template():
    run("sam", "validate")


@pytest.mark.parametrize("path", NAMES)
def test_cfn_lint_finds_nothing(path):
    run("cfn-lint", path)


def test_cfn_lint_finds_nothing_with_everything_enabled(everything_on):
    run("cfn-lint", *everything_on)


def test_each_skipped_check_has_its_reason():
    lines = (ROOT / ".checkov.yaml").read_text().splitlines()
    skipped = [number for number, line in enumerate(lines) if re.match(r"\s+- CKV", line)]
    assert skipped
    for number in skipped:
        assert lines[number - 1].lstrip().startswith("#"), f"no reason above {lines[number]}"
    for path in TEMPLATES:
        text = path.read_text()
        assert text.count("id: CKV") == len(re.findall(r"id: CKV\w+\n +comment: \w+", text))
