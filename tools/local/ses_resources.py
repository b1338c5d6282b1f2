"""Puts the SES resources of the deployed template into the local SES. Run by stack.py after each deployment.

The emulator's CloudFormation makes configuration sets in its own SES, and does not support receipt rules. Existing
resources are updated; others in the local SES are left alone.
"""

import json
import os
import pathlib

import boto3

OUTPUTS = json.loads((pathlib.Path(__file__).parents[2] / ".local" / "outputs.json").read_text())
RULE_SET = "postroom"
# The members of GetConfigurationSet that CreateConfigurationSet does not take.
SHOWN_ONLY = {"ResponseMetadata", "Tags"}


def main() -> None:
    local = boto3.client("sesv2")
    emulated = boto3.client("sesv2", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    if name := OUTPUTS.get("ConfigurationSetName"):
        copy_configuration_set(emulated, local, name)
    if OUTPUTS.get("InboundFunctionName"):
        put_receipt_rule(boto3.client("ses"))


def copy_configuration_set(emulated, local, name: str) -> None:
    """Copy a configuration set with its event destinations."""
    options = {key: value for key, value in emulated.get_configuration_set(ConfigurationSetName=name).items() if value}
    if name not in local.list_configuration_sets()["ConfigurationSets"]:
        local.create_configuration_set(**{key: value for key, value in options.items() if key not in SHOWN_ONLY})
    there = local.get_configuration_set_event_destinations(ConfigurationSetName=name)["EventDestinations"]
    existing = {destination["Name"] for destination in there}
    for destination in emulated.get_configuration_set_event_destinations(ConfigurationSetName=name)[
        "EventDestinations"
    ]:
        key = {"ConfigurationSetName": name, "EventDestinationName": destination.pop("Name")}
        update = key["EventDestinationName"] in existing
        put = (
            local.update_configuration_set_event_destination
            if update
            else local.create_configuration_set_event_destination
        )
        put(**key, EventDestination=destination)


def put_receipt_rule(ses) -> None:
    """The rule of the template (`ReceiptRule`), in the active rule set."""
    if RULE_SET not in [one["Name"] for one in ses.list_receipt_rule_sets()["RuleSets"]]:
        ses.create_receipt_rule_set(RuleSetName=RULE_SET)
    ses.set_active_receipt_rule_set(RuleSetName=RULE_SET)
    function = boto3.client("lambda").get_function_configuration(FunctionName=OUTPUTS["InboundFunctionName"])
    store = {"S3Action": {"BucketName": OUTPUTS["MailBucketName"], "ObjectKeyPrefix": "mail/"}}
    ask = {"LambdaAction": {"FunctionArn": function["FunctionArn"], "InvocationType": "RequestResponse"}}
    rule = {"Name": "postroom-inbound", "Enabled": True, "ScanEnabled": True, "Actions": [store, ask]}
    exists = rule["Name"] in [one["Name"] for one in ses.describe_receipt_rule_set(RuleSetName=RULE_SET)["Rules"]]
    (ses.update_receipt_rule if exists else ses.create_receipt_rule)(RuleSetName=RULE_SET, Rule=rule)


if __name__ == "__main__":
    main()
