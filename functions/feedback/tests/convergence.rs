//! Notifications that are duplicated, reordered and batched in any way result in the same rows as in order and once.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use notification_model::EmailAddress;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use store::{EventKind, Sender, SenderContext};
use support::Stack;

/// An event of one of a few recipients, within two months.
#[derive(Debug, Clone)]
struct ScenarioEvent {
    message: u32,
    recipient: u8,
    hour: u32,
    kind: Kind,
    /// Whether the topic of the configuration set, of the identity, or both report it.
    reported_by: ReportedBy,
}

#[derive(Debug, Clone, Copy)]
enum ReportedBy {
    Identity,
    ConfigurationSet,
    Both,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Hard,
    Unconfirmed,
    Soft,
    SuppressedBySes,
    Complaint,
    NotSpam,
    Delivery,
    Send,
    Unsubscribe,
    Subscribe,
}

fn event() -> impl Strategy<Value = ScenarioEvent> {
    use Kind::{Complaint, Delivery, Hard, NotSpam, Send, Soft, Subscribe, SuppressedBySes, Unconfirmed, Unsubscribe};
    // Mostly soft bounces, so that streaks complete, with now and then something else between them.
    let kind = prop_oneof![
        12 => Just(Soft),
        2 => Just(Delivery),
        1 => prop::sample::select(vec![Hard, Unconfirmed, SuppressedBySes, Complaint, NotSpam, Send, Unsubscribe, Subscribe]),
    ];
    let reported_by = prop::sample::select(vec![
        ReportedBy::Identity,
        ReportedBy::ConfigurationSet,
        ReportedBy::Both,
    ]);
    (0..1000u32, 0..2u8, 0..900u32, kind, reported_by).prop_map(|(message, recipient, hour, kind, reported_by)| {
        ScenarioEvent {
            message,
            recipient,
            hour,
            kind,
            reported_by,
        }
    })
}

const RECIPIENTS: [&str; 2] = ["jane@example.net", "joe@example.net"];

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn bodies(event: &ScenarioEvent) -> Vec<Value> {
    let at = (start() + SignedDuration::from_hours(event.hour.into())).to_string();
    let recipient = RECIPIENTS[usize::from(event.recipient)];
    let mail = json!({
        "timestamp": at, "messageId": format!("m{}", event.message), "destination": [recipient],
        "source": "news@shop.example", "sendingAccountId": "111122223333",
        "sourceArn": "arn:aws:ses:us-east-1:111122223333:identity/shop.example",
    });
    let bounce = |kind: &str, sub_type: &str, status: &str| {
        let recipients = json!([{"emailAddress": recipient, "status": status, "action": "failed"}]);
        (
            "bounce",
            "Bounce",
            json!({"bounceType": kind, "bounceSubType": sub_type, "timestamp": at, "bouncedRecipients": recipients}),
        )
    };
    let complaint = |kind: &str| {
        let recipients = json!([{"emailAddress": recipient}]);
        (
            "complaint",
            "Complaint",
            json!({"timestamp": at, "complainedRecipients": recipients, "complaintFeedbackType": kind}),
        )
    };
    let topic = |status: &str| {
        let topics = json!([{"topicName": "weekly", "subscriptionStatus": status}]);
        let wanted = json!({"unsubscribeAll": status == "OptOut", "topicSubscriptionStatus": topics});
        (
            "subscription",
            "Subscription",
            json!({"contactList": "readers", "timestamp": at, "newTopicPreferences": wanted}),
        )
    };
    let (field, name, object) = match event.kind {
        Kind::Hard => bounce("Permanent", "NoEmail", "5.1.1"),
        Kind::Unconfirmed => bounce("Permanent", "General", "5.0.0"),
        Kind::Soft => bounce("Transient", "MailboxFull", "4.2.2"),
        Kind::SuppressedBySes => bounce("Permanent", "OnAccountSuppressionList", "5.1.1"),
        Kind::Complaint => complaint("abuse"),
        Kind::NotSpam => complaint("not-spam"),
        Kind::Delivery => (
            "delivery",
            "Delivery",
            json!({"timestamp": at, "recipients": [recipient]}),
        ),
        Kind::Send => ("send", "Send", json!({})),
        Kind::Unsubscribe => topic("OptOut"),
        Kind::Subscribe => topic("OptIn"),
    };
    let from_identity = json!({"notificationType": name, field: object, "mail": mail});
    let mut tagged = mail.clone();
    tagged["tags"] = json!({"ses:configuration-set": ["campaigns"]});
    let from_set = json!({"eventType": name, field: object, "mail": tagged});
    let only_events = !matches!(name, "Bounce" | "Complaint" | "Delivery");
    match event.reported_by {
        ReportedBy::Identity if !only_events => vec![from_identity],
        ReportedBy::Both if !only_events => vec![from_identity, from_set],
        _ => vec![from_set],
    }
}

