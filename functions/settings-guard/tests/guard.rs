//! The guard against SES and SNS behind mocked clients and an embedded DynamoDB.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "the fake of SES has more than this test uses"
)]

#[path = "../../../shared/ses-settings/tests/settings/fake_ses/mod.rs"]
mod fake_ses;
#[path = "../../../tests/template/watched_metrics.rs"]
mod watched_metrics;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_sns::error::ErrorMetadata;
use aws_sdk_sns::operation::publish::{PublishError, PublishOutput};
use aws_smithy_mocks::{MockResponse, MockResponseInterceptor, RuleMode, create_mock_http_client, mock};
use fake_ses::{FakeIdentity, FakeSes, FakeTopic};
use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use serde_json::json;
use ses_settings::{Context, Fields, NotificationType, TOPIC_STATEMENT_SID, Value, fields_to_json};
use ses_settings::{Field, Object};
use settings_guard::effects::{Effects, SINGLE_READS};
use settings_guard::metrics::NAMESPACE;
use settings_guard::settings::Settings;
use store::{AppliedSettings, ProofSubject, Store, TopicProof};

const ACCOUNT: &str = "111122223333";
const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:postroom-FeedbackTopic";
const ALARMS: &str = "arn:aws:sns:us-east-1:111122223333:postroom-alarms";
const SHOP: &str = "shop.example";

/// The kind, subject and text of each alert. While `rejects` is true, the topic rejects.
#[derive(Default)]
struct Alarms {
    received: Vec<(String, String, String, String)>,
    rejects: bool,
}

struct Guarded {
    fake: FakeSes,
    store: Store,
    alarms: Arc<Mutex<Alarms>>,
    effects: Effects,
}

fn now() -> Timestamp {
    "2026-11-27T12:00:00Z".parse().unwrap()
}

fn context() -> Context {
    Context {
        partition: "aws".to_owned(),
        region: "us-east-1".to_owned(),
        account: ACCOUNT.parse().unwrap(),
        own_topic: None,
    }
}

/// All topics, and forwarding off.
fn wired() -> Fields {
    let topics = NotificationType::ALL.map(|kind| (Field::Topic(kind), Value::Text(TOPIC.to_owned())));
    let mut fields = Fields::from(topics);
    fields.insert(Field::FeedbackForwarding, Value::Flag(false));
    fields
}

impl Guarded {
    /// An identity whose settings are as applied, and a topic that works.
    async fn new(repair: bool) -> Self {
        let (store, ..) = store::testing::fresh().await;
        let fake = FakeSes::default();
        let alarms = Arc::<Mutex<Alarms>>::default();
        let effects = Effects {
            store: store.clone(),
            ses: fake.settings(Duration::ZERO),
            sns: alarm_topic(&alarms).into(),
            settings: Settings {
                table: "postroom".to_owned(),
                context: context(),
                alarm_topic_arn: Some(ALARMS.to_owned()),
                repair,
            },
        };
        let guarded = Self {
            fake,
            store,
            alarms,
            effects,
        };
        guarded.works();
        guarded.restored();
        guarded.applied(SHOP, &wired()).await;
        guarded
    }

    /// The topic exists, lets SES publish and has a subscription.
    fn works(&self) {
        let statement = context().topic_statement(TOPIC, &[context().account]);
        assert_eq!(statement["Sid"], TOPIC_STATEMENT_SID);
        let topic = FakeTopic {
            policy: json!({"Statement": [statement]}).to_string(),
            subscriptions: [("sqs".to_owned(), "arn:aws:sqs:us-east-1:111122223333:q".to_owned())].into(),
        };
        self.fake.state().topics.insert(TOPIC.to_owned(), topic);
    }

    /// The identity is as applied.
    fn restored(&self) {
        let topics = NotificationType::ALL.map(|kind| (kind.as_str().to_owned(), TOPIC.to_owned()));
        let identity = FakeIdentity {
            topics: topics.into(),
            forwarding: false,
            ..FakeIdentity::default()
        };
        self.fake.state().identities.insert(SHOP.to_owned(), identity);
    }

    /// What SES does when it cannot publish.
    fn removed_by_ses(&self) {
        let mut state = self.fake.state();
        let identity = state.identities.get_mut(SHOP).unwrap();
        identity.topics.retain(|kind, _| kind == "Delivery");
        identity.forwarding = true;
    }

    async fn applied(&self, identity: &str, fields: &Fields) {
        let row = AppliedSettings {
            object: Object::Identity(identity.to_owned()).to_string(),
            applied: fields_to_json(fields).to_string(),
            pending: None,
            at: now() - SignedDuration::from_hours(5),
        };
        self.store.put_applied_settings(&row).await.unwrap();
    }

