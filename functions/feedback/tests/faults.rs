//! Every request to DynamoDB fails once, before or after it takes effect; the records that failed are delivered again. What
//! is left is what no fault would have left.
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

/// A notification about mail to jane, `day` days after the start.
fn about(day: i64, kind: &str, field: &str, object: Value) -> Value {
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
    about(day, "Bounce", "bounce", object)
}

fn delivery(day: i64) -> Value {
    about(day, "Delivery", "delivery", json!({"recipients": ["jane@example.net"]}))
}

/// Batches in their order: a streak, its end, and one of everything else that writes.
fn story() -> Vec<Vec<Value>> {
    let soft = |day| bounce(day, "Transient", "MailboxFull", "4.2.2");
    let complaint = |day, kind: &str| {
        let recipients = json!([{"emailAddress": "jane@example.net"}]);
        let object = json!({"complainedRecipients": recipients, "complaintFeedbackType": kind});
        about(day, "Complaint", "complaint", object)
    };
    let topics = json!([{"topicName": "weekly", "subscriptionStatus": "OptOut"}]);
    let wanted = json!({"unsubscribeAll": false, "topicSubscriptionStatus": topics});
    vec![
        vec![soft(0), soft(1)],
        vec![soft(2), soft(3)],
        vec![soft(4)],
        vec![delivery(5), about(6, "Send", "send", json!({}))],
        // In before the soft bounces that it makes void, and before they complete a streak.
        vec![delivery(20)],
        vec![soft(15), soft(16), soft(17), soft(18), soft(19)],
        vec![complaint(21, "abuse"), complaint(22, "not-spam")],
        vec![about(
            23,
            "Subscription",
            "subscription",
            json!({"contactList": "readers", "newTopicPreferences": wanted}),
        )],
        vec![
            bounce(24, "Permanent", "OnAccountSuppressionList", "5.1.1"),
            bounce(25, "Permanent", "NoEmail", "5.1.1"),
        ],
    ]
}

/// Delivers a batch as SQS does: what failed, or everything after an error, comes again.
async fn deliver(stack: &Stack, batch: &[Value]) {
    let mut left: Vec<(String, &Value)> = batch
        .iter()
        .enumerate()
        .map(|(index, body)| (format!("record-{index}"), body))
        .collect();
    for _ in 0..3 {
        let record = |(id, body): &(String, &Value)| json!({"eventSource": "aws:sqs", "messageId": id, "body": body.to_string()});
        let event = json!({"Records": left.iter().map(record).collect::<Vec<_>>()});
        let now = start() + SignedDuration::from_hours(24 * 40);
        let Ok(response) = feedback::handle(&event, &stack.effects, &mut Metrics::default(), now).await else {
            continue;
        };
        let failed = serde_json::to_value(&response).unwrap().to_string();
        left.retain(|(id, _)| failed.contains(&format!("\"{id}\"")));
        if left.is_empty() {
            return;
        }
    }
    assert!(left.is_empty(), "one fault is over after three deliveries");
}

/// What the table holds after the story, and how many requests it took; `None` when the fault never struck.
async fn told(fault: Option<(Fault, usize)>) -> Option<(String, usize)> {
    let stack = Stack::new().await;
    if let Some((fault, after)) = fault {
        stack.requests.fail(fault, after);
    }
    for batch in story() {
        deliver(&stack, &batch).await;
    }
    if stack.requests.cancel_fault() {
        return None;
    }
    let requests = stack.requests.take().values().sum();
    Some((serde_json::to_string_pretty(&stack.rows().await).unwrap(), requests))
}

#[tokio::test]
async fn a_failed_request_is_made_good_by_the_next_delivery() {
    let (expected, requests) = told(None).await.unwrap();
    assert!(
        expected.contains("\"domain:shop.example|streak\"") || expected.contains("#streak#"),
        "a streak was told"
    );
    // All of them on request: each is a story of its own.
    let step = if std::env::var_os("POSTROOM_CASES").is_some() {
        1
    } else {
        3
    };
    let mut faults = 0;
    for fault in [Fault::RequestLost, Fault::ResponseLost] {
        for after in (0..requests).step_by(step) {
            let Some((found, _)) = told(Some((fault, after))).await else {
                break;
            };
            assert_eq!(found, expected, "{fault:?}, request {after}");
            faults += 1;
        }
    }
    assert!(faults * step > requests, "{faults} faults in {requests} requests");
}
