"""Evaluates the templates with given parameters, as CloudFormation does. Nested stacks are evaluated with the parameters that
the root template passes to them."""

from __future__ import annotations

import functools
import json
import pathlib

import pytest
from samtranslator.yaml_helper import yaml_parse

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TEMPLATES = [ROOT / "template.yaml", *sorted((ROOT / "stacks").glob("*.yaml"))]

ACCOUNT = "111122223333"
PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": "eu-west-1",
    "AWS::Partition": "aws",
    "AWS::StackName": "postroom",
    "AWS::URLSuffix": "amazonaws.com",
}
NOTHING = object()
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"

# Everything that can be enabled.
EVERYTHING = {
    "MirrorTo": "account",
    "ChangeNotices": "on",
    "Router": "on",
    "OwnerAccounts": "222233334444,333344445555",
    "RouterTopicPattern": "arn:aws:sns:eu-west-1:*:ses-*",
    "RouterQueuePattern": "arn:aws:sqs:eu-west-1:*:ses-*",
    "RouterBusPattern": "arn:aws:events:eu-west-1:*:event-bus/ses",
    "DigestFrom": "postroom@example.com",
    "DigestIdentityArn": f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity/example.com",
    "Enforcement": "on",
    "SettingsRepair": "on",
    "Inbound": "on",
    "InboundIdentityArns": f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity/example.com",
    "ForwardConfigurationSet": "forwards",
    "InboundTopicPattern": "arn:aws:sns:eu-west-1:*:mail-*",
    "InboundQueuePattern": "arn:aws:sqs:eu-west-1:*:mail-*",
    "UnsubscribeUrl": "on",
    "ConfigurationSetMode": "create",
    "OpenEvents": "on",
    "ClickEvents": "on",
    "EventBridgeEvents": "on",
    "KmsKeyArn": "create",
    "Tracing": "on",
    "AlarmEmail": "oncall@example.com",
}


def contract(name: str) -> dict:
    """A file of this directory that states what the functions do, by function. Rust tests compare it with the functions."""
    return json.loads((HERE / f"{name}.json").read_text())


@functools.cache
def parse(path: pathlib.Path) -> dict:
    return yaml_parse(path.read_text())


@pytest.fixture(scope="session")
def template() -> dict:
    """The root template as it is written."""
    return parse(ROOT / "template.yaml")


@pytest.fixture(scope="session")
def stack(template):
    """All resources, or another section of the root template, with these parameters. Functions include their Globals."""

    def with_parameters(section: str = "Resources", /, **parameters: str) -> dict:
        stack = Stack(template, parameters)
        return stack.all_resources() if section == "Resources" else stack.section(section)

    return with_parameters


@pytest.fixture(scope="session")
def everything(stack) -> dict:
    return stack(**EVERYTHING)


