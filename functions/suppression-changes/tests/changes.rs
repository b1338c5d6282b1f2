//! The function with mocked responses of SNS and SQS.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "../../../tests/template/watched_metrics.rs"]
mod watched_metrics;

use std::sync::{Arc, Mutex};

use aws_sdk_sns::operation::publish::{PublishError, PublishOutput};
use aws_sdk_sns::types::error::NotFoundException;
use aws_sdk_sqs::operation::send_message::{SendMessageError, SendMessageOutput};
use aws_sdk_sqs::types::error::QueueDoesNotExist;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use jiff::Timestamp;
use lambda_kit::Metrics;
use serde_json::{Value, json};
use suppression_changes::effects::Effects;
use suppression_changes::metrics::NAMESPACE;
use suppression_changes::settings::Settings;

const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:suppressions";
const MIRROR_QUEUE: &str = "https://sqs.example/mirror";
const DEAD_LETTER_QUEUE: &str = "https://sqs.example/dead-letters";

/// Messages by target, in order.
type Sent = Arc<Mutex<Vec<(String, Value)>>>;

struct Changes {
    effects: Effects,
    sent: Sent,
    metrics: Metrics,
}

impl Changes {
    async fn new() -> Self {
        let sent = Sent::default();
        let (publish, send) = (accepting_topic(&sent), accepting_queues(&sent));
        Self::with(&publish, &send, sent).await
    }

    async fn with(publish: &Rule, send: &Rule, sent: Sent) -> Self {
        let (store, ..) = store::testing::fresh().await;
        Self {
            effects: Effects {
                store,
                sns: mock_client!(aws_sdk_sns, RuleMode::MatchAny, [publish]).into(),
                sqs: mock_client!(aws_sdk_sqs, RuleMode::MatchAny, [send]).into(),
                settings: Settings {
                    table: "postroom".to_owned(),
                    topic_arn: Some(TOPIC.to_owned()),
                    mirror_queue_url: Some(MIRROR_QUEUE.to_owned()),
                    mirror_unsubscribes: false,
                    dead_letter_queue_url: DEAD_LETTER_QUEUE.to_owned(),
                },
            },
            sent,
            metrics: Metrics::default(),
        }
    }

    async fn handle(&mut self, event: &Value) -> Value {
        let handled = suppression_changes::handle(event, &self.effects, &mut self.metrics, Timestamp::now()).await;
        handled.unwrap()
    }

    fn take_sent(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut *self.sent.lock().unwrap())
    }
}

fn accepting_topic(sent: &Sent) -> Rule {
    let sent = sent.clone();
    mock!(aws_sdk_sns::Client::publish).then_compute_output(move |request| {
        let attributes = request.message_attributes().unwrap();
        let attribute = |name: &str| attributes[name].string_value().unwrap().to_owned();
        let message: Value = serde_json::from_str(request.message().unwrap()).unwrap();
        for name in ["state", "scope", "source"] {
            assert_eq!(message[name], attribute(name));
        }
        sent.lock()
            .unwrap()
            .push((request.topic_arn().unwrap().to_owned(), message));
        PublishOutput::builder().build()
    })
}

fn accepting_queues(sent: &Sent) -> Rule {
    let sent = sent.clone();
    mock!(aws_sdk_sqs::Client::send_message).then_compute_output(move |request| {
        let body = serde_json::from_str(request.message_body().unwrap()).unwrap();
        sent.lock()
            .unwrap()
            .push((request.queue_url().unwrap().to_owned(), body));
        SendMessageOutput::builder().build()
    })
}

fn missing_topic() -> Rule {
    mock!(aws_sdk_sns::Client::publish)
        .then_error(|| PublishError::NotFoundException(NotFoundException::builder().build()))
}

fn missing_queue() -> Rule {
    mock!(aws_sdk_sqs::Client::send_message)
        .then_error(|| SendMessageError::QueueDoesNotExist(QueueDoesNotExist::builder().build()))
}