async fn deliver(stack: &Stack, bodies: &[Value], batch_size: usize) {
    let now = start() + SignedDuration::from_hours(901);
    for chunk in bodies.chunks(batch_size) {
        let record = |(index, body): (usize, &Value)| json!({"eventSource": "aws:sqs", "messageId": format!("record-{index}"), "body": body.to_string()});
        let event = json!({"Records": chunk.iter().enumerate().map(record).collect::<Vec<_>>()});
        let response = feedback::handle(&event, &stack.effects, &mut Metrics::default(), now)
            .await
            .unwrap();
        assert_eq!(
            serde_json::to_value(&response).unwrap(),
            json!({"batchItemFailures": []})
        );
    }
}

/// What users of the table see: results of checks over time, suppression entries, history and counts.
#[derive(Debug, PartialEq)]
struct Observed {
    checks: Vec<(String, Vec<String>)>,
    entries: BTreeMap<String, Value>,
    history: BTreeMap<String, Value>,
    counts: BTreeMap<String, Vec<u64>>,
}

async fn observe(stack: &Stack) -> Observed {
    let context = SenderContext {
        identity: Some("shop.example".into()),
        topic: Some("readers/weekly".into()),
        ..SenderContext::default()
    };
    let addresses: Vec<_> = RECIPIENTS
        .iter()
        .map(|text| EmailAddress::parse(text).unwrap())
        .collect();
    let rows = stack.effects.store.recipients(&addresses).await.unwrap();
    let mut checks = Vec::new();
    for day in 0..200 {
        let now = start() + SignedDuration::from_hours(24 * day);
        for (address, row) in rows.iter().collect::<BTreeMap<_, _>>() {
            let active = row.active_for(&context, now).into_iter();
            let active = active.map(|active| format!("{}|{} {}", active.scope, active.source, active.entry.id));
            checks.push((format!("{now} {address}"), active.collect()));
        }
    }
    let mut entries = BTreeMap::new();
    let mut history = BTreeMap::new();
    for (key, mut row) in stack.rows().await {
        if key.ends_with("/ SUPPRESSION") {
            // The stored bounces and deliveries may differ: a row may not have a delivery that voids a bounce.
            row.as_object_mut().unwrap().retain(|name, _| {
                !["|soft", "|unconfirmed", "|delivered"]
                    .iter()
                    .any(|end| name.ends_with(end))
            });
            entries.insert(key, row);
        } else if key.starts_with("RECIPIENT#")
            && !["#streak#", "#unconfirmed-bounce#", "#recovered#"]
                .iter()
                .any(|kind| key.contains(kind))
        {
            // History entries of a streak depend on the order of the events; those of the events do not.
            history.insert(key, row);
        }
    }
    let sender = Sender {
        owner: "111122223333".into(),
        account: "111122223333".into(),
        identity: "shop.example".into(),
    };
    let mut counts = BTreeMap::new();
    for day in 1..40 {
        let now = start() + SignedDuration::from_hours(24 * day);
        let rates = stack.effects.store.sender_rates(&sender, now).await.unwrap();
        let all = [
            EventKind::Send,
            EventKind::Delivery,
            EventKind::Hard,
            EventKind::Soft,
            EventKind::Complaint,
        ];
        for (stream, of_stream) in &rates.day_by_stream {
            counts.insert(
                format!("{now} {stream:?}"),
                all.map(|kind| of_stream.get(kind)).to_vec(),
            );
        }
    }
    Observed {
        checks,
        entries,
        history,
        counts,
    }
}