    /// The feedback function received SES's message about both topics.
    async fn proven(&self, at: Timestamp) {
        for kind in ["Bounce", "Complaint"] {
            let proof = TopicProof {
                topic_arn: TOPIC.to_owned(),
                subject: ProofSubject::Notification {
                    identity: SHOP.into(),
                    notification_type: kind.to_owned(),
                },
                at,
            };
            self.store.record_topic_proof(&proof).await.unwrap();
        }
    }

    /// Runs a round so many minutes after the first. Returns its error, and what it emitted.
    async fn round(&self, minutes: i64) -> (Option<String>, BTreeSet<String>) {
        let mut metrics = Metrics::default();
        let at = now() + SignedDuration::from_mins(minutes);
        let event = json!({"postroom": "compare-settings"});
        let result = settings_guard::handle(&event, &self.effects, &mut metrics, at).await;
        let emitted = watched_metrics::emitted(&metrics, NAMESPACE);
        (result.err().map(|error| format!("{error:#}")), emitted)
    }

    /// Runs a round that succeeds, and returns the kinds of its alerts.
    async fn alerts(&self, minutes: i64) -> Vec<String> {
        assert_eq!(self.round(minutes).await.0, None);
        let taken = std::mem::take(&mut self.alarms.lock().unwrap().received);
        taken.into_iter().map(|(kind, ..)| kind).collect()
    }

    fn writes(&self) -> Vec<String> {
        let state = self.fake.state();
        let is_write = |call: &&String| !call.starts_with("Get") && !call.starts_with("List");
        state.calls.iter().filter(is_write).cloned().collect()
    }
}

fn alarm_topic(alarms: &Arc<Mutex<Alarms>>) -> aws_sdk_sns::Client {
    let alarms = alarms.clone();
    let publish = mock!(aws_sdk_sns::Client::publish).then_compute_response(move |input| {
        let mut alarms = alarms.lock().unwrap();
        assert_eq!(input.topic_arn(), Some(ALARMS));
        if alarms.rejects {
            let error = ErrorMetadata::builder().code("AuthorizationError").build();
            return MockResponse::Error(PublishError::generic(error));
        }
        let attributes = input.message_attributes().unwrap();
        let attribute = |name: &str| attributes[name].string_value().unwrap().to_owned();
        let text = |text: Option<&str>| text.unwrap().to_owned();
        alarms.received.push((
            attribute("alertType"),
            attribute("alertId"),
            text(input.subject()),
            text(input.message()),
        ));
        MockResponse::Output(PublishOutput::builder().message_id("1").build())
    });
    let interceptor = MockResponseInterceptor::new()
        .rule_mode(RuleMode::MatchAny)
        .with_rule(&publish);
    let config = aws_sdk_sns::Config::builder()
        .behavior_version(aws_sdk_sns::config::BehaviorVersion::latest())
        .region(aws_sdk_sns::config::Region::new("us-east-1"))
        .credentials_provider(aws_credential_types::Credentials::new(
            "local", "local", None, None, "test",
        ))
        .http_client(create_mock_http_client())
        .interceptor(interceptor)
        .build();
    aws_sdk_sns::Client::from_conf(config)
}

#[tokio::test]
async fn settings_as_applied_cause_no_alert_and_an_empty_table_no_call() {
    let guarded = Guarded::new(true).await;
    assert_eq!(guarded.alerts(0).await, [""; 0]);
    assert_eq!(guarded.writes(), [""; 0]);
    let empty = Guarded::new(true).await;
    empty
        .store
        .delete_applied_settings("identity shop.example")
        .await
        .unwrap();
    let (error, emitted) = empty.round(0).await;
    assert_eq!(error, None);
    assert_eq!(emitted, ["ScheduledRuns{Schedule=compare-settings}".to_owned()].into());
    assert!(empty.fake.state().calls.is_empty());
}

