"""Queues, functions, topics and nested stacks are connected as intended, and parts are enabled as a whole."""

import json

import pytest
from conftest import EVERYTHING, ROOT, Stack, contract, of_type, parse, statements_of

FUNCTIONS = {
    "feedback": "FeedbackFunction",
    "suppression-changes": "SuppressionChangesFunction",
    "suppression-mirror": "SuppressionMirrorFunction",
    "reputation-monitor": "ReputationMonitorFunction",
    "settings-guard": "SettingsGuardFunction",
    "delegate-router": "RouterFunction",
    "inbound": "InboundFunction",
    "unsubscribe": "UnsubscribeFunction",
}


def properties(resources: dict, name: str) -> dict:
    return resources[name]["Properties"]


@pytest.mark.parametrize(
    "prefix, condition",
    [
        ("Archive", "EnableArchive"),
        ("Mirror", "EnableMirror"),
        ("SuppressionMirror", "EnableMirror"),
        ("SuppressionChanges", "EnableSuppressionChanges"),
        ("SuppressionTopic", "EnableSuppressionTopic"),
        ("ReputationMonitor", "EnableReputationMonitor"),
        ("SettingsGuard", "EnableSettingsGuard"),
        ("Router", "EnableRouter"),
        ("Delivery", "EnableRouter"),
        ("Unrouted", "EnableRouter"),
        ("Inbound", "EnableInbound"),
        ("Mail", "EnableInbound"),
    ],
)
def test_parts_are_enabled_as_a_whole(template, prefix, condition):
    parts = {
        name: part
        for section in ("Resources", "Outputs")
        for name, part in template[section].items()
        if name.startswith(prefix)
    }
    assert parts
    assert {name: part.get("Condition") for name, part in parts.items()} == dict.fromkeys(parts, condition)


def test_resource_types_that_some_regions_lack_are_in_nested_stacks(template):
    # CloudFormation rejects a template that names an unknown type, even under a false condition.
    assert not [one["Type"] for one in template["Resources"].values() if one["Type"].startswith("AWS::SES::")]


@pytest.mark.parametrize("path", sorted((ROOT / "stacks").glob("*.yaml")), ids=lambda path: path.stem)
def test_nested_stacks_are_plain_cloudformation_and_their_conditions_are_in_the_root(template, path):
    nested = parse(path)
    assert "Transform" not in nested
    assert not [one for one in nested["Resources"].values() if one["Type"].startswith("AWS::Serverless")]
    (used,) = [
        one
        for one in template["Resources"].values()
        if one["Type"] == "AWS::CloudFormation::Stack" and ROOT / one["Properties"]["TemplateURL"] == path
    ]
    assert used["Condition"] in template["Conditions"]
    assert set(used["Properties"]["Parameters"]) == set(nested["Parameters"])


@pytest.mark.parametrize("path", [ROOT / "template.yaml", *sorted((ROOT / "stacks").glob("*.yaml"))], ids=lambda path: path.stem)
def test_parameters_conditions_and_outputs_are_used(template, path):
    parsed = parse(path)
    used = str([parsed.get(section) for section in ("Globals", "Conditions", "Resources", "Outputs", "Rules")])
    for name in [*parsed["Parameters"], *parsed.get("Conditions", [])]:
        assert f"'{name}'" in used or f"${{{name}}}" in used, f"{name} is not used"
    if path.name != "template.yaml":
        root = str(template["Resources"]) + str(template["Outputs"])
        for output in parsed.get("Outputs", {}):
            assert f"'Outputs.{output}'" in root or f".Outputs.{output}'" in root, output


def test_the_longest_descriptions_fit():
    for path in [ROOT / "template.yaml", *(ROOT / "stacks").glob("*.yaml")]:
        parsed = parse(path)
        assert len(parsed["Description"]) <= 1024
        for name, parameter in parsed["Parameters"].items():
            assert len(parameter["Description"]) <= 4000, name
        for name, function in of_type(parsed["Resources"], "AWS::Serverless::Function").items():
            assert len(function["Description"]) <= 256, name


