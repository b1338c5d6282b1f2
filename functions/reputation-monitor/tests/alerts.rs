//! From the figures of senders to their alerts, on an embedded DynamoDB, with SNS and SQS mocked.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "../../../tests/template/watched_metrics.rs"]
mod watched_metrics;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use aws_sdk_sns::error::ErrorMetadata;
use aws_sdk_sns::operation::publish::{PublishError, PublishOutput};
use aws_sdk_sqs::operation::send_message::{SendMessageError, SendMessageOutput};
use aws_smithy_mocks::{MockResponse, MockResponseInterceptor, RuleMode, create_mock_http_client, mock};
use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use notification_model::EmailAddress;
use reputation::ReputationMonitor;
use reputation_monitor::effects::{Clients, Effects};
use reputation_monitor::settings::Settings;
use serde_json::{Value, json};
use store::testing::{Fault, Requests};
use store::{EnforcementKind, EventKind, Sender, SenderBatch, SenderEvent, SendingStream, Store, Thresholds};

const ACCOUNT: &str = "111122223333";
const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:postroom-alarms";
const QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/postroom-delivery";

/// What the alarm topic and the queue received. A text in `rejected` makes them reject messages that contain it.
#[derive(Debug, Default)]
struct Targets {
    published: Vec<Published>,
    enqueued: Vec<Value>,
    topic_rejects: Option<&'static str>,
    queue_rejects: Option<&'static str>,
}

#[derive(Debug)]
struct Published {
    subject: String,
    text: String,
    attributes: BTreeMap<String, String>,
}

struct Stack {
    store: Store,
    requests: Requests,
    targets: Arc<Mutex<Targets>>,
    effects: Effects,
}

impl Stack {
    async fn new(alarm_topic: Option<&str>, alert_queue: Option<&str>) -> Self {
        let (store, _, requests) = store::testing::fresh().await;
        let targets = Arc::<Mutex<Targets>>::default();
        let ses = aws_sdk_sesv2::Config::builder()
            .behavior_version(aws_sdk_sesv2::config::BehaviorVersion::latest())
            .build();
        let monitor = ReputationMonitor {
            store: store.clone(),
            ses: aws_sdk_sesv2::Client::from_conf(ses).into(),
            account: ACCOUNT.parse().unwrap(),
        };
        let settings = Settings {
            table: "postroom".to_owned(),
            account: ACCOUNT.parse().unwrap(),
            alarm_topic_arn: alarm_topic.map(str::to_owned),
            alert_queue_url: alert_queue.map(str::to_owned),
        };
        Self {
            effects: Effects::new(monitor, clients(&targets), settings),
            store,
            requests,
            targets,
        }
    }

    /// Both targets, and one sender with 10 hard bounces among 100 recipients.
    async fn with_bad_campaign() -> Self {
        let stack = Self::new(Some(TOPIC), Some(QUEUE)).await;
        stack.campaign("shop.example", 10).await;
        stack
    }

    /// 100 recipients mailed from an identity, some of which bounced.
    async fn campaign(&self, identity: &str, hard_bounces: usize) {
        let sender: Sender = format!("{ACCOUNT}/222233334444/{identity}").parse().unwrap();
        let expires_at = Timestamp::now() + SignedDuration::from_hours(100);
        let mut batch = SenderBatch::new(sender.clone(), SendingStream::default(), now());
        for recipient in 0..100 {
            batch.add(EventKind::Send, "m", &recipient.to_string());
        }
        self.store.count_batch(&batch, expires_at).await.unwrap();
        for recipient in 0..hard_bounces {
            let event = SenderEvent {
                sender: sender.clone(),
                stream: SendingStream::default(),
                kind: EventKind::Hard,
                at: now(),
                message_id: "m".to_owned(),
                recipient: EmailAddress::parse(&format!("r{recipient}@example.net")),
                is_claim: false,
            };
            self.store.count_event(&event, expires_at).await.unwrap();
        }
    }

