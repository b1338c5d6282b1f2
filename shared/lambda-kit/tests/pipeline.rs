//! The steps of a batch: reading messages, deferred work and metrics.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use intake::{Batch, Outcomes, Record};
use jiff::Timestamp;
use lambda_kit::{Handled, Message, Metrics, pipeline};
use notification_model::ParseError;
use serde_json::{Value, json};

const DELIVERY: &str = r#"{"eventType":"Delivery","mail":{"timestamp":"2026-03-02T08:00:00Z","messageId":"m1",
    "source":"news@shop.example","destination":["jane@example.net"]},
    "delivery":{"timestamp":"2026-03-02T08:00:01Z","recipients":["jane@example.net"]}}"#;
const INBOUND: &str = include_str!("../../notification-model/tests/data/inbound-lambda.json");
const SES_SETUP: &str = "Successfully validated SNS topic for Amazon SES event publishing.";

#[derive(Debug, thiserror::Error)]
enum HandlerError {
    #[error(transparent)]
    Parse(#[from] ParseError),
    #[error("not written")]
    NotWritten,
}

impl HandlerError {
    fn kind(&self) -> &'static str {
        match self {
            Self::Parse(_) => "parse",
            Self::NotWritten => "store",
        }
    }
}

async fn handle(record: Record) -> Result<Handled<&'static str>, HandlerError> {
    let mut handled = Handled::default();
    let deferred = match pipeline::read_message(&record)? {
        None => "set-up message",
        Some(Message::Notification(notification)) => {
            let unreadable = notification.unreadable_recipients.into_iter().next();
            handled.incomplete = unreadable.map(|error| HandlerError::from(error).into());
            "notification"
        }
        Some(Message::InboundMail(_)) => "inbound mail",
        Some(Message::TopicTest(_)) => "topic test",
    };
    handled.deferred.push(deferred);
    handled.metrics.count("Handled", vec![]);
    Ok(handled)
}

async fn run(bodies: &[&str]) -> Outcomes<Handled<&'static str>> {
    let records: Vec<Value> = bodies
        .iter()
        .enumerate()
        .map(|(index, body)| json!({"eventSource": "aws:sqs", "messageId": index.to_string(), "body": body}))
        .collect();
    let batch = Batch::from_event(&json!({ "Records": records })).unwrap();
    batch.run(2, handle).await
}

fn counts(metrics: &Metrics) -> Vec<(String, u64)> {
    let documents = metrics.lines("Test", Timestamp::UNIX_EPOCH);
    let counts = documents.iter().flat_map(|document| {
        let kind = document["Kind"].as_str().unwrap_or_default();
        ["Handled", "RecordFailures"]
            .iter()
            .filter_map(move |metric| Some((format!("{metric} {kind}"), document[metric].as_u64()?)))
    });
    counts.collect()
}

#[tokio::test]
async fn each_message_is_read_as_what_it_is() {
    let confirmation = json!({"Type": "SubscriptionConfirmation", "MessageId": "c1", "TopicArn": "arn:aws:sns:eu-west-1:111122223333:t",
        "Token": "token", "Message": "You have chosen to subscribe", "SubscribeURL": "https://sns.example"})
    .to_string();
    let mut outcomes = run(&[DELIVERY, INBOUND, SES_SETUP, &confirmation, "{}"]).await;
    assert_eq!(
        pipeline::take_deferred(&mut outcomes),
        [
            (0, "notification"),
            (1, "inbound mail"),
            (2, "topic test"),
            (3, "set-up message")
        ]
    );
    assert!(
        pipeline::take_deferred(&mut outcomes).is_empty(),
        "deferred work is taken once"
    );
    let failed: Vec<&str> = outcomes.failures().map(|(id, _)| id).collect();
    assert_eq!(failed, ["4"]);
}

#[tokio::test]
async fn a_record_whose_deferred_work_failed_is_reported_and_not_counted_as_handled() {
    let mut outcomes = run(&[DELIVERY, DELIVERY, "{}", DELIVERY, "{\"Type\":5}"]).await;
    pipeline::fail_records(&mut outcomes, [0], || HandlerError::NotWritten);
    pipeline::fail_records(&mut outcomes, [3], || "not counted by the statistics");
    let mut metrics = pipeline::take_metrics(&mut outcomes);
    pipeline::count_failures(&mut metrics, &outcomes, HandlerError::kind);
    assert_eq!(
        counts(&metrics),
        [
            ("Handled ".to_owned(), 1),
            ("RecordFailures batch".to_owned(), 1),
            ("RecordFailures parse".to_owned(), 2),
            ("RecordFailures store".to_owned(), 1)
        ]
    );
    let response = serde_json::to_value(outcomes.report().unwrap()).unwrap();
    let failed: Vec<&str> = response["batchItemFailures"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|failure| failure["itemIdentifier"].as_str())
        .collect();
    assert_eq!(failed, ["0", "2", "3", "4"]);
}

#[tokio::test]
async fn a_record_with_an_unreadable_recipient_fails_after_its_deferred_work() {
    let incomplete = DELIVERY.replace("\"recipients\":[", "\"recipients\":[null,");
    let mut outcomes = run(&[DELIVERY, &incomplete]).await;
    assert_eq!(
        pipeline::take_deferred(&mut outcomes),
        [(0, "notification"), (1, "notification")]
    );
    pipeline::fail_incomplete(&mut outcomes);
    let failures: Vec<_> = outcomes
        .failures()
        .map(|(id, failure)| (id, failure.to_string()))
        .collect();
    assert_eq!(
        failures,
        [("1", "delivery.recipients[0]: expected a string".to_owned())]
    );
    let mut metrics = pipeline::take_metrics(&mut outcomes);
    pipeline::count_failures(&mut metrics, &outcomes, HandlerError::kind);
    assert_eq!(
        counts(&metrics),
        [("Handled ".to_owned(), 1), ("RecordFailures parse".to_owned(), 1)]
    );
}
