"""One-click unsubscribe: a Function URL that everyone can call, and a role that can do nothing else."""

import pytest
from conftest import EVERYTHING, of_type, parse, ROOT, statements_of


def test_by_default_there_is_no_url(stack):
    assert not [name for name in stack(Inbound="on") if name.startswith(("OneClick", "UnsubscribeFunction", "UnsubscribeUrl"))]
    assert "UnsubscribeUrl" not in stack("Outputs", Inbound="on")


@pytest.mark.parametrize("parameters", [{}, {"Inbound": "on"}])
def test_the_url_has_its_function_both_permissions_and_the_secret(stack, parameters):
    resources = stack(UnsubscribeUrl="on", **parameters)
    url = resources["OneClickUrl"]["Properties"]
    assert url == {"TargetFunctionArn": "<UnsubscribeFunction.Arn>", "AuthType": "NONE"}
    permissions = of_type(resources, "AWS::Lambda::Permission")
    found = {name: one for name, one in permissions.items() if name.startswith("OneClick")}
    assert {one["Action"]: one for one in found.values()}.keys() == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    assert found["OneClickUrlPermission"]["FunctionUrlAuthType"] == "NONE"
    # Without it, everyone could also call the Invoke API.
    assert found["OneClickInvokePermission"]["InvokedViaFunctionUrl"] is True
    assert "UnsubscribeSecret" in resources


def test_a_region_without_function_urls_can_deploy_the_root_template():
    root = parse(ROOT / "template.yaml")
    assert not [one for one in root["Resources"].values() if one["Type"] == "AWS::Lambda::Url"]


def test_the_role_can_neither_send_nor_read_mail(stack):
    statements = statements_of(of_type(stack(**EVERYTHING), "AWS::IAM::Role")["UnsubscribeRole"])
    actions = {action for one in statements for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])}
    assert not [action for action in actions if action.startswith(("ses:", "s3:", "sqs:", "sns:"))]
    keys = [key for one in statements for condition in one.get("Condition", {}).values() for key in condition.get("dynamodb:LeadingKeys", [])]
    assert sorted(keys) == ["CAP#unsubscribe#*", "RECIPIENT#*"]
