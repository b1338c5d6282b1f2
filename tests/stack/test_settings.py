"""SES settings as code: pull, plan, apply and drift with postroomctl and the local SES."""

import json
import pathlib

import boto3
import pytest

FAST = ("--calls-per-second", "200")
KINDS = ("Bounce", "Complaint", "Delivery")


class Settings:
    """postroomctl with a configuration file, and the clients that show what SES has."""

    def __init__(self, stack, unique: str, folder: pathlib.Path):
        self.stack, self.unique, self.folder = stack, unique, folder
        self.v1, self.v2 = boto3.client("ses"), boto3.client("sesv2")
        self.identity = f"{unique}.example"
        self.configuration_set = f"set-{unique}"
        self.v2.create_email_identity(EmailIdentity=self.identity)

    def run(self, verb: str, toml: str, *arguments: str, exit_code: int = 0):
        file = self.folder / "postroom.toml"
        file.write_text(toml)
        done = self.stack.postroomctl(verb, str(file), *FAST, "--topic-arn", self.stack.topic_arn, *arguments)
        assert done.returncode == exit_code, done.stdout + done.stderr
        return done

    def changed_fields(self, toml: str) -> dict[str, list[str]]:
        """The names of the fields that differ, by object."""
        changes = json.loads(self.run("plan", toml, "--json", exit_code=1).stdout)["changes"]
        return {change["name"]: list(change["after"]) for change in changes}

    def pull(self, *arguments: str) -> str:
        done = self.stack.postroomctl("pull", *FAST, "--topic-arn", self.stack.topic_arn, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def notifications(self) -> dict:
        answer = self.v1.get_identity_notification_attributes(Identities=[self.identity])
        return answer["NotificationAttributes"][self.identity]

    def policies(self) -> dict[str, str]:
        return self.v2.get_email_identity(EmailIdentity=self.identity)["Policies"]

    def destinations(self) -> list[str]:
        answer = self.v2.get_configuration_set_event_destinations(ConfigurationSetName=self.configuration_set)
        return [destination["Name"] for destination in answer["EventDestinations"]]

    def wired(self) -> str:
        """The identity and a configuration set report to the stack, and another account may send."""
        return f"""
            [[identity]]
            names = ["{self.identity}"]
            topics = {{ bounce = "postroom", complaint = "postroom", delivery = "postroom" }}
            original-headers = {{ bounce = true }}
            feedback-forwarding = false
            [[identity.delegate]]
            name = "agency"
            account = "222233334444"
            from = ["news@{self.identity}"]
            [[configuration-set]]
            name = "{self.configuration_set}"
            sending = true
            [configuration-set.event-destinations.postroom-feedback]
            target = "postroom"
            events = ["BOUNCE", "COMPLAINT"]
        """


@pytest.fixture
def settings(stack, unique, tmp_path):
    settings = Settings(stack, unique, tmp_path)
    yield settings
    # What a test applied would otherwise be a difference in the next one.
    settings.run("apply", "identity = []\nconfiguration-set = []\n", "--yes", "--force")


def test_apply_wires_an_identity_and_forwarding_goes_off_after_the_topics_are_proven(settings):
    wired = settings.wired()
    assert settings.changed_fields(wired)[settings.identity] == [
        "topics.bounce",
        "topics.complaint",
        "topics.delivery",
        "original-headers.bounce",
        "policy.postroom-agency",
        "feedback-forwarding",
    ]
    # The message with which SES proves a topic does not reach the table: everything but forwarding is applied.
    with settings.stack.intake_disabled():
        unproven = settings.run("apply", wired, "--yes", "--proof-wait", "1", exit_code=1)
    assert "feedback forwarding stays on" in unproven.stdout
    assert settings.notifications()["ForwardingEnabled"]
    assert settings.changed_fields(wired) == {settings.identity: ["feedback-forwarding"]}
    assert settings.run("apply", wired, "--yes").stdout.endswith("applied\n")
    found = settings.notifications()
    assert {found[f"{kind}Topic"] for kind in KINDS} == {settings.stack.topic_arn}
    assert (found["ForwardingEnabled"], found["HeadersInBounceNotificationsEnabled"]) == (False, True)
    assert list(settings.policies()) == ["postroom-agency"]
    assert settings.destinations() == ["postroom-feedback"]
    assert "nothing to change" in settings.run("plan", wired).stdout


def test_what_leaves_the_file_is_removed_only_where_it_is_postrooms(settings):
    settings.run("apply", settings.wired(), "--yes")
    arn = f"arn:aws:ses:us-east-1:000000000000:identity/{settings.identity}"
    theirs = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "333344445555"}}]}
    theirs["Statement"][0] |= {"Action": ["ses:SendEmail"], "Resource": arn}
    settings.v2.create_email_identity_policy(
        EmailIdentity=settings.identity, PolicyName="theirs", Policy=json.dumps(theirs)
    )
    # Neither the identity nor the configuration set is in the file any more.
    empty = "identity = []\nconfiguration-set = []\n"
    changed = settings.changed_fields(empty)
    assert changed[settings.identity] == ["policy.postroom-agency"]
    assert changed[settings.configuration_set] == ["event-destination.postroom-feedback"]
    settings.run("apply", empty, "--yes", "--force")
    assert list(settings.policies()) == ["theirs"]
    assert settings.destinations() == []
    # The topics are named by nothing, so they stay.
    assert settings.notifications()["BounceTopic"] == settings.stack.topic_arn
    assert "nothing to change" in settings.run("plan", empty).stdout


