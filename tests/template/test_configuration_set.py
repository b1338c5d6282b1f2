"""A configuration set that reports here: one of the stack's own, or one that exists."""

import pytest
from conftest import ACCOUNT, listed, of_type

DESTINATION = "AWS::SES::ConfigurationSetEventDestination"
TOLD_ALWAYS = [
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


def test_none_unless_asked_for(stack):
    resources = stack()
    assert not of_type(resources, DESTINATION) and not of_type(resources, "AWS::SES::ConfigurationSet")
    assert "ProblemsTopic" not in resources


def test_one_of_the_stacks_own_measures_its_reputation_and_may_be_paused(stack):
    (made,) = of_type(stack(ConfigurationSetMode="create"), "AWS::SES::ConfigurationSet").values()
    # No SendingOptions: a deployment would switch sending on again that the watch has paused.
    assert made == {"ReputationOptions": {"ReputationMetricsEnabled": True}}
    named = stack(ConfigurationSetMode="create", ConfigurationSetName="news")
    assert named["SendingConfigurationSet"]["Properties"]["Name"] == "news"


@pytest.mark.parametrize(
    "parameters, name",
    [
        ({"ConfigurationSetMode": "create"}, "<SendingConfigurationSet>"),
        ({"ConfigurationSetMode": "join", "ConfigurationSetName": "news"}, "news"),
    ],
)
def test_it_reports_to_the_feedback_topic_and_problems_to_their_own(stack, parameters, name):
    resources = stack(**parameters)
    assert ("SendingConfigurationSet" in resources) == (parameters["ConfigurationSetMode"] == "create")
    assert {one["ConfigurationSetName"] for one in of_type(resources, DESTINATION).values()} == {name}
    told = destinations(resources)
    assert set(told) == {"ConfigurationSetFeedback", "ConfigurationSetProblems"}
    feedback, problems = told["ConfigurationSetFeedback"], told["ConfigurationSetProblems"]
    assert feedback["SnsDestination"] == {"TopicARN": "<FeedbackTopic>"}
    assert feedback["MatchingEventTypes"] == TOLD_ALWAYS
    assert problems["SnsDestination"] == {"TopicARN": "<ProblemsTopic>"}
    assert problems["MatchingEventTypes"] == ["reject", "renderingFailure"]
    (allowed, _) = resources["ProblemsTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    source = {"AWS:SourceArn": f"arn:aws:ses:eu-west-1:{ACCOUNT}:configuration-set/{name}"}
    assert allowed["Condition"] == {"StringEquals": {"AWS:SourceAccount": ACCOUNT}, "ArnLike": source}
    # SES publishes once to see whether it may.
    for destination, policy in [
        ("ConfigurationSetFeedback", "FeedbackTopicPolicy"),
        ("ConfigurationSetProblems", "ProblemsTopicPolicy"),
    ]:
        assert policy in listed(resources[destination]["DependsOn"])


def test_opens_and_clicks_change_the_mail_so_they_are_asked_for_one_by_one(stack):
    for parameters, more in [
        ({"OpenEvents": "on"}, ["open"]),
        ({"ClickEvents": "on"}, ["click"]),
        ({"OpenEvents": "on", "ClickEvents": "on"}, ["open", "click"]),
    ]:
        told = destinations(stack(ConfigurationSetMode="create", EventBridgeEvents="on", **parameters))
        assert told["ConfigurationSetFeedback"]["MatchingEventTypes"] == TOLD_ALWAYS + more
        assert told["ConfigurationSetEventBridge"]["MatchingEventTypes"] == TOLD_ALWAYS + more
    assert len(TOLD_ALWAYS + more) == 10


def test_eventbridge_is_an_option_of_the_configuration_set(stack):
    bridge = destinations(stack(ConfigurationSetMode="create", EventBridgeEvents="on"))["ConfigurationSetEventBridge"]
    bus = f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/default"
    assert bridge["EventBridgeDestination"] == {"EventBusArn": bus}
    assert not of_type(stack(EventBridgeEvents="on"), DESTINATION)