def test_the_feedback_topic_sends_to_the_archive(everything):
    subscription = properties(everything, "ArchiveSubscription")
    assert subscription["TopicArn"] == "<FeedbackTopic>"
    assert subscription["Protocol"] == "firehose"
    assert subscription["Endpoint"] == "<ArchiveStream.Arn>"
    assert subscription["SubscriptionRoleArn"] == "<ArchiveSubscriptionRole.Arn>"
    # Replay needs the SNS envelope.
    assert "RawMessageDelivery" not in subscription
    destination = properties(everything, "ArchiveStream")["ExtendedS3DestinationConfiguration"]
    assert destination["BucketARN"] == "<ArchiveBucket.Arn>"
    assert destination["RoleARN"] == "<ArchiveStreamRole.Arn>"
    assert destination["Prefix"] == "notifications/!{timestamp:yyyy/MM/dd}/"
    assert destination["ErrorOutputPrefix"].startswith("errors/")


@pytest.mark.parametrize(
    "role, service, allowed",
    [
        ("ArchiveSubscriptionRole", "sns.amazonaws.com", {"<ArchiveStream.Arn>"}),
        ("ArchiveStreamRole", "firehose.amazonaws.com", {"<ArchiveBucket.Arn>", "<ArchiveBucket.Arn>/*"}),
    ],
)
def test_archive_roles_can_access_the_archive_only(everything, role, service, allowed):
    trust = properties(everything, role)["AssumeRolePolicyDocument"]["Statement"]
    assert [statement["Principal"] for statement in trust] == [{"Service": service}]
    statements = statements_of(properties(everything, role))
    assert {one["Resource"] for one in statements if one["Sid"] not in ("WriteLogs", "UseKey")} == allowed


def test_archived_notifications_expire(template, stack):
    (rule,) = properties(stack(), "ArchiveBucket")["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", "90")
    assert template["Resources"]["ArchiveBucket"]["DeletionPolicy"] == template["Resources"]["Table"]["DeletionPolicy"]


