"""The templates in every kind of Region and partition, and two stacks beside each other."""

import json
import pathlib
import re
import shutil
import subprocess

import pytest
from conftest import EVERYTHING, PSEUDO, ROOT, TEMPLATES, Stack, listed, of_type
from test_lint import NAMES

# In docs/regions.md: the types behind each column.
COLUMNS = [
    ["AWS::SES::ConfigurationSet", "AWS::SES::ConfigurationSetEventDestination"],
    ["AWS::SES::ReceiptRule", "AWS::SES::ReceiptRuleSet"],
    ["AWS::Lambda::Url"],
]
# The nested stacks with types that some Regions lack, and the parameters without which they do not exist.
PARTS = {
    "stacks/sending.yaml": {"ConfigurationSetMode": "off"},
    "stacks/receiving.yaml": {"ReceiptRules": "none"},
    "stacks/unsubscribe.yaml": {"UnsubscribeUrl": "off"},
}
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "regions.md").read_text().splitlines()
    if re.match(r"\| [a-z]+-[a-z]+-\d", line) or line.startswith("| us-gov")
]
KINDS = {row[0].split(", ")[0]: row[1:] for row in ROWS if "not checked" not in row}
TABLE = {region: row[1:] for row in ROWS for region in row[0].split(", ")}


def cfn_lint() -> str:
    program = shutil.which("cfn-lint")
    assert program, "cfn-lint is not installed: make template-check installs it"
    return program


@pytest.fixture(scope="module")
def known_types() -> dict[str, list[str]]:
    """The resource types of each Region of the table that the templates or the table name, as cfn-lint knows them."""
    script = """
import json, sys
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER as schemas
regions, types = json.load(sys.stdin)
known = {region: set(schemas.get_resource_types(region=region)) for region in regions}
# Of a Region without schemas, cfn-lint has those of us-east-1.
print(json.dumps({region: [one for one in types if one in found] for region, found in known.items()
                  if region == "us-east-1" or found != known["us-east-1"]}))
"""
    types = [one for column in COLUMNS for one in column]
    for path in TEMPLATES:
        types += re.findall(r"^    Type: (AWS::(?!Serverless)\S+)$", path.read_text(), flags=re.MULTILINE)
    # What SAM makes of functions, event sources and schedules.
    types += ["AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping", "AWS::Lambda::EventInvokeConfig"]
    types += ["AWS::Lambda::Permission", "AWS::Events::Rule"]
    python = pathlib.Path(cfn_lint()).resolve().parent / "python"
    done = subprocess.run([python, "-c", script], input=json.dumps([list(TABLE), types]), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) | {"all": sorted(set(types))}


def test_the_table_of_regions_is_that_of_the_resource_types(known_types):
    assert len(TABLE) > 30
    for region, cells in TABLE.items():
        if region not in known_types:
            assert cells == ["not checked"] * 3, f"cfn-lint does not know {region}"
            continue
        found = ["yes" if set(column) <= set(known_types[region]) else "no" for column in COLUMNS]
        assert cells == found, region


def test_a_region_lacks_no_other_type_of_the_templates(known_types):
    optional = {one for column in COLUMNS for one in column}
    for region in TABLE:
        if region in known_types:
            assert set(known_types["all"]) - optional <= set(known_types[region]), region


