//! Which target received which event.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::compare::same;
use super::stored::StoredState;
use crate::aws::{ALARM_TOPIC_ARN, DELIVERY_DEAD_LETTER_QUEUE_URL, ReceivedMessage, UNROUTED_TOPIC_ARN};
use crate::model::Expected;
use crate::scenario::{Channel, EventDetails, Report, SECRET, Scenario, TARGETS};

/// The messages about an event that a target received.
#[derive(Debug, Default)]
pub(super) struct ReceivedEvent {
    bodies: Vec<String>,
    idempotency_keys: BTreeSet<String>,
}

/// What targets and the unrouted topic received.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// By target and event index. Includes digest items and messages that the router dead-lettered for the target.
    pub(super) by_target: BTreeMap<&'static str, BTreeMap<usize, ReceivedEvent>>,
    /// Reports that the unrouted topic received.
    pub(super) unrouted: BTreeSet<Report>,
}

impl Received {
    pub(super) fn read(scenario: &Scenario, stored: &StoredState, messages: &[ReceivedMessage]) -> Self {
        let mut received = Self::default();
        for message in messages {
            match message.target.as_str() {
                UNROUTED_TOPIC_ARN => {
                    let body: Value = serde_json::from_str(&message.body).expect("a notification");
                    let channel = if body.get("eventType").is_some() {
                        Channel::ConfigurationSet
                    } else {
                        Channel::Identity
                    };
                    received
                        .unrouted
                        .insert((event_index(scenario, &message.body), channel));
                }
                ALARM_TOPIC_ARN => {}
                DELIVERY_DEAD_LETTER_QUEUE_URL => {
                    let (target, body) = read_delivery(&message.body);
                    assert!(
                        target.ends_with(":gone"),
                        "dead-lettered, but the target exists: {target}"
                    );
                    received.add(scenario, target, &body, &message.idempotency_key);
                }
                target => received.add(scenario, find_target(target), &message.body, &message.idempotency_key),
            }
        }
        for (address, items) in &stored.digest_items {
            for (text, key) in items {
                received.add(scenario, find_target(address), text, key);
            }
        }
        received
    }

    /// Adds the deliveries in the dead-letter queue. They are not lost: an operator can redrive them.
    pub(super) fn add_dead_letters(&mut self, scenario: &Scenario, deliveries: &[String]) {
        for delivery in deliveries {
            let (target, body) = read_delivery(delivery);
            let events = self.by_target.entry(target).or_default();
            events.entry(event_index(scenario, &body)).or_default();
        }
    }

    fn add(&mut self, scenario: &Scenario, target: &'static str, body: &str, idempotency_key: &str) {
        let events = self.by_target.entry(target).or_default();
        let event = events.entry(event_index(scenario, body)).or_default();
        event.bodies.push(body.to_owned());
        event.idempotency_keys.insert(idempotency_key.to_owned());
    }
}

/// Target and body of a message in the delivery queue.
fn read_delivery(delivery: &str) -> (&'static str, String) {
    let delivery: Value = serde_json::from_str(delivery).expect("a delivery");
    let target = find_target(delivery["target"].as_str().unwrap_or_default());
    (target, delivery["body"].as_str().unwrap_or_default().to_owned())
}

/// The target of a route that this ARN, URL or address belongs to.
fn find_target(text: &str) -> &'static str {
    let name = |text: &str| text.rsplit([':', '/']).next().unwrap_or_default().to_owned();
    let target = TARGETS.iter().find(|target| name(target) == name(text));
    target.unwrap_or_else(|| panic!("not the target of a route: {text}"))
}

/// The index of the event that a notification or digest item reports. A message has one event, or a delivery and a bounce.
fn event_index(scenario: &Scenario, body: &str) -> usize {
    let body: Value = serde_json::from_str(body).expect("a notification or a digest item");
    let id = body.pointer("/mail/messageId").unwrap_or(&body["messageId"]);
    let names = ["notificationType", "eventType", "category"].map(|name| body[name].as_str());
    let is_delivery = names
        .into_iter()
        .flatten()
        .any(|name| name.eq_ignore_ascii_case("delivery"));
    let index = scenario.events.iter().position(|event| {
        Some(event.message_id.as_str()) == id.as_str()
            && matches!(event.details, EventDetails::Delivery(_)) == is_delivery
    });
    index.expect("an event of the scenario")
}

/// Every target received exactly the expected events, redacted where its routes are, each with one idempotency key.
///
/// # Errors
/// The difference.
pub(super) fn check_received(
    scenario: &Scenario,
    stored: &StoredState,
    messages: &[ReceivedMessage],
    expected: &Expected,
) -> Result<(), String> {
    let received = Received::read(scenario, stored, messages);
    let found: BTreeMap<&str, BTreeSet<usize>> = received
        .by_target
        .iter()
        .map(|(target, events)| (*target, events.keys().copied().collect()))
        .collect();
    let wanted: BTreeMap<&str, BTreeSet<usize>> = expected
        .received
        .iter()
        .map(|(target, events)| (*target, events.keys().copied().collect()))
        .collect();
    same("events received by targets", &found, &wanted)?;
    same(
        "reports received by the unrouted topic",
        &received.unrouted,
        &expected.unrouted,
    )?;
    for (target, events) in &received.by_target {
        check_keys(target, events)?;
        for (index, event) in events {
            let unredacted = expected.received[target][index];
            if !unredacted && event.bodies.iter().any(|body| body.contains(SECRET)) {
                return Err(format!("{target} received event {index} unredacted"));
            }
        }
    }
    Ok(())
}

/// Each event has one idempotency key, which no other event of the target has.
fn check_keys(target: &str, events: &BTreeMap<usize, ReceivedEvent>) -> Result<(), String> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, event) in events {
        let keys: Vec<&String> = event.idempotency_keys.iter().collect();
        let [key] = keys[..] else {
            return Err(format!(
                "{target} received event {index} with several idempotency keys: {keys:?}"
            ));
        };
        if key.is_empty() {
            return Err(format!("{target} received event {index} without an idempotency key"));
        }
        if let Some(other) = seen.insert(key, *index) {
            return Err(format!(
                "{target} received events {other} and {index} with the same idempotency key"
            ));
        }
    }
    Ok(())
}
