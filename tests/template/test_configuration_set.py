"""A configuration set that publishes to the stack: a new one, or an existing one."""

import pytest
from conftest import ACCOUNT, listed, of_type

DESTINATION = "AWS::SES::ConfigurationSetEventDestination"
ALWAYS = [
    "send",
    "reject",
    "bounce",
    "complaint",
    "delivery",
    "renderingFailure",
    "deliveryDelay",
    "subscription",
]


def destinations(resources: dict) -> dict[str, dict]:
    return {name: one["EventDestination"] for name, one in of_type(resources, DESTINATION).items()}


def test_by_default_there_is_none(stack):
    resources = stack()
    assert "SendingStack" not in resources
    assert not of_type(resources, DESTINATION) and not of_type(resources, "AWS::SES::ConfigurationSet")
    assert "ProblemsTopic" not in resources


def test_a_new_one_publishes_reputation_metrics_and_can_be_paused(stack):
    (new,) = of_type(stack(ConfigurationSetMode="create"), "AWS::SES::ConfigurationSet").values()
    # Without SendingOptions: a deployment would enable sending again after the reputation monitor paused it.
    assert new == {"ReputationOptions": {"ReputationMetricsEnabled": True}}
    named = stack(ConfigurationSetMode="create", ConfigurationSetName="news")
    assert named["SendingConfigurationSet"]["Properties"]["Name"] == "news"


@pytest.mark.parametrize(
    "parameters, name",
    [
        ({"ConfigurationSetMode": "create"}, "<SendingConfigurationSet>"),
        ({"ConfigurationSetMode": "join", "ConfigurationSetName": "news"}, "news"),
    ],
)
def test_it_publishes_to_the_feedback_topic_and_problems_to_the_problems_topic(stack, parameters, name):
    resources = stack(**parameters)
    assert ("SendingConfigurationSet" in resources) == (parameters["ConfigurationSetMode"] == "create")
    assert {one["ConfigurationSetName"] for one in of_type(resources, DESTINATION).values()} == {name}
    found = destinations(resources)
    assert set(found) == {"ConfigurationSetFeedback", "ConfigurationSetProblems"}
    feedback, problems = found["ConfigurationSetFeedback"], found["ConfigurationSetProblems"]
    assert (feedback["Name"], problems["Name"]) == ("stack-postroom-feedback", "stack-postroom-problems")
    assert feedback["SnsDestination"] == {"TopicARN": "<FeedbackTopic>"}
    assert feedback["MatchingEventTypes"] == ALWAYS
    assert problems["SnsDestination"] == {"TopicARN": "<ProblemsTopic>"}
    assert problems["MatchingEventTypes"] == ["reject", "renderingFailure"]
    (allowed, _) = resources["ProblemsTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    source = {"AWS:SourceArn": f"arn:aws:ses:eu-west-1:{ACCOUNT}:configuration-set/{name}"}
    assert allowed["Condition"] == {"StringEquals": {"AWS:SourceAccount": ACCOUNT}, "ArnLike": source}
    assert stack("Outputs", **parameters)["ConfigurationSetName"]["Value"] == name


def test_topic_policies_exist_before_the_event_destinations(stack):
    # SES publishes a test message before it accepts a topic.
    resources = stack(ConfigurationSetMode="create")
    for resource, policy in [
        ("SendingStack", "FeedbackTopicPolicy"),
        ("ConfigurationSetProblems", "ProblemsTopicPolicy"),
    ]:
        assert policy in listed(resources[resource]["DependsOn"])


def test_open_and_click_events_are_optional_because_they_change_the_mail(stack):
    for parameters, more in [
        ({"OpenEvents": "on"}, ["open"]),
        ({"ClickEvents": "on"}, ["click"]),
        ({"OpenEvents": "on", "ClickEvents": "on"}, ["open", "click"]),
    ]:
        found = destinations(stack(ConfigurationSetMode="create", EventBridgeEvents="on", **parameters))
        assert found["ConfigurationSetFeedback"]["MatchingEventTypes"] == ALWAYS + more
        assert found["ConfigurationSetEventBridge"]["MatchingEventTypes"] == ALWAYS + more


def test_eventbridge_is_an_option_of_the_configuration_set(stack):
    bridge = destinations(stack(ConfigurationSetMode="create", EventBridgeEvents="on"))["ConfigurationSetEventBridge"]
    bus = f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/default"
    assert bridge["EventBridgeDestination"] == {"EventBusArn": bus}
    assert not of_type(stack(EventBridgeEvents="on"), DESTINATION)