#[tokio::test]
async fn a_change_by_a_person_is_alerted_once_with_its_fields_and_left() {
    let guarded = Guarded::new(true).await;
    guarded
        .fake
        .set_topic(SHOP, "Delivery", "arn:aws:sns:us-east-1:111122223333:other");
    let (error, emitted) = guarded.round(0).await;
    assert!(error.is_none() && emitted.contains("DriftedObjects"), "{emitted:?}");
    let (kind, _, subject, text) = guarded.alarms.lock().unwrap().received.remove(0);
    assert_eq!(
        (kind.as_str(), subject.as_str()),
        ("drift", "SES settings differ: identity shop.example")
    );
    assert!(
        text.contains("  topics.delivery: arn:aws:sns:us-east-1:111122223333:other instead of arn:"),
        "{text}"
    );
    assert!(!text.contains("topics.bounce"), "{text}");
    // Alerted once; again when another field differs; the metric stays.
    assert_eq!(guarded.alerts(15).await, [""; 0]);
    guarded
        .fake
        .set_topic(SHOP, "Complaint", "arn:aws:sns:us-east-1:111122223333:other");
    assert_eq!(guarded.alerts(30).await, ["drift"]);
    assert_eq!(guarded.writes(), [""; 0]);
    guarded.restored();
    assert_eq!(guarded.alerts(45).await, ["all-clear"]);
    assert_eq!(guarded.alerts(60).await, [""; 0]);
    assert_eq!(guarded.store.drifts().await.unwrap(), []);
}

