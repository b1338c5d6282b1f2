//! The alerts of the reputation monitor.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::compare::same;
use crate::aws::{ALARM_TOPIC_ARN, DELIVERY_QUEUE_URL, ReceivedMessage};
use crate::model::{AlertKey, Expected, ExpectedAlert, figures_at};

/// An alert id: `OWNER/ACCOUNT/IDENTITY/WINDOW/MEASURE/LEVEL/SINCE`.
struct AlertId<'a> {
    sender: &'a str,
    window: &'a str,
    measure: &'a str,
    level: &'a str,
    since: Timestamp,
}

impl<'a> AlertId<'a> {
    fn read(id: &'a str) -> Option<Self> {
        let mut parts = id.rsplitn(5, '/');
        let since = parts.next()?.parse().ok()?;
        let (level, measure, window, sender) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            sender,
            window,
            measure,
            level,
            since,
        })
    }
}

/// While events arrive, an alert never says more than what was published.
///
/// # Errors
/// The alert.
pub fn check_alerts_are_true(received: &[ReceivedMessage], published: &Expected) -> Result<(), String> {
    for message in received.iter().filter(|message| message.target == ALARM_TOPIC_ARN) {
        let id = AlertId::read(&message.idempotency_key)
            .ok_or_else(|| format!("an alert without a readable id: {message:?}"))?;
        let (count, _) = figures_at(published, (id.sender, id.window, id.measure), id.since);
        if id.level != "normal" && count == 0 {
            return Err(format!("an alert about nothing: {}", message.idempotency_key));
        }
    }
    Ok(())
}

/// Topic and queue received each expected alert under one id, with the figures of the model, and no other alert.
///
/// # Errors
/// The difference.
pub fn check_alerts(received: &[ReceivedMessage], expected: &BTreeMap<AlertKey, ExpectedAlert>) -> Result<(), String> {
    let ids_of = |target: &str| -> BTreeSet<String> {
        let of_target = received.iter().filter(|message| message.target == target);
        of_target.map(alert_id).collect()
    };
    let (published, enqueued) = (ids_of(ALARM_TOPIC_ARN), ids_of(DELIVERY_QUEUE_URL));
    same("ids of alerts, in the topic and in the queue", &published, &enqueued)?;
    let mut found: BTreeMap<(String, String, String), BTreeSet<String>> = BTreeMap::new();
    for id in &published {
        let read = AlertId::read(id).ok_or_else(|| format!("an alert without a readable id: {id}"))?;
        let key = (read.sender.to_owned(), read.window.to_owned(), read.measure.to_owned());
        found.entry(key).or_default().insert(id.clone());
    }
    let wanted: BTreeSet<(String, String, String)> = expected
        .keys()
        .map(|(sender, window, measure)| (sender.clone(), (*window).to_owned(), (*measure).to_owned()))
        .collect();
    same("crossings with an alert", &found.keys().cloned().collect(), &wanted)?;
    for (key, ids) in &found {
        if ids.len() != 1 {
            return Err(format!("one crossing of {key:?} has several alert ids: {ids:?}"));
        }
    }
    for message in received.iter().filter(|message| message.target == DELIVERY_QUEUE_URL) {
        check_figures(message, expected)?;
    }
    Ok(())
}

fn check_figures(message: &ReceivedMessage, expected: &BTreeMap<AlertKey, ExpectedAlert>) -> Result<(), String> {
    let body: Value = serde_json::from_str(&message.body).expect("an alert in JSON");
    let id = alert_id(message);
    let read = AlertId::read(&id).ok_or_else(|| format!("an alert without a readable id: {id}"))?;
    let wanted = expected.iter().find(|((sender, window, measure), _)| {
        sender == read.sender && *window == read.window && *measure == read.measure
    });
    let number = |name: &str| body[name].as_u64().and_then(|number| usize::try_from(number).ok());
    let found = (read.level, number("count"), number("recipients"));
    let wanted = wanted.map(|(_, alert)| (alert.level, Some(alert.count), Some(alert.volume)));
    same(&format!("level and figures of alert {id}"), &Some(found), &wanted)
}

/// The id of an alert: an attribute of a message to the topic, a field of a message in the queue.
fn alert_id(message: &ReceivedMessage) -> String {
    if message.target == ALARM_TOPIC_ARN {
        return message.idempotency_key.clone();
    }
    let body: Value = serde_json::from_str(&message.body).expect("an alert in JSON");
    body["alertId"].as_str().unwrap_or_default().to_owned()
}