@pytest.mark.parametrize("queue", ["Feedback", "Mirror", "Router", "Delivery", "Inbound"])
def test_each_queue_has_a_dead_letter_queue_and_exactly_one_function(everything, queue):
    redrive = properties(everything, f"{queue}Queue")["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == f"<{queue}DeadLetterQueue.Arn>"
    assert "RedrivePolicy" not in properties(everything, f"{queue}DeadLetterQueue")
    readers = [
        event["Properties"]
        for function in of_type(everything, "AWS::Serverless::Function").values()
        for event in function.get("Events", {}).values()
        if event["Properties"].get("Queue") == f"<{queue}Queue.Arn>"
    ]
    assert [one["FunctionResponseTypes"] for one in readers] == [["ReportBatchItemFailures"]]


@pytest.mark.parametrize("name", ["Feedback", "Router"])
def test_the_feedback_topic_sends_to_the_queues_with_the_sns_envelope(everything, name):
    subscription = properties(everything, f"{name}Subscription")
    assert (subscription["TopicArn"], subscription["Protocol"]) == ("<FeedbackTopic>", "sqs")
    assert subscription["Endpoint"] == f"<{name}Queue.Arn>"
    assert subscription["RedrivePolicy"] == {"deadLetterTargetArn": f"<{name}DeadLetterQueue.Arn>"}
    assert "RawMessageDelivery" not in subscription
    assert everything[f"{name}Subscription"]["DependsOn"] == "SubscribedQueuePolicy"


def test_only_rows_of_recipients_reach_suppression_changes_and_a_failure_keeps_its_place(everything):
    assert properties(everything, "Table")["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    changes = properties(everything, "SuppressionChangesFunction")["Events"]["Changes"]["Properties"]
    assert changes["Stream"] == "<Table.StreamArn>"
    (pattern,) = [json.loads(one["Pattern"]) for one in changes["FilterCriteria"]["Filters"]]
    assert pattern["dynamodb"]["Keys"] == {"pk": {"S": [{"prefix": "RECIPIENT#"}]}, "sk": {"S": ["SUPPRESSION"]}}
    assert changes["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    # Retried until the stream deletes the record.
    assert not {"MaximumRetryAttempts", "MaximumRecordAgeInSeconds"} & set(changes)
    assert changes["DestinationConfig"]["OnFailure"]["Destination"] == "<SuppressionChangesDeadLetterQueue.Arn>"


def test_the_mirror_makes_at_most_one_call_per_second(everything):
    function = properties(everything, "SuppressionMirrorFunction")
    requests = function["Events"]["Requests"]["Properties"]
    concurrency = requests["ScalingConfig"]["MaximumConcurrency"]
    pace_seconds = int(function["Environment"]["Variables"]["PACE_MS"]) / 1000
    assert concurrency / pace_seconds <= 1
    assert requests["BatchSize"] * pace_seconds * 3 < function["Timeout"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_its_environment_and_its_program(everything, function):
    resource = everything[FUNCTIONS[function]]
    variables = resource["Properties"]["Environment"]["Variables"]
    stated = contract("environment")[function]
    assert sorted(variables) == stated["set"]
    assert not set(stated["set"]) & set(stated["default"])
    assert resource["Metadata"]["BuildProperties"]["Binary"] == function
    assert resource["Properties"]["CodeUri"] == f"functions/{function}"
    assert resource["Properties"]["LoggingConfig"]["LogFormat"] == "JSON"
    assert resource["Properties"]["LoggingConfig"]["LogGroup"] in {f"<{name}>" for name in everything}


def test_schedules_have_the_inputs_that_functions_expect(everything):
    inputs = {
        (function, event["Properties"]["Schedule"]): event["Properties"].get("Input")
        for function, resource in of_type(everything, "AWS::Serverless::Function").items()
        for event in resource.get("Events", {}).values()
        if event["Type"] == "Schedule"
    }
    assert inputs == {
        # The mirror has one schedule, and accepts any scheduled event.
        ("SuppressionMirrorFunction", "rate(1 hour)"): None,
        ("SuppressionChangesFunction", "rate(5 minutes)"): '{"postroom":"ends"}',
        ("ReputationMonitorFunction", "rate(5 minutes)"): '{"postroom":"check-senders"}',
        ("RouterFunction", "rate(15 minutes)"): '{"postroom":"digest"}',
        ("SettingsGuardFunction", "rate(15 minutes)"): '{"postroom":"compare-settings"}',
    }


def test_runs_of_the_reputation_monitor_do_not_overlap(everything):
    assert properties(everything, "ReputationMonitorFunction")["Timeout"] < 5 * 60


def test_the_router_sends_to_its_delivery_queues(everything):
    variables = properties(everything, "RouterFunction")["Environment"]["Variables"]
    assert variables["DELIVERY_QUEUE_URL"] == "<DeliveryQueue>"
    assert variables["DELIVERY_DEAD_LETTER_QUEUE_URL"] == "<DeliveryDeadLetterQueue>"
    assert variables["UNROUTED_TOPIC_ARN"] == "<UnroutedTopic>"


@pytest.mark.parametrize(
    "parameters, topic, queue",
    [
        ({}, "<AlarmTopic>", ""),
        ({"Alarms": "off"}, "", ""),
        ({"Router": "on"}, "<AlarmTopic>", "<DeliveryQueue>"),
        ({"Router": "on", "Alarms": "off"}, "", "<DeliveryQueue>"),
    ],
)
def test_the_reputation_monitor_alerts_the_alarm_topic_and_the_router(stack, parameters, topic, queue):
    resources = stack(**parameters)
    variables = properties(resources, "ReputationMonitorFunction")["Environment"]["Variables"]
    assert (variables["ALARM_TOPIC_ARN"], variables["ALERT_QUEUE_URL"]) == (topic, queue)
    resources_by_sid = {one["Sid"]: one["Resource"] for one in statements_of(properties(resources, "ReputationMonitorRole"))}
    assert resources_by_sid.get("PublishAlerts", "") == topic
    assert resources_by_sid.get("SendAlertsToRouter", "") == (queue and "<DeliveryQueue.Arn>")


def actions_of(resources: dict, role: str) -> str:
    return str([one["Action"] for one in statements_of(properties(resources, role))])


def test_only_the_reputation_monitor_can_enforce_and_only_if_enabled(stack):
    enforcing = statements_of(properties(stack(Enforcement="on"), "ReputationMonitorRole"))
    by_sid = {one["Sid"]: set(one["Action"]) for one in enforcing if "ses:" in str(one["Action"])}
    assert {sid: [one for one in sorted(actions) if ":Get" not in one] for sid, actions in by_sid.items()} == {
        "PauseConfigurationSets": ["ses:PutConfigurationSetSendingOptions"],
        "DisableTenants": ["ses:UpdateReputationEntityCustomerManagedStatus"],
        "RevokeSendingAuthorization": ["ses:DeleteEmailIdentityPolicy", "ses:UpdateEmailIdentityPolicy"],
    }
    assert "ses:" not in actions_of(stack(), "ReputationMonitorRole")
    router = actions_of(stack(**EVERYTHING), "RouterRole")
    assert "ses:SendEmail" in router and router.count("ses:") == 1


@pytest.mark.parametrize("role", ["RouterRole", "ReputationMonitorRole", "FeedbackRole"])
def test_roles_cannot_delete_or_scan_rows(everything, role):
    actions = actions_of(everything, role)
    assert "DeleteItem" not in actions and "Scan" not in actions


@pytest.mark.parametrize(
    "sid, parameter",
    [
        ("PublishToTopics", "RouterTopicPattern"),
        ("SendToQueues", "RouterQueuePattern"),
        ("PutEventsOnBuses", "RouterBusPattern"),
        ("SendDigestsAndAlerts", "DigestIdentityArn"),
    ],
)
def test_the_router_can_access_listed_targets_only(stack, everything, sid, parameter):
    (statement,) = [one for one in statements_of(properties(everything, "RouterRole")) if one["Sid"] == sid]
    assert statement["Resource"] == EVERYTHING[parameter]
    without = statements_of(properties(stack(Router="on"), "RouterRole"))
    assert sid not in {one["Sid"] for one in without}


def test_every_parameter_is_in_one_group_of_the_console(template):
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template["Parameters"])


@pytest.mark.parametrize(
    "parameters, violated",
    [
        ({}, set()),
        (EVERYTHING, set()),
        ({"DigestFrom": "a@example.com"}, {"DigestFromRequiresIdentity"}),
        ({"ConfigurationSetMode": "join"}, {"JoinRequiresConfigurationSetName"}),
        ({"Inbound": "on", "ReceiptRules": "join"}, {"JoinRequiresReceiptRuleSetName"}),
        ({"BounceSender": "a@example.com"}, {"BouncesRequireIdentity"}),
        ({"Enforcement": "on", "ReputationMonitor": "off"}, {"EnforcementRequiresMonitor"}),
        ({"SettingsRepair": "on", "SettingsGuard": "off"}, {"RepairRequiresGuard"}),
        ({"BatchingWindowSeconds": "0"}, {"LargeBatchRequiresWindow"}),
        ({"BatchingWindowSeconds": "0", "BatchSize": "10"}, set()),
    ],
)
def test_combinations_that_aws_or_a_function_rejects_later_are_rejected_at_once(template, parameters, violated):
    assert Stack(template, parameters).violated_rules() == violated


def test_nothing_in_the_templates_is_for_the_local_stack_only():
    for path in [ROOT / "template.yaml", *(ROOT / "stacks").glob("*.yaml")]:
        text = path.read_text()
        assert "127.0.0" not in text and "sqs:SendMessage*" not in text and "emulator" not in text