#[tokio::test]
async fn what_ses_removed_is_alerted_and_without_repair_left() {
    let guarded = Guarded::new(false).await;
    guarded.removed_by_ses();
    assert_eq!(guarded.round(0).await.0, None);
    let (kind, _, _, text) = guarded.alarms.lock().unwrap().received.remove(0);
    assert_eq!(kind, "removed-by-ses");
    assert!(text.contains("SettingsRepair=off"), "{text}");
    assert_eq!(guarded.writes(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_ses_removed_is_set_again_and_forwarding_goes_off_after_the_proof() {
    let guarded = Guarded::new(true).await;
    // A proof from before the removal does not count.
    guarded.proven(now() - SignedDuration::from_hours(2)).await;
    guarded.removed_by_ses();
    assert_eq!(guarded.alerts(0).await, ["removed-by-ses"]);
    let topics = [
        "SetIdentityNotificationTopic shop.example",
        "SetIdentityNotificationTopic shop.example",
    ];
    assert_eq!(guarded.writes(), topics);
    assert!(guarded.fake.state().identities[SHOP].forwarding);
    guarded.proven(now() + SignedDuration::from_mins(1)).await;
    assert_eq!(guarded.alerts(15).await, ["repaired"]);
    assert!(!guarded.fake.state().identities[SHOP].forwarding);
    assert_eq!(guarded.alerts(30).await, [""; 0]);
    // In one round when the proof arrives at once.
    guarded.proven(now() + SignedDuration::from_mins(45)).await;
    guarded.removed_by_ses();
    assert_eq!(guarded.alerts(45).await, ["repaired"]);
    // Not a third time within an hour of the first two.
    guarded.removed_by_ses();
    let before = guarded.writes().len();
    assert_eq!(guarded.round(50).await.0, None);
    let (kind, _, _, text) = guarded.alarms.lock().unwrap().received.remove(0);
    assert!(
        kind == "removed-by-ses" && text.contains("2 times in the last hour"),
        "{text}"
    );
    assert_eq!(guarded.writes().len(), before);
    // An hour after the first one it is repaired again.
    guarded.proven(now() + SignedDuration::from_mins(61)).await;
    assert_eq!(guarded.alerts(61).await, ["repaired"]);
}

#[tokio::test(start_paused = true)]
async fn a_repair_changes_notification_settings_only() {
    let guarded = Guarded::new(true).await;
    let policy = json!({"Version": "2012-10-17", "Statement": []});
    let mut fields = wired();
    fields.insert(Field::Policy("postroom-agency".to_owned()), Value::document(&policy));
    guarded.applied(SHOP, &fields).await;
    let policies = [
        ("postroom-agency".to_owned(), policy.to_string()),
        ("postroom-by-hand".to_owned(), policy.to_string()),
    ];
    guarded.fake.state().identities.get_mut(SHOP).unwrap().policies = policies.clone().into();
    guarded.removed_by_ses();
    guarded.proven(now()).await;
    // The policy that nobody applied still differs.
    assert_eq!(guarded.alerts(0).await, ["removed-by-ses"]);
    let state = guarded.fake.state();
    let identity = &state.identities[SHOP];
    assert_eq!(identity.policies, policies.into());
    assert!(!identity.forwarding && identity.topics.len() == 3);
}

#[tokio::test]
async fn nothing_is_repaired_while_the_topic_does_not_work() {
    type Break = fn(&mut FakeTopic);
    let obstacles: [(&str, Break); 2] = [
        ("does not let ses.amazonaws.com publish", |topic| {
            topic.policy = "{}".to_owned()
        }),
        ("has no confirmed subscription", |topic| topic.subscriptions.clear()),
    ];
    for (obstacle, break_it) in obstacles {
        let guarded = Guarded::new(true).await;
        guarded.removed_by_ses();
        break_it(guarded.fake.state().topics.get_mut(TOPIC).unwrap());
        assert_eq!(guarded.round(0).await.0, None);
        let (kind, _, _, text) = guarded.alarms.lock().unwrap().received.remove(0);
        assert!(kind == "removed-by-ses" && text.contains(obstacle), "{text}");
        assert_eq!(guarded.writes(), [""; 0]);
    }
    let guarded = Guarded::new(true).await;
    guarded.removed_by_ses();
    guarded.fake.state().topics.clear();
    assert_eq!(guarded.round(0).await.0, None);
    assert!(
        guarded.alarms.lock().unwrap().received[0]
            .3
            .contains("the topic does not exist")
    );
    assert_eq!(guarded.writes(), [""; 0]);
}

#[tokio::test]
async fn an_alert_that_is_not_sent_is_sent_by_a_later_round_under_the_same_id() {
    let guarded = Guarded::new(false).await;
    guarded
        .fake
        .set_topic(SHOP, "Delivery", "arn:aws:sns:us-east-1:111122223333:other");
    guarded.alarms.lock().unwrap().rejects = true;
    let (error, emitted) = guarded.round(0).await;
    assert_eq!(error.as_deref(), Some("failed for 1 objects; the log names them"));
    assert!(
        watched_metrics::watched("settings-guard").is_subset(&emitted),
        "{emitted:?}"
    );
    guarded.alarms.lock().unwrap().rejects = false;
    assert_eq!(guarded.round(15).await.0, None);
    let id = guarded.alarms.lock().unwrap().received[0].1.clone();
    assert_eq!(id, "drift/identity_shop.example/2026-11-27T12:00:00Z");
}

#[tokio::test]
async fn an_object_that_cannot_be_read_does_not_keep_others_from_being_compared() {
    let guarded = Guarded::new(false).await;
    let fields = Fields::from([(Field::DefaultConfigurationSet, Value::Text("campaign".to_owned()))]);
    for name in ["denied.example", "other.example"] {
        guarded.applied(name, &fields).await;
        guarded
            .fake
            .state()
            .identities
            .insert(name.to_owned(), FakeIdentity::default());
    }
    // The first call reads the notification settings, the second the identity denied.example.
    guarded.fake.state().errors.insert(2, "AccessDeniedException");
    let (error, emitted) = guarded.round(0).await;
    assert_eq!(error.as_deref(), Some("failed for 1 objects; the log names them"));
    assert!(emitted.contains("CheckFailures"), "{emitted:?}");
    let alerts = std::mem::take(&mut guarded.alarms.lock().unwrap().received);
    let subjects: Vec<&str> = alerts.iter().map(|(_, _, subject, _)| subject.as_str()).collect();
    assert_eq!(subjects, ["SES settings differ: identity other.example"]);
}

#[tokio::test]
async fn single_reads_are_limited_and_continue_in_the_next_round() {
    let guarded = Guarded::new(false).await;
    let count = SINGLE_READS + 50;
    let fields = Fields::from([(Field::DefaultConfigurationSet, Value::Text("campaign".to_owned()))]);
    for index in 0..count {
        let name = format!("i{index:04}.example");
        guarded.applied(&name, &fields).await;
        guarded.fake.state().identities.insert(name, FakeIdentity::default());
    }
    let single_reads = || {
        let state = guarded.fake.state();
        let reads = state.calls.iter().filter(|call| call.starts_with("GetEmailIdentity"));
        reads.cloned().collect::<Vec<_>>()
    };
    assert_eq!(guarded.alerts(0).await.len(), SINGLE_READS);
    assert_eq!(single_reads().len(), SINGLE_READS);
    assert_eq!(guarded.alerts(15).await.len(), 50);
    assert_eq!(single_reads().into_iter().collect::<BTreeSet<_>>().len(), count);
}

#[tokio::test]
async fn an_identity_that_left_the_configuration_is_forgotten() {
    let guarded = Guarded::new(false).await;
    guarded
        .fake
        .set_topic(SHOP, "Delivery", "arn:aws:sns:us-east-1:111122223333:other");
    assert_eq!(guarded.alerts(0).await, ["drift"]);
    guarded
        .store
        .delete_applied_settings("identity shop.example")
        .await
        .unwrap();
    assert_eq!(guarded.alerts(15).await, [""; 0]);
    assert_eq!(guarded.store.drifts().await.unwrap(), []);
}
