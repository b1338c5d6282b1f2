//! Every event under `events/delegate-router`, handled by the function with an embedded DynamoDB and mocked targets.
//!
//! `snapshots/outcomes.snap` has the response, the deliveries, the metrics and the requests of each event, one line per
//! outcome.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use delegate_router::delivery::Delivery;
use delegate_router::redaction::redacted;
use intake::Batch;
use lambda_kit::Metrics;
use notification_model::{SesMessage, parse};
use serde_json::Value;
use support::services::Sent;
use support::{DEAD_LETTER_QUEUE, World, now};

#[tokio::test]
async fn each_event_has_the_recorded_outcomes() {
    let mut report = String::new();
    for (name, event) in events() {
        report.push_str(&format!("{name}\n"));
        for line in outcomes(&event).await {
            report.push_str(&format!("  {line}\n"));
        }
    }
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("outcomes", report);
    });
}

#[tokio::test]
async fn an_event_that_is_handled_twice_has_the_same_outcomes_twice() {
    for (name, event) in events() {
        let world = world().await;
        let mut queued = Vec::new();
        let mut sent = Vec::new();
        for _ in 0..2 {
            world.handle(&event, &mut Metrics::default(), now()).await;
            let mut services = world.services.lock().unwrap();
            queued.push(std::mem::take(&mut services.queued));
            let mut messages = std::mem::take(&mut services.sent);
            messages.sort_by(|a, b| (&a.to, &a.body).cmp(&(&b.to, &b.body)));
            sent.push(messages);
        }
        assert_eq!(queued[0], queued[1], "{name}");
        assert_eq!(sent[0], sent[1], "{name}");
    }
}

fn events() -> Vec<(String, Value)> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/delegate-router");
    let mut events: Vec<(String, Value)> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
        })
        .collect();
    events.sort_by(|a, b| a.0.cmp(&b.0));
    events
}

async fn world() -> World {
    let world = World::with_routes().await;
    world.reject(":gone", "NotFound");
    world.reject(":busy", "Throttled");
    world
}

async fn outcomes(event: &Value) -> Vec<String> {
    let world = world().await;
    let mut metrics = Metrics::default();
    let response = world.handle(event, &mut metrics, now()).await;
    let requests = world.requests.take();
    let payloads = payloads(event);

    let mut lines = vec![format!("response  {response}")];
    for message in &world.services.lock().unwrap().queued {
        let delivery = Delivery::from_message(message).unwrap();
        lines.push(format!("enqueued  {}", describe_delivery(&delivery, &payloads)));
    }
    for sent in world.sent() {
        lines.push(format!("sent      {}", describe_sent(&sent, &payloads)));
    }
    for item in world.digest_items("ops@shop.example").await {
        lines.push(format!("digest    {}", describe_body(&item, &payloads)));
    }
    lines.extend(describe_metrics(&metrics).map(|metric| format!("metric    {metric}")));
    lines.push(format!("requests  {}", describe_requests(&requests)));
    lines
}

/// The payloads of the event, and for deliveries the bodies in them.
fn payloads(event: &Value) -> BTreeSet<String> {
    let Ok(batch) = Batch::from_event(event) else {
        return BTreeSet::new();
    };
    let payloads = batch.records().iter().flatten().map(|record| record.payload.clone());
    payloads
        .flat_map(|payload| {
            let body = Delivery::from_message(&payload).ok().map(|delivery| delivery.body);
            [Some(payload), body]
        })
        .flatten()
        .collect()
}

fn describe_delivery(delivery: &Delivery, payloads: &BTreeSet<String>) -> String {
    assert_eq!(delivery.attributes["idempotencyKey"], delivery.key);
    format!(
        "{} | {} | {} | {}",
        delivery.target,
        describe_body(&delivery.body, payloads),
        delivery.reason,
        describe_attributes(&delivery.attributes)
    )
}

fn describe_sent(sent: &Sent, payloads: &BTreeSet<String>) -> String {
    let body = if sent.to == DEAD_LETTER_QUEUE {
        let delivery = Delivery::from_message(&sent.body).unwrap();
        assert!(payloads.contains(&sent.body) || payloads.contains(&delivery.body));
        "the delivery".to_owned()
    } else {
        describe_body(&sent.body, payloads)
    };
    format!("{} | {body} | {}", sent.to, describe_attributes(&sent.attributes))
}

/// The names and values, with keys shortened to their last 6 characters.
fn describe_attributes(attributes: &BTreeMap<String, String>) -> String {
    let attributes = attributes.iter().map(|(name, value)| match name.as_str() {
        "idempotencyKey" => format!("{name} ...{}", value.get(value.len() - 6..).unwrap()),
        _ => format!("{name} {value}"),
    });
    attributes.collect::<Vec<_>>().join(", ")
}

/// The form of a body: `unredacted` is the text of SES, `redacted` its redacted form. Digest items are summarised.
fn describe_body(body: &str, payloads: &BTreeSet<String>) -> String {
    if let Some(item) = describe_digest_item(body) {
        return item;
    }
    if payloads.contains(body) {
        return "unredacted".to_owned();
    }
    let body: Value = serde_json::from_str(body).unwrap();
    let is_redacted = |payload: &String| match parse(payload) {
        Ok(SesMessage::Notification(notification)) => redacted(&notification) == body,
        _ => false,
    };
    if payloads.iter().any(is_redacted) {
        return "redacted".to_owned();
    }
    let payloads: Vec<Value> = payloads
        .iter()
        .map(|payload| serde_json::from_str(payload).unwrap())
        .collect();
    let is_alert =
        |payload: &Value| payload.get("postroom") == Some(&"alert".into()) && without_format(payload) == body;
    if payloads.iter().any(is_alert) {
        return "the alert".to_owned();
    }
    let fields = body.as_object().unwrap();
    assert!(payloads.contains(&fields["notification"]), "{body}");
    let names: Vec<&str> = fields.keys().map(String::as_str).collect();
    format!("unredacted, in an event with {}", names.join(", "))
}

/// The fields of a message of the delivery queue without the one that names its format.
fn without_format(message: &Value) -> Value {
    let mut fields = message.as_object().unwrap().clone();
    fields.remove("postroom");
    Value::Object(fields)
}

fn describe_digest_item(body: &str) -> Option<String> {
    let item: Value = serde_json::from_str(body).ok()?;
    let text = |name: &str| item.get(name)?.as_str();
    Some(format!(
        "digest item: {} at {} of {}, {} by {}, {}",
        text("category")?,
        text("at")?,
        item["recipients"],
        text("identity")?,
        text("account")?,
        text("cause")?
    ))
}

/// The counted metrics, without the ages, which depend on the clock.
fn describe_metrics(metrics: &Metrics) -> impl Iterator<Item = String> {
    let lines = metrics.lines(delegate_router::metrics::NAMESPACE, now()).into_iter();
    lines
        .filter(|line| line.get("NotificationAge").is_none())
        .map(|mut line| {
            let fields = line.as_object_mut().unwrap();
            fields.remove("_aws");
            let fields = fields.iter().map(|(name, value)| match value.as_str() {
                Some(text) => format!("{name} {text}"),
                None => format!("{name} {value}"),
            });
            fields.collect::<Vec<_>>().join(", ")
        })
}

fn describe_requests(requests: &BTreeMap<String, usize>) -> String {
    let counts: Vec<String> = requests
        .iter()
        .map(|(operation, count)| format!("{count} {operation}"))
        .collect();
    match counts.as_slice() {
        [] => "none".to_owned(),
        counts => counts.join(", "),
    }
}
