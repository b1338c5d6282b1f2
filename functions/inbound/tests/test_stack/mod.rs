//! The function on an embedded DynamoDB and mocked AWS services.
#![allow(
    dead_code,
    unused_imports,
    clippy::allow_attributes,
    reason = "each test binary uses a part of the test stack"
)]

mod mailboxes;
mod rows;
mod services;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use inbound::effects::Effects;
use inbound::settings::Settings;
use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use notification_model::EmailAddress;
use serde_json::{Value, json};
use store::testing::Requests;
use store::{Scope, Store, SuppressionEntry, SuppressionSource};

pub(crate) use services::{SentMail, Services};

pub(crate) const BUCKET: &str = "postroom-mail";
pub(crate) const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:mail-arrived";
pub(crate) const FEEDBACK_TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:postroom-feedback";
pub(crate) const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/111122223333/mail-arrived";
pub(crate) const INBOUND_QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/111122223333/postroom-inbound";

/// The function, its table and its services.
pub(crate) struct TestStack {
    pub(crate) effects: Effects,
    pub(crate) store: Store,
    pub(crate) requests: Requests,
    pub(crate) services: Arc<Mutex<Services>>,
    table: aws_sdk_dynamodb::Client,
}

impl TestStack {
    /// A stack with the mailboxes that the events are for, and a suppressed forward target.
    pub(crate) async fn new() -> Self {
        Self::with_settings(&[]).await
    }

    /// The same stack with other environment variables.
    pub(crate) async fn with_settings(changes: &[(&str, &str)]) -> Self {
        let services = Arc::new(Mutex::new(Services::default()));
        let (store, table, requests) = store::testing::fresh().await;
        for mailbox in mailboxes::mailboxes() {
            store.put_mailbox(&mailbox).await.unwrap();
        }
        let entry = SuppressionEntry {
            at: "2026-01-01T00:00:00Z".parse().unwrap(),
            id: "0".to_owned(),
            blocked: true,
            until: None,
            reason: "no such user".to_owned(),
            address: "gone@target.example".to_owned(),
            evidence: BTreeMap::new(),
        };
        let gone = address("gone@target.example");
        let record = store.record_suppression(&gone, &Scope::Global, &SuppressionSource::Bounce, &entry, entry.at);
        record.await.unwrap();
        let _ = requests.take();
        Self {
            effects: Effects::new(store.clone(), services::clients(&services), settings(changes)),
            store,
            requests,
            services,
            table,
        }
    }

    /// Makes requests for an address, target or service fail with an error code.
    pub(crate) fn fail(&self, target: &str, code: &'static str) {
        self.services().errors.insert(target.to_owned(), code);
    }

    /// Makes requests for an address, target or service succeed again.
    pub(crate) fn succeed(&self, target: &str) {
        self.services().errors.remove(target);
    }

    /// Stores the mail of a message id.
    pub(crate) fn put_object(&self, message_id: &str, mail: Vec<u8>) {
        let key = format!("inbound/{message_id}");
        self.services().objects.insert(key, mail);
    }

    /// The response to an event, or its error.
    pub(crate) async fn handle(&self, event: &Value, metrics: &mut Metrics, now: Timestamp) -> Value {
        let remaining = Duration::from_secs(60);
        match inbound::handle(event, &self.effects, metrics, now, remaining).await {
            Ok(response) => serde_json::to_value(&response).unwrap(),
            Err(error) => json!({"error": format!("{error:#}")}),
        }
    }

    /// The response and the metrics of an event.
    pub(crate) async fn handle_now(&self, event: &Value) -> (Value, Vec<String>) {
        let mut metrics = Metrics::default();
        let response = self.handle(event, &mut metrics, now()).await;
        (response, metric_texts(&metrics))
    }

    /// Delivers the inbound queue to the function up to five times, each time after the claims have expired. Returns the
    /// number of messages that go to the dead-letter queue.
    pub(crate) async fn deliver_handed_over(&self, metrics: &mut Metrics) -> usize {
        let mut now = now();
        let mut bodies = std::mem::take(&mut self.services().handed_over);
        for _ in 0..5 {
            now += SignedDuration::from_secs(120);
            let mut failed = Vec::new();
            for body in bodies {
                let record = json!({"eventSource": "aws:sqs", "messageId": "q", "body": body});
                let response = self.handle(&json!({"Records": [record]}), metrics, now).await;
                if response != json!({"batchItemFailures": []}) {
                    failed.push(body);
                }
            }
            bodies = failed;
        }
        bodies.len()
    }

    /// The sent mail in a fixed order.
    pub(crate) fn sent_mail(&self) -> Vec<SentMail> {
        let mut sent = self.services().sent.clone();
        sent.sort_by(|a, b| (&a.to, &a.mail).cmp(&(&b.to, &b.mail)));
        sent
    }

    /// The recipients of the sent mail.
    pub(crate) fn recipients(&self) -> Vec<String> {
        self.sent_mail().into_iter().flat_map(|sent| sent.to).collect()
    }

    /// The bounces, publications and queue messages in a fixed order.
    pub(crate) fn messages(&self) -> Vec<(&'static str, String, Value)> {
        let mut messages = self.services().messages.clone();
        messages.sort_by_key(|(kind, target, content)| (*kind, target.clone(), content.to_string()));
        messages
    }