fn event(name: &str) -> Value {
    let path = format!(
        "{}/../../events/suppression-changes/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn all_handled() -> Value {
    json!({"batchItemFailures": []})
}

#[tokio::test]
async fn a_change_is_published_and_requested() {
    let mut changes = Changes::new().await;
    let response = changes.handle(&event("hard-bounce-that-ses-calls-transient")).await;
    assert_eq!(response, all_handled());
    let sent = changes.take_sent();
    let targets: Vec<&str> = sent.iter().map(|(target, _)| target.as_str()).collect();
    assert_eq!(targets, [TOPIC, MIRROR_QUEUE]);
    assert_eq!(sent[0].1["state"], "suppressed");
    assert_eq!(sent[1].1["action"], "put");
}

#[tokio::test]
async fn without_targets_nothing_is_sent() {
    let mut changes = Changes::new().await;
    changes.effects.settings.topic_arn = None;
    changes.effects.settings.mirror_queue_url = None;
    let response = changes.handle(&event("hard-bounce-that-ses-calls-transient")).await;
    assert_eq!(response, all_handled());
    assert_eq!(changes.take_sent(), []);
}

#[tokio::test]
async fn another_attempt_sends_the_same_notice() {
    let mut changes = Changes::new().await;
    changes.handle(&event("release")).await;
    let first = changes.take_sent();
    changes.handle(&event("release")).await;
    assert_eq!(changes.take_sent(), first);
}

#[tokio::test]
async fn an_unreadable_record_is_a_dead_letter_and_does_not_stop_the_others() {
    let mut changes = Changes::new().await;
    let batch = event("batch-good-bad-good");
    assert_eq!(changes.handle(&batch).await, all_handled());
    let sent = changes.take_sent();
    let to = |target: &str| -> Vec<&Value> {
        let to_target = sent.iter().filter(|(of, _)| of == target);
        to_target.map(|(_, message)| message).collect()
    };
    assert_eq!(to(TOPIC).len(), 2);
    let number = batch.pointer("/Records/1/dynamodb/SequenceNumber").unwrap();
    assert_eq!(
        to(DEAD_LETTER_QUEUE),
        [&json!({"reason": "stream record: expected the keys of a recipient", "sequenceNumber": number})]
    );
}

#[tokio::test]
async fn if_a_service_fails_lambda_retries_from_the_first_failed_record() {
    let sent = Sent::default();
    let mut changes = Changes::with(&missing_topic(), &accepting_queues(&sent), sent).await;
    let batch = event("batch-good-bad-good");
    let number = batch.pointer("/Records/0/dynamodb/SequenceNumber").unwrap();
    assert_eq!(
        changes.handle(&batch).await,
        json!({"batchItemFailures": [{"itemIdentifier": number}]})
    );
    let sent = Sent::default();
    let mut changes = Changes::with(&accepting_topic(&sent), &missing_queue(), sent).await;
    let number = batch.pointer("/Records/1/dynamodb/SequenceNumber").unwrap();
    assert_eq!(
        changes.handle(&batch).await,
        json!({"batchItemFailures": [{"itemIdentifier": number}]}),
        "a dead letter that is not sent stays in the stream"
    );
}

#[tokio::test]
async fn a_panic_is_a_dead_letter() {
    let sent = Sent::default();
    let panicking = mock!(aws_sdk_sns::Client::publish).then_compute_output(|_| panic!("a panic of the test"));
    let mut changes = Changes::with(&panicking, &accepting_queues(&sent), sent).await;
    assert_eq!(changes.handle(&event("hard-bounce")).await, all_handled());
    let sent = changes.take_sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(
        (sent[0].0.as_str(), &sent[0].1["reason"]),
        (DEAD_LETTER_QUEUE, &json!("the function panicked"))
    );
}

#[tokio::test]
async fn other_events_fail() {
    let changes = Changes::new().await;
    let mut metrics = Metrics::default();
    let error = suppression_changes::handle(&json!({}), &changes.effects, &mut metrics, Timestamp::now()).await;
    assert!(
        error
            .unwrap_err()
            .to_string()
            .starts_with("expected an event of a DynamoDB stream")
    );
}

#[tokio::test]
async fn each_metric_that_an_alarm_watches_is_emitted() {
    let sent = Sent::default();
    let mut failing = Changes::with(&missing_topic(), &accepting_queues(&sent), sent).await;
    failing.handle(&event("hard-bounce")).await;
    failing.handle(&json!({"postroom": "ends"})).await;
    let emitted = watched_metrics::emitted(&failing.metrics, NAMESPACE);
    let missing: Vec<_> = watched_metrics::watched("suppression-changes")
        .into_iter()
        .filter(|metric| !emitted.contains(metric))
        .collect();
    assert!(missing.is_empty(), "{missing:?} of {emitted:?}");
}