/// Bounces of one recipient and some deliveries: enough for a streak, for a delivery that arrives first, and for messages
/// that bounce after they were delivered.
fn streak() -> impl Strategy<Value = Vec<ScenarioEvent>> {
    let kind = prop_oneof![9 => Just(Kind::Soft), 1 => Just(Kind::Unconfirmed)];
    let bounce = (0..1000u32, 0..200u32, kind);
    let delivery = (0..1000u32, 0..200u32).prop_map(|(message, hour)| (message, hour, Kind::Delivery));
    // Hours before the bounce of the same message. Negative: afterwards.
    let of_bounced = (0..9usize, -5..20i32);
    (
        prop::collection::vec(bounce, 5..9),
        prop::collection::vec(delivery, 0..3),
        prop::collection::vec(of_bounced, 0..5),
    )
        .prop_map(|(bounces, deliveries, of_bounced)| {
            let accepted = of_bounced.into_iter().filter_map(|(index, before)| {
                let (message, hour, _) = bounces.get(index)?;
                Some((*message, hour.saturating_add_signed(-before), Kind::Delivery))
            });
            let event = |(message, hour, kind)| ScenarioEvent {
                message,
                recipient: 0,
                hour,
                kind,
                reported_by: ReportedBy::Identity,
            };
            let all = bounces.iter().copied().chain(deliveries).chain(accepted);
            all.map(event).collect()
        })
}

/// All notifications once and some again, in any order.
fn in_any_order(once: &[Value]) -> BoxedStrategy<Vec<Value>> {
    let all = once.to_vec();
    prop::collection::vec(0..all.len(), 0..all.len())
        .prop_map(move |copies| {
            all.iter()
                .cloned()
                .chain(copies.iter().map(|copy| all[*copy].clone()))
                .collect()
        })
        .prop_shuffle()
        .boxed()
}

/// Deliveries first, when no recipient has a row; the other notifications in any order.
fn deliveries_first(once: &[Value]) -> BoxedStrategy<Vec<Value>> {
    let (first, rest): (Vec<Value>, Vec<Value>) = once.iter().cloned().partition(|body| body.get("delivery").is_some());
    Just(rest)
        .prop_shuffle()
        .prop_map(move |rest| first.iter().cloned().chain(rest).collect())
        .boxed()
}

fn converges(
    events: impl Strategy<Value = Vec<ScenarioEvent>>,
    arrange: fn(&[Value]) -> BoxedStrategy<Vec<Value>>,
    default_cases: u32,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let cases = std::env::var("POSTROOM_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default_cases);
    let config = ProptestConfig {
        cases,
        max_shrink_iters: 60,
        ..ProptestConfig::default()
    };
    let strategy = events.prop_flat_map(move |events| {
        let mut ordered = events.clone();
        ordered.sort_by_key(|event| (event.hour, event.message));
        let once: Vec<Value> = ordered.iter().flat_map(bodies).collect();
        let arranged = arrange(&once);
        (Just(once), arranged, 1..12usize)
    });
    TestRunner::new(config)
        .run(
            &strategy,
            |(once, shuffled, batch_size): (Vec<Value>, Vec<Value>, usize)| {
                let (expected, found) = runtime.block_on(async {
                    let (in_order, in_disorder) = (Stack::new().await, Stack::new().await);
                    deliver(&in_order, &once, 1).await;
                    deliver(&in_disorder, &shuffled, batch_size).await;
                    (observe(&in_order).await, observe(&in_disorder).await)
                });
                prop_assert_eq!(&found.checks, &expected.checks);
                prop_assert_eq!(found, expected);
                Ok(())
            },
        )
        .unwrap();
}

#[test]
fn order_duplicates_and_batches_do_not_change_the_result() {
    converges(prop::collection::vec(event(), 1..40), in_any_order, 40);
}

#[test]
fn order_does_not_change_a_streak() {
    converges(streak(), in_any_order, 60);
}

#[test]
fn a_delivery_that_arrives_before_older_soft_bounces_voids_them() {
    converges(streak(), deliveries_first, 60);
}