@pytest.mark.parametrize("region", KINDS)
def test_the_templates_that_a_kind_of_region_can_have_are_valid_there(region):
    """test_lint.py lints them with everything enabled: conditions make no difference to the types that a template names."""
    lacking = [path for path, cell in zip(PARTS, KINDS[region]) if cell == "no"]
    files = [name for name in NAMES if name not in lacking]
    done = subprocess.run([cfn_lint(), "--regions", region, "--", *files], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    for path in lacking:
        done = subprocess.run([cfn_lint(), "--regions", region, "--", path], cwd=ROOT, capture_output=True, text=True)
        assert "E3006" in done.stdout, f"{region} has the types of {path}"


@pytest.mark.parametrize("region", KINDS)
def test_a_stack_of_a_kind_of_region_needs_no_template_that_the_region_rejects(stack, region):
    parameters = EVERYTHING.copy()
    lacking = [path for path, cell in zip(PARTS, KINDS[region]) if cell == "no"]
    for path in lacking:
        parameters |= PARTS[path]
    used = {one["Properties"]["TemplateURL"] for one in stack(**parameters).values() if one["Type"] == "AWS::CloudFormation::Stack"}
    assert len(used) > 2 and not used & set(lacking)


@pytest.mark.parametrize("partition, region, suffix", [("aws-us-gov", "us-gov-west-1", "amazonaws.com"), ("aws-eusc", "eusc-de-east-1", "amazonaws.eu")])
def test_arns_and_endpoints_are_those_of_the_partition(template, monkeypatch, partition, region, suffix):
    monkeypatch.setitem(PSEUDO, "AWS::Partition", partition)
    monkeypatch.setitem(PSEUDO, "AWS::Region", region)
    monkeypatch.setitem(PSEUDO, "AWS::URLSuffix", suffix)
    parameters = {name: value.replace("arn:aws:", f"arn:{partition}:").replace("eu-west-1", region) for name, value in EVERYTHING.items()}
    text = json.dumps(Stack(template, parameters).all_resources())
    assert f"arn:{partition}:" in text
    assert "arn:aws:" not in text and "eu-west-1" not in text
    hosts = set(re.findall(r"\b[\w.-]+\.amazonaws\.[a-z*.]+", text))
    # Service principals have the same name in all partitions; that of CloudWatch Logs is regional.
    services = {f"{name}.amazonaws.com" for name in ("ses", "sns", "lambda", "firehose", "cloudwatch", "dynamodb")}
    via = {f"{name}.{region}.amazonaws.*" for name in ("dynamodb", "s3", "secretsmanager", "sns", "sqs")}
    assert hosts - services - via == {f"logs.{region}.{suffix}"}


def names_of(resources: dict) -> set[str]:
    """Every name that the templates give, instead of CloudFormation. A name within a property, such as an alarm's, too."""
    given = set()
    for resource in resources.values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::CloudFormation::Stack":
            continue
        named = properties.get("EventDestination", properties.get("Rule", properties))
        for key in ("Name", "AlarmName", "DashboardName", "RuleSetName", "FunctionName", "RoleName", "QueueName", "TopicName", "TableName",
                    "BucketName", "LogGroupName", "StreamName"):
            value = named.get(key) or properties.get(key)
            if isinstance(value, str) and not value.startswith("<"):
                given.add(f"{resource['Type']} {value}")
    return given


def test_two_stacks_of_a_region_share_no_name_and_no_metric(template, monkeypatch):
    first = Stack(template, EVERYTHING).all_resources()
    monkeypatch.setitem(PSEUDO, "AWS::StackName", "second")
    second = Stack(template, EVERYTHING).all_resources()
    assert names_of(first) and not names_of(first) & names_of(second)
    for alarm in of_type(second, "AWS::CloudWatch::Alarm").values():
        for one in [alarm, *(part["MetricStat"]["Metric"] for part in alarm.get("Metrics", []) if "MetricStat" in part)]:
            if one.get("Namespace", "").startswith("Postroom/"):
                assert {"Name": "Stack", "Value": "second"} in one["Dimensions"]
    assert "postroom-" not in json.dumps(second["MailDashboard"])


def test_all_parts_fit_into_a_concurrency_of_10(stack):
    resources = stack(**EVERYTHING | {"MaximumConcurrency": "2"})
    limits = [
        event["Properties"]["ScalingConfig"]["MaximumConcurrency"]
        for function in of_type(resources, "AWS::Serverless::Function").values()
        for event in function.get("Events", {}).values()
        if event["Type"] == "SQS"
    ]
    assert sum(map(int, limits)) <= 10
    assert not any("ReservedConcurrentExecutions" in one for one in of_type(resources, "AWS::Serverless::Function").values())
    assert listed(limits), "the queues are limited"
