"""The template as CloudFormation sees it once the parameters are known."""

import pathlib

import pytest
from samtranslator.yaml_helper import yaml_parse

ROOT = pathlib.Path(__file__).resolve().parents[2]

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

# Every part that can be on.
EVERYTHING = {
    "MirrorTo": "account",
    "Router": "on",
    "OwnerAccounts": "222233334444,333344445555",
    "RouterTopicPattern": "arn:aws:sns:eu-west-1:*:ses-*",
    "RouterQueuePattern": "arn:aws:sqs:eu-west-1:*:ses-*",
    "RouterBusPattern": "arn:aws:events:eu-west-1:*:event-bus/ses",
    "DigestFrom": "postroom@example.com",
    "DigestIdentityArn": f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity/example.com",
    "Acts": "on",
    "Inbound": "on",
    "InboundIdentityArns": f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity/example.com",
    "ForwardConfigurationSet": "forwards",
    "InboundTopicPattern": "arn:aws:sns:eu-west-1:*:mail-*",
    "InboundQueuePattern": "arn:aws:sqs:eu-west-1:*:mail-*",
    "ConfigurationSetMode": "create",
    "OpenEvents": "on",
    "ClickEvents": "on",
    "EventBridgeEvents": "on",
    "KmsKeyArn": "create",
    "Tracing": "on",
    "AlarmEmail": "oncall@example.com",
}


@pytest.fixture(scope="session")
def template() -> dict:
    return yaml_parse((ROOT / "template.yaml").read_text())


@pytest.fixture(scope="session")
def stack(template):
    """Resources, or another section, with these parameters."""

    def with_parameters(section: str = "Resources", /, **parameters: str) -> dict:
        return Resolver(template, parameters).section(section)

    return with_parameters


@pytest.fixture(scope="session")
def everything(stack) -> dict:
    return stack(**EVERYTHING)


class Resolver:
    """Knows the functions the template uses. A resource is named `<LogicalId>`, its attribute `<LogicalId.Arn>`."""

    def __init__(self, template: dict, parameters: dict):
        unknown = set(parameters) - set(template["Parameters"])
        assert not unknown, f"the template has no parameters {unknown}"
        self.template = template
        self.names = dict(PSEUDO)
        for name, parameter in template["Parameters"].items():
            value = parameters.get(name, parameter.get("Default"))
            self.names[name] = value.split(",") if parameter["Type"] == "CommaDelimitedList" else str(value)

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
            case "Condition":
                return self.holds(arguments)
        raise AssertionError(f"unknown condition {function}")

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
                    return f"<{'.'.join(argument) if isinstance(argument, list) else argument}>"
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

    def substitute(self, argument) -> str:
        text, extra = argument if isinstance(argument, list) else (argument, {})
        names = self.names | {name: self.resolve(value) for name, value in extra.items()}
        pieces = text.split("${")
        done = pieces[0]
        for piece in pieces[1:]:
            name, rest = piece.split("}", 1)
            done += str(names.get(name, f"<{name}>")) + rest
        return done


def of_type(resources: dict, kind: str) -> dict:
    """The properties of the resources of a type, by logical id."""
    return {name: one.get("Properties", {}) for name, one in resources.items() if one["Type"] == kind}


def statements_of(role: dict) -> list[dict]:
    return [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]


def listed(value) -> list:
    return value if isinstance(value, list) else [value]