    /// Runs the function so many minutes after the campaigns. Returns its error and its metrics.
    async fn run(&self, minutes: i64) -> (Option<String>, BTreeMap<String, u64>) {
        let mut metrics = Metrics::default();
        let at = now() + SignedDuration::from_mins(minutes);
        let event = json!({"postroom": "check-senders"});
        let result = reputation_monitor::handle(&event, &self.effects, &mut metrics, at).await;
        (result.err().map(|error| format!("{error:#}")), counts(&metrics))
    }

    /// The ids of the alerts that the topic and the queue received, one for each message.
    fn alert_ids(&self) -> (Vec<String>, Vec<String>) {
        let targets = self.targets.lock().unwrap();
        let published = targets.published.iter().map(|one| one.attributes["alertId"].clone());
        let enqueued = targets
            .enqueued
            .iter()
            .map(|one| one["alertId"].as_str().unwrap().to_owned());
        (published.collect(), enqueued.collect())
    }
}

/// A client of a service that answers every request by one rule.
macro_rules! mocked {
    ($service:ident, $rule:expr) => {{
        let interceptor = MockResponseInterceptor::new()
            .rule_mode(RuleMode::MatchAny)
            .with_rule($rule);
        let config = $service::Config::builder()
            .behavior_version($service::config::BehaviorVersion::latest())
            .region($service::config::Region::new("us-east-1"))
            .credentials_provider($service::config::Credentials::new(
                "local", "local", None, None, "testing",
            ))
            .http_client(create_mock_http_client())
            .interceptor(interceptor)
            .build();
        $service::Client::from_conf(config)
    }};
}

fn clients(targets: &Arc<Mutex<Targets>>) -> Clients {
    let (topic, queue) = (targets.clone(), targets.clone());
    let publish = mock!(aws_sdk_sns::Client::publish).then_compute_response(move |input| {
        let mut targets = topic.lock().unwrap();
        assert_eq!(input.topic_arn(), Some(TOPIC));
        let subject = input.subject().unwrap();
        if targets.topic_rejects.is_some_and(|text| subject.contains(text)) {
            let error = ErrorMetadata::builder().code("InternalError").build();
            return MockResponse::Error(PublishError::generic(error));
        }
        let attributes = input.message_attributes().into_iter().flatten();
        targets.published.push(Published {
            subject: subject.to_owned(),
            text: input.message().unwrap().to_owned(),
            attributes: attributes
                .map(|(name, value)| (name.clone(), value.string_value().unwrap().to_owned()))
                .collect(),
        });
        MockResponse::Output(PublishOutput::builder().message_id("1").build())
    });
    let send = mock!(aws_sdk_sqs::Client::send_message).then_compute_response(move |input| {
        let mut targets = queue.lock().unwrap();
        assert_eq!(input.queue_url(), Some(QUEUE));
        let body = input.message_body().unwrap();
        if targets.queue_rejects.is_some_and(|text| body.contains(text)) {
            let error = ErrorMetadata::builder().code("InternalError").build();
            return MockResponse::Error(SendMessageError::generic(error));
        }
        targets.enqueued.push(serde_json::from_str(body).unwrap());
        MockResponse::Output(SendMessageOutput::builder().message_id("1").build())
    });
    Clients {
        sns: mocked!(aws_sdk_sns, &publish).into(),
        sqs: mocked!(aws_sdk_sqs, &send).into(),
    }
}

fn now() -> Timestamp {
    "2026-03-02T08:20:00Z".parse().unwrap()
}

/// The counts of an invocation: the metric, followed by its kind where it has one.
fn counts(metrics: &Metrics) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for line in metrics.lines(reputation_monitor::metrics::NAMESPACE, now()) {
        for name in ["Alerts", "CheckFailures", "SendersChecked"] {
            let Some(count) = line.get(name).and_then(Value::as_u64) else {
                continue;
            };
            let kind = line.get("Kind").and_then(Value::as_str);
            counts.insert(kind.map_or(name.to_owned(), |kind| format!("{name} {kind}")), count);
        }
    }
    counts
}

fn expected<const N: usize>(counts: [(&str, u64); N]) -> BTreeMap<String, u64> {
    counts.map(|(name, count)| (name.to_owned(), count)).into()
}

