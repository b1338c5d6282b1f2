//! Each request to DynamoDB fails once, before or after it takes effect, and the failed records are delivered again. The
//! table then has the same rows as without the fault.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod support;

use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use serde_json::{Value, json};
use store::testing::Fault;
use support::Stack;

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// A notification about a message to jane@example.net, `day` days after the start.
fn notification(day: i64, kind: &str, field: &str, object: Value) -> Value {
    let at = start() + SignedDuration::from_hours(24 * day);
    let mut object = object;
    object
        .as_object_mut()
        .unwrap()
        .insert("timestamp".to_owned(), json!(at.to_string()));
    json!({
        "eventType": kind, field: object,
        "mail": {
            "timestamp": at.to_string(), "messageId": format!("m{day}"), "destination": ["jane@example.net"],
            "sourceArn": "arn:aws:ses:us-east-1:111122223333:identity/shop.example",
            "sendingAccountId": "111122223333",
        },
    })
}

fn bounce(day: i64, kind: &str, sub_type: &str, status: &str) -> Value {
    let recipients = json!([{"emailAddress": "jane@example.net", "status": status, "action": "failed"}]);
    let object = json!({"bounceType": kind, "bounceSubType": sub_type, "bouncedRecipients": recipients});
    notification(day, "Bounce", "bounce", object)
}

fn delivery(day: i64) -> Value {
    notification(day, "Delivery", "delivery", json!({"recipients": ["jane@example.net"]}))
}

/// Batches in order: a streak, its end, and each other kind of write.
fn scenario() -> Vec<Vec<Value>> {
    let soft = |day| bounce(day, "Transient", "MailboxFull", "4.2.2");
    let complaint = |day, kind: &str| {
        let recipients = json!([{"emailAddress": "jane@example.net"}]);
        let object = json!({"complainedRecipients": recipients, "complaintFeedbackType": kind});
        notification(day, "Complaint", "complaint", object)
    };
    let topics = json!([{"topicName": "weekly", "subscriptionStatus": "OptOut"}]);
    let preferences = json!({"unsubscribeAll": false, "topicSubscriptionStatus": topics});
    vec![
        vec![soft(0), soft(1)],
        vec![soft(2), soft(3)],
        vec![soft(4)],
        vec![delivery(5), notification(6, "Send", "send", json!({}))],
        // Arrives before the soft bounces that it voids.
        vec![delivery(20)],
        vec![soft(15), soft(16), soft(17), soft(18), soft(19)],
        vec![complaint(21, "abuse"), complaint(22, "not-spam")],
        vec![notification(
            23,
            "Subscription",
            "subscription",
            json!({"contactList": "readers", "newTopicPreferences": preferences}),
        )],
        vec![
            bounce(24, "Permanent", "OnAccountSuppressionList", "5.1.1"),
            bounce(25, "Permanent", "NoEmail", "5.1.1"),
        ],
    ]
}

/// Delivers a batch as SQS does: the failed records, or all of them after an error, are delivered again.
async fn deliver(stack: &Stack, batch: &[Value]) {
    let mut pending: Vec<(String, &Value)> = batch
        .iter()
        .enumerate()
        .map(|(index, body)| (format!("record-{index}"), body))
        .collect();
    for _ in 0..3 {
        let record = |(id, body): &(String, &Value)| json!({"eventSource": "aws:sqs", "messageId": id, "body": body.to_string()});
        let event = json!({"Records": pending.iter().map(record).collect::<Vec<_>>()});
        let now = start() + SignedDuration::from_hours(24 * 40);
        let Ok(response) = feedback::handle(&event, &stack.effects, &mut Metrics::default(), now).await else {
            continue;
        };
        let failed = serde_json::to_value(&response).unwrap().to_string();
        pending.retain(|(id, _)| failed.contains(&format!("\"{id}\"")));
        if pending.is_empty() {
            return;
        }
    }
    assert!(
        pending.is_empty(),
        "a single fault allows all records within three deliveries"
    );
}

/// Returns the rows after the scenario and the number of requests. `None` if the fault did not occur.
async fn run(fault: Option<(Fault, usize)>) -> Option<(String, usize)> {
    let stack = Stack::new().await;
    if let Some((fault, after)) = fault {
        stack.requests.fail(fault, after);
    }
    for batch in scenario() {
        deliver(&stack, &batch).await;
    }
    if stack.requests.cancel_fault() {
        return None;
    }
    let requests = stack.requests.take().values().sum();
    Some((serde_json::to_string_pretty(&stack.rows().await).unwrap(), requests))
}

#[tokio::test]
async fn the_next_delivery_of_a_record_completes_a_failed_request() {
    let (expected, requests) = run(None).await.unwrap();
    assert!(
        expected.contains("\"domain:shop.example|streak\"") || expected.contains("#streak#"),
        "the scenario has no streak"
    );
    // Every request if POSTROOM_CASES is set. Each runs the whole scenario.
    let step = if std::env::var_os("POSTROOM_CASES").is_some() {
        1
    } else {
        3
    };
    let mut faults = 0;
    for fault in [Fault::RequestLost, Fault::ResponseLost] {
        for after in (0..requests).step_by(step) {
            let Some((found, _)) = run(Some((fault, after))).await else {
                break;
            };
            assert_eq!(found, expected, "{fault:?}, request {after}");
            faults += 1;
        }
    }
    assert!(faults * step > requests, "{faults} faults in {requests} requests");
}