def test_a_plan_with_what_was_pulled_is_empty(settings):
    route = f"""
        [[route]]
        name = "{settings.unique}"
        account = "222233334444"
        target = "arn:aws:sqs:us-east-1:000000000000:router-test-{settings.unique}"
    """
    settings.run("apply", route + settings.wired(), "--yes", "--force")
    pulled = settings.pull()
    assert settings.identity in pulled and settings.configuration_set in pulled
    assert f'name = "{settings.unique}"' in pulled, "the sections of the table are pulled too"
    assert "nothing to change" in settings.run("plan", pulled).stdout
    settings.run("apply", "route = []\n", "--yes", "--force")
    only = settings.pull("--identity", settings.identity, "--notifications-only")
    assert settings.configuration_set not in only and "[[identity.delegate]]" not in only
    # It says itself that it lacks the policies.
    assert "--notifications-only" in only.splitlines()[1]
    assert settings.changed_fields(only) == {settings.identity: ["policy.postroom-agency"]}


def test_legacy_cross_account_notifications_are_pulled_changed_and_removed(settings):
    arn = f"arn:aws:ses:us-east-1:111111111111:identity/{settings.identity}"
    missing = settings.run("plan", f'[[identity]]\nnames = ["{arn}"]\ntopics = {{ bounce = "postroom" }}\n', exit_code=1)
    assert "SES does not let new ones be created" in missing.stdout
    body = {"account": "000000000000", "identityArn": arn, "topics": {"Bounce": settings.stack.topic_arn}}
    settings.stack.local_ses.control("POST", "/legacy-notifications", body)
    pulled = settings.pull("--identity", arn)
    assert f'names = ["{arn}"]' in pulled and 'bounce = "postroom"' in pulled
    assert "nothing to change" in settings.run("plan", pulled).stdout
    removed = pulled.replace('bounce = "postroom"', 'bounce = "none"')
    assert "be created again" in settings.run("plan", removed, exit_code=1).stdout
    settings.run("apply", removed, "--yes")


def test_a_change_by_a_person_is_a_difference_of_that_field_alone(settings):
    wired = settings.wired()
    settings.run("apply", wired, "--yes")
    settings.v1.set_identity_notification_topic(Identity=settings.identity, NotificationType="Delivery")
    assert settings.changed_fields(wired) == {settings.identity: ["topics.delivery"]}
    markdown = settings.run("plan", wired, "--markdown", exit_code=1).stdout
    assert f"| change | {settings.identity} | topics.delivery | none | arn:aws:sns:" in markdown


def test_settings_that_cannot_be_applied_are_refused_before_the_first_change(settings):
    cases = [
        ("missing", "unknown.example", "", "does not exist in this account and Region"),
        ("headers", settings.identity, "original-headers = { delivery = true }", "original-headers.delivery needs a topic"),
        ("other Region", settings.identity, 'topics = { bounce = "arn:aws:sns:eu-west-1:000000000000:t" }', "us-east-1"),
    ]
    for name, identity, line, message in cases:
        toml = f'[[identity]]\nnames = ["{settings.identity}"]\nconfiguration-set = "none"\nfeedback-forwarding = true\n'
        toml += f'[[identity]]\nnames = ["{identity}"]\n{line or "feedback-forwarding = true"}\n'
        refused = settings.run("apply", toml, "--yes", exit_code=2)
        assert message in refused.stderr, (name, refused.stderr)