    /// The objects and ranges that were read.
    pub(crate) fn reads(&self) -> Vec<String> {
        self.services().reads.clone()
    }

    /// The rows by key.
    pub(crate) async fn rows(&self) -> BTreeMap<String, Value> {
        let rows = rows::read_rows(&self.table).await;
        let _ = self.requests.take();
        rows
    }

    pub(crate) fn services(&self) -> std::sync::MutexGuard<'_, Services> {
        self.services.lock().unwrap()
    }
}

pub(crate) fn settings(changes: &[(&str, &str)]) -> Settings {
    let defaults = [
        ("TABLE_NAME", "postroom"),
        ("INBOUND_QUEUE_URL", INBOUND_QUEUE),
        ("MAIL_BUCKET", BUCKET),
        ("MAIL_PREFIX", "inbound/"),
        ("FEEDBACK_TOPIC_ARN", FEEDBACK_TOPIC),
        (
            "UNSUBSCRIBE_SECRET_ARN",
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:u",
        ),
        ("FORWARD_CONFIGURATION_SET", "postroom"),
        ("BOUNCE_SENDER", "mailer-daemon@shop.example"),
    ];
    let get = |variable: &str| {
        let mut all = changes.iter().chain(&defaults);
        all.find(|(name, _)| *name == variable)
            .map(|(_, value)| (*value).to_owned())
    };
    Settings::from_env(get).unwrap()
}

/// Two seconds after the receipt of the mail in the events.
pub(crate) fn now() -> Timestamp {
    "2026-03-03T09:15:03Z".parse().unwrap()
}

pub(crate) fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

/// The event in a file under `events/inbound`.
pub(crate) fn read_event(name: &str) -> Value {
    let path = Path::new("../../events/inbound").join(format!("{name}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// An event with another message id.
pub(crate) fn event_with_id(name: &str, message_id: &str) -> Value {
    let mut event = read_event(name);
    event["Records"][0]["ses"]["mail"]["messageId"] = json!(message_id);
    event
}

/// The event `forward` with other recipients.
pub(crate) fn event_for(recipients: &[&str]) -> Value {
    let mut event = read_event("forward");
    event["Records"][0]["ses"]["receipt"]["recipients"] = json!(recipients);
    event
}

/// A mail of a sender that nobody has seen before.
pub(crate) fn mail_of(sender: &str, number: usize, recipient: &str) -> Value {
    let mut event = event_with_id("forward", &format!("plain--{number}"));
    let ses = &mut event["Records"][0]["ses"];
    ses["mail"]["source"] = json!(sender);
    ses["mail"]["destination"] = json!([recipient]);
    ses["mail"]["commonHeaders"]["to"] = json!([recipient]);
    ses["receipt"]["recipients"] = json!([recipient]);
    ses["receipt"]["dmarcVerdict"] = json!({"status": "GRAY"});
    event
}

/// The message with which an operator asks to send the mail of an event again.
pub(crate) fn send_again(event: &Value, repeat: bool) -> Value {
    let mut body = event["Records"][0]["ses"].clone();
    body["sendAgain"] = json!({"id": "r1", "repeat": repeat});
    json!({"Records": [{"eventSource": "aws:sqs", "messageId": "q", "body": body.to_string()}]})
}

/// The names of all events.
pub(crate) fn event_names() -> Vec<String> {
    let files = std::fs::read_dir("../../events/inbound").unwrap();
    let names = files.filter_map(|file| {
        let name = file.unwrap().file_name().into_string().unwrap();
        name.strip_suffix(".json").map(str::to_owned)
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// The metrics as `Actions{Kind=forward, Outcome=done} 1`, except `NotificationAge`, which depends on the clock.
pub(crate) fn metric_texts(metrics: &Metrics) -> Vec<String> {
    let lines = metrics.lines(inbound::metrics::NAMESPACE, Timestamp::UNIX_EPOCH);
    let mut texts = Vec::new();
    for line in lines.iter().filter(|line| line.get("NotificationAge").is_none()) {
        for (name, dimensions) in metric_definitions(line) {
            let value = &line[&name];
            let dimensions: Vec<String> = dimensions
                .iter()
                .map(|dimension| format!("{dimension}={}", line[dimension].as_str().unwrap()))
                .collect();
            texts.push(match dimensions.is_empty() {
                true => format!("{name} {value}"),
                false => format!("{name}{{{}}} {value}", dimensions.join(", ")),
            });
        }
    }
    texts.sort();
    texts
}

/// The names and dimensions of the metrics of a line.
pub(crate) fn metric_definitions(line: &Value) -> Vec<(String, Vec<String>)> {
    let metrics = &line["_aws"]["CloudWatchMetrics"][0];
    let dimensions: Vec<String> = serde_json::from_value(metrics["Dimensions"][0].clone()).unwrap();
    let definitions = metrics["Metrics"].as_array().unwrap().iter();
    definitions
        .map(|metric| (metric["Name"].as_str().unwrap().to_owned(), dimensions.clone()))
        .collect()
}

#[track_caller]
pub(crate) fn assert_metric(metrics: &[String], expected: &str) {
    assert!(
        metrics.iter().any(|metric| metric == expected),
        "{expected} in {metrics:?}"
    );
}