#[tokio::test]
async fn one_alert_per_crossing_goes_to_the_alarm_topic_and_the_router() {
    let stack = Stack::with_bad_campaign().await;
    let (error, counts) = stack.run(1).await;
    assert_eq!(error, None);
    assert_eq!(counts, expected([("Alerts Enforcement", 1), ("SendersChecked", 1)]));
    let (error, counts) = stack.run(20).await;
    assert_eq!((error, counts), (None, expected([("SendersChecked", 1)])));

    let targets = stack.targets.lock().unwrap();
    assert_eq!((targets.published.len(), targets.enqueued.len()), (1, 1));
    let published = targets.published.first().unwrap();
    assert_eq!(
        published.subject,
        "Enforcement: hard bounces of shop.example, sent by 222233334444, at 10.00 %"
    );
    assert!(
        published
            .text
            .contains("10 hard bounces among 100 recipients within 1 hour")
    );
    assert_eq!(published.attributes["alertType"], "Enforcement");
    let enqueued = targets.enqueued.first().unwrap();
    assert_eq!(
        (&enqueued["postroom"], &enqueued["count"]),
        (&json!("alert"), &json!(10))
    );
    assert_eq!(enqueued["accounts"], json!([ACCOUNT, "222233334444"]));
}

#[tokio::test]
async fn each_target_is_optional() {
    let cases = [
        (Some(TOPIC), None, (1, 0)),
        (None, Some(QUEUE), (0, 1)),
        (None, None, (0, 0)),
    ];
    for (topic, queue, messages) in cases {
        let stack = Stack::new(topic, queue).await;
        stack.campaign("shop.example", 10).await;
        let (error, counts) = stack.run(1).await;
        assert_eq!(error, None);
        assert_eq!(counts, expected([("Alerts Enforcement", 1), ("SendersChecked", 1)]));
        // Six minutes later an alert that was not marked as notified would be sent again.
        assert_eq!(stack.run(7).await.1, expected([("SendersChecked", 1)]));
        let (published, enqueued) = stack.alert_ids();
        assert_eq!((published.len(), enqueued.len()), messages);
    }
}

#[tokio::test]
async fn an_alert_that_a_target_rejected_is_sent_again_to_both_under_the_same_id() {
    type Rejects = fn(&mut Targets) -> &mut Option<&'static str>;
    let rejecting: [Rejects; 2] = [
        |targets| &mut targets.topic_rejects,
        |targets| &mut targets.queue_rejects,
    ];
    for rejects in rejecting {
        let stack = Stack::with_bad_campaign().await;
        *rejects(&mut stack.targets.lock().unwrap()) = Some("shop.example");
        let (error, counts) = stack.run(1).await;
        assert_eq!(
            error.unwrap(),
            "failed for 1 senders, alerts or enforcements; the log names them"
        );
        assert_eq!(counts, expected([("CheckFailures", 1), ("SendersChecked", 1)]));

        *rejects(&mut stack.targets.lock().unwrap()) = None;
        let (error, counts) = stack.run(3).await;
        assert_eq!(
            (error, counts),
            (None, expected([("SendersChecked", 1)])),
            "the claim of the first round has not expired"
        );
        let (error, counts) = stack.run(7).await;
        assert_eq!(error, None);
        assert_eq!(counts, expected([("Alerts Enforcement", 1), ("SendersChecked", 1)]));
        assert_eq!(stack.run(14).await.1, expected([("SendersChecked", 1)]));

        let (published, enqueued) = stack.alert_ids();
        assert_eq!(published.len() + enqueued.len(), 3, "one target twice, the other once");
        let ids: BTreeSet<&String> = published.iter().chain(&enqueued).collect();
        assert_eq!(ids.len(), 1);
    }
}

#[tokio::test]
async fn a_failed_alert_does_not_stop_the_others() {
    let stack = Stack::with_bad_campaign().await;
    stack.campaign("news.example", 20).await;
    stack.targets.lock().unwrap().topic_rejects = Some("news.example");
    let (error, counts) = stack.run(1).await;
    assert_eq!(
        error.unwrap(),
        "failed for 1 senders, alerts or enforcements; the log names them"
    );
    assert_eq!(
        counts,
        expected([("Alerts Enforcement", 1), ("CheckFailures", 1), ("SendersChecked", 2)])
    );
    let (published, _) = stack.alert_ids();
    assert!(published.first().unwrap().contains("shop.example"));
}