class Stack:
    """A template with parameters. A resource is named `<LogicalId>`, its attribute `<LogicalId.Arn>`."""

    def __init__(self, template: dict, parameters: dict, path: str = "template.yaml"):
        unknown = set(parameters) - set(template["Parameters"])
        assert not unknown, f"{path} has no parameters {unknown}"
        self.template = template
        self.names = dict(PSEUDO)
        for name, parameter in template["Parameters"].items():
            value = parameters.get(name, parameter.get("Default"))
            assert value is not None, f"{path} requires the parameter {name}"
            self.names[name] = value.split(",") if parameter["Type"] == "CommaDelimitedList" else str(value)
        # Of the root stack; nested stacks receive it as a parameter.
        if path != "template.yaml":
            self.names["AWS::StackName"] = "nested"
        self.nested = {}

    def all_resources(self) -> dict:
        """With those of the nested stacks. Logical ids are unique in all of them."""
        own = self.section("Resources")
        function_globals = self.section("Globals").get("Function", {}) if "Globals" in self.template else {}
        for name, resource in list(own.items()):
            if resource["Type"] == "AWS::Serverless::Function":
                resource["Properties"] = merged(function_globals, resource["Properties"])
            if resource["Type"] == "AWS::CloudFormation::Stack":
                inner = self.nested_stack(name).all_resources()
                assert not set(own) & set(inner), set(own) & set(inner)
                own |= inner
        return own

    def nested_stack(self, name: str) -> Stack:
        if name not in self.nested:
            resource = self.template["Resources"][name]
            assert self.holds(resource["Condition"]), f"{name} is used and not created"
            path = resource["Properties"]["TemplateURL"]
            parameters = self.resolve(resource["Properties"]["Parameters"])
            for key, value in parameters.items():
                assert isinstance(value, str), f"{name}: the parameter {key} is {value!r}"
            self.nested[name] = Stack(parse(ROOT / path), parameters, path)
        return self.nested[name]

    def section(self, name: str) -> dict:
        return {
            key: self.resolve(part)
            for key, part in self.template[name].items()
            if "Condition" not in part or self.holds(part["Condition"])
        }

    def holds(self, condition) -> bool:
        if isinstance(condition, str):
            return self.holds(self.template["Conditions"][condition])
        ((function, arguments),) = condition.items()
        match function:
            case "Fn::Equals":
                left, right = map(self.resolve, arguments)
                return left == right
            case "Fn::Not":
                return not self.holds(arguments[0])
            case "Fn::And":
                return all(map(self.holds, arguments))
            case "Fn::Or":
                return any(map(self.holds, arguments))
            case "Fn::Contains":
                values, value = map(self.resolve, arguments)
                return value in values
            case "Fn::EachMemberEquals":
                values, value = map(self.resolve, arguments)
                return all(one == value for one in values)
            case "Condition":
                return self.holds(arguments)
        raise AssertionError(f"unknown condition {function}")

    def violated_rules(self) -> set[str]:
        return {
            name
            for name, rule in self.template["Rules"].items()
            if self.holds(rule["RuleCondition"]) and not all(self.holds(one["Assert"]) for one in rule["Assertions"])
        }

    def resolve(self, node):
        if isinstance(node, list):
            return [value for value in map(self.resolve, node) if value is not NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((function, argument),) = node.items()
            match function:
                case "Ref":
                    return NOTHING if argument == "AWS::NoValue" else self.names.get(argument, f"<{argument}>")
                case "Fn::GetAtt":
                    return self.attribute(".".join(argument) if isinstance(argument, list) else argument)
                case "Fn::If":
                    condition, yes, no = argument
                    return self.resolve(yes if self.holds(condition) else no)
                case "Fn::Join":
                    separator, parts = argument
                    return separator.join(self.resolve(parts))
                case "Fn::Sub":
                    return self.substitute(argument)
        resolved = {key: self.resolve(value) for key, value in node.items()}
        return {key: value for key, value in resolved.items() if value is not NOTHING}

    def attribute(self, text: str) -> str:
        name, _, output = text.partition(".Outputs.")
        return self.nested_stack(name).section("Outputs")[output]["Value"] if output else f"<{text}>"

    def substitute(self, argument) -> str:
        text, extra = argument if isinstance(argument, list) else (argument, {})
        names = self.names | {name: self.resolve(value) for name, value in extra.items()}
        pieces = text.split("${")
        done = pieces[0]
        for piece in pieces[1:]:
            name, rest = piece.split("}", 1)
            done += str(names.get(name, f"<{name}>")) + rest
        return done


def merged(one: dict, other: dict) -> dict:
    """As SAM merges Globals into a function."""
    both = one | other
    for key in set(one) & set(other):
        if isinstance(one[key], dict) and isinstance(other[key], dict):
            both[key] = merged(one[key], other[key])
    return both


def of_type(resources: dict, kind: str) -> dict:
    """The properties of the resources of a type, by logical id."""
    return {name: one.get("Properties", {}) for name, one in resources.items() if one["Type"] == kind}


def statements_of(role: dict) -> list[dict]:
    return [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]


def listed(value) -> list:
    return value if isinstance(value, list) else [value]