def test_the_spelling_of_ses_is_used_and_a_pattern_without_a_match_is_named(settings):
    toml = f"""
        [[identity]]
        names = ["{settings.identity.upper()}", "*.{settings.unique}.invalid"]
        topics = {{ bounce = "none" }}
    """
    plan = settings.run("plan", toml).stdout
    assert f"warning: identity: no identity in SES matches *.{settings.unique}.invalid" in plan
    assert "nothing to change" in plan


def test_patterns_name_existing_identities_and_the_more_specific_entry_wins(settings):
    other = f"mail.{settings.identity}"
    settings.v2.create_email_identity(EmailIdentity=other)
    toml = f"""
        [[identity]]
        names = ["*{settings.identity}"]
        topics = {{ bounce = "postroom" }}
        [[identity]]
        names = ["{other}"]
        topics = {{ bounce = "none" }}
    """
    assert settings.changed_fields(toml) == {settings.identity: ["topics.bounce"]}
    settings.run("apply", toml, "--yes")
    assert settings.notifications()["BounceTopic"] == settings.stack.topic_arn


def test_delegate_check_evaluates_the_policies_that_ses_has(settings):
    settings.run("apply", settings.wired(), "--yes")

    def check(account: str, sender: str) -> tuple[int, str]:
        arguments = ["--identity", settings.identity, "--account", account, "--from", sender, *FAST]
        done = settings.stack.postroomctl("delegate", "check", *arguments)
        return done.returncode, done.stdout

    sender = f"news@{settings.identity}"
    assert check("222233334444", sender)[0] == 0
    code, text = check("222233334444", f"News@{settings.identity}")
    assert (code, "upper and lower case differ" in text) == (1, True), text
    assert "no policy of the identity names 333344445555" in check("333344445555", sender)[1]
    # An address that is an identity of its own has policies of its own: none.
    settings.v2.create_email_identity(EmailIdentity=sender)
    code, text = check("222233334444", sender)
    assert (code, f"{sender} is an identity of its own" in text) == (1, True), text
    # Nothing is left after revoking.
    wired = settings.wired()
    start, end = wired.index("[[identity.delegate]]"), wired.index("[[configuration-set]]")
    settings.run("apply", wired[:start] + wired[end:], "--yes")
    assert settings.policies() == {}


class Guard:
    """Runs the settings guard, and reads what it wrote."""

    def __init__(self, settings: Settings):
        self.settings, self.object = settings, f"identity {settings.identity}"

    def run(self) -> None:
        function = self.settings.stack.outputs["SettingsGuardFunctionName"]
        payload = json.dumps({"postroom": "compare-settings"})
        answer = boto3.client("lambda").invoke(FunctionName=function, Payload=payload)
        assert "FunctionError" not in answer, answer["Payload"].read()

    def differing(self) -> list[str]:
        key = {"pk": "SETTINGS", "sk": f"DRIFT#{self.object}"}
        row = self.settings.stack.table.get_item(Key=key, ConsistentRead=True).get("Item", {})
        return list(json.loads(row.get("fields", "{}")))


def test_the_guard_notices_a_change_by_a_person_and_leaves_it(settings):
    settings.run("apply", settings.wired(), "--yes")
    guard = Guard(settings)
    guard.run()
    assert guard.differing() == []
    settings.v1.set_identity_notification_topic(Identity=settings.identity, NotificationType="Delivery")
    guard.run()
    assert guard.differing() == ["topics.delivery"]
    assert "DeliveryTopic" not in settings.notifications()
    settings.run("apply", settings.wired(), "--yes")
    guard.run()
    assert guard.differing() == []


def test_the_guard_sets_topics_again_that_ses_removed(settings):
    """SES removes the topics when it cannot publish. Here the topic is that of the stack, whose policy is broken for a moment."""
    settings.run("apply", settings.wired(), "--yes")
    sns, topic = boto3.client("sns"), settings.stack.topic_arn
    policy = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    guard = Guard(settings)
    nobody = {"Version": "2012-10-17", "Statement": []}
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(nobody))
    try:
        settings.stack.local_ses.bounce(f"gone@{settings.identity}", sender=f"news@{settings.identity}")
        assert "BounceTopic" not in settings.notifications() and settings.notifications()["ForwardingEnabled"]
        # The topic does not work yet, so nothing is set.
        guard.run()
        assert "topics.bounce" in guard.differing() and "BounceTopic" not in settings.notifications()
    finally:
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    guard.run()
    found = settings.notifications()
    assert {found[f"{kind}Topic"] for kind in KINDS} == {topic}
    assert not found["ForwardingEnabled"], "SES's own message through the topics is the proof"
    assert guard.differing() == []