#[tokio::test]
async fn a_failed_sender_does_not_stop_the_others() {
    let stack = Stack::new(Some(TOPIC), Some(QUEUE)).await;
    stack.campaign("news.example", 10).await;
    stack.campaign("spotless.example", 0).await;
    let _ = stack.requests.take();
    let quiet = Stack::new(None, None).await;
    quiet.campaign("news.example", 0).await;
    quiet.campaign("spotless.example", 0).await;
    let _ = quiet.requests.take();
    quiet.run(1).await;
    let reads: usize = quiet.requests.take().values().sum();

    // The first read of the second sender: each sender takes two.
    stack.requests.fail(Fault::RequestLost, reads - 3);
    let (error, counts) = stack.run(1).await;
    assert!(!stack.requests.cancel_fault(), "the fault occurred");
    assert_eq!(
        error.unwrap(),
        "failed for 1 senders, alerts or enforcements; the log names them"
    );
    assert_eq!(counts["CheckFailures"], 1);
    assert_eq!(counts["SendersChecked"], 1);
}

#[tokio::test]
async fn a_round_that_cannot_read_the_thresholds_fails_and_is_counted() {
    let stack = Stack::with_bad_campaign().await;
    stack.requests.fail(Fault::RequestLost, 0);
    let (error, counts) = stack.run(1).await;
    assert!(error.unwrap().starts_with("Query on table postroom"));
    assert_eq!(counts, expected([("CheckFailures", 1)]));
}

#[tokio::test]
async fn other_events_are_errors() {
    let stack = Stack::new(None, None).await;
    for event in [
        json!({}),
        json!({"postroom": "digest"}),
        json!({"Records": []}),
        json!("check-senders"),
    ] {
        let result = reputation_monitor::handle(&event, &stack.effects, &mut Metrics::default(), now()).await;
        let error = result.unwrap_err().to_string();
        assert_eq!(
            error,
            r#"unknown event: expected the schedule's {"postroom":"check-senders"}"#
        );
    }
}

#[tokio::test]
async fn an_enforcement_with_an_unknown_outcome_fails_the_invocation_and_its_alert_is_sent() {
    let stack = Stack::with_bad_campaign().await;
    let thresholds = Thresholds {
        enforcements: [EnforcementKind::RevokeAuthorization].into(),
        ..Thresholds::default()
    };
    stack.store.put_thresholds(None, &thresholds).await.unwrap();
    // The client of SES in these tests has no connection.
    let (error, counts) = stack.run(1).await;
    assert_eq!(
        error.unwrap(),
        "failed for 1 senders, alerts or enforcements; the log names them"
    );
    assert_eq!(
        counts,
        expected([("Alerts Enforcement", 1), ("CheckFailures", 1), ("SendersChecked", 1)])
    );
    let targets = stack.targets.lock().unwrap();
    let text = &targets.published.first().unwrap().text;
    assert!(
        text.contains("- not applied yet, repeated later: revoke-authorization: GetEmailIdentityPolicies: "),
        "{text}"
    );
}

#[tokio::test]
async fn each_metric_that_an_alarm_watches_is_emitted() {
    let mut emitted = BTreeSet::new();
    for fault in [None, Some(Fault::RequestLost)] {
        let stack = Stack::with_bad_campaign().await;
        if let Some(fault) = fault {
            stack.requests.fail(fault, 0);
        }
        let mut metrics = Metrics::default();
        let event = json!({"postroom": "check-senders"});
        let done = reputation_monitor::handle(&event, &stack.effects, &mut metrics, now()).await;
        let found = watched_metrics::emitted(&metrics, reputation_monitor::metrics::NAMESPACE);
        let ran = found.contains("ScheduledRuns{Schedule=check-senders}");
        assert_eq!(ran, done.is_ok(), "a round that did not take place is no run");
        emitted.extend(found);
    }
    let watched = watched_metrics::watched("reputation-monitor");
    let missing: Vec<_> = watched.difference(&emitted).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
