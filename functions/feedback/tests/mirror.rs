//! The requests to the suppression mirror. A failure to send them does not fail a record.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod support;

use std::sync::{Arc, Mutex};

use aws_sdk_sqs::operation::send_message::{SendMessageError, SendMessageOutput};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use feedback::effects::MirrorQueue;
use jiff::Timestamp;
use lambda_kit::Metrics;
use serde_json::{Value, json};
use support::Stack;

const RECIPIENT: &str = "Jane@example.net";

struct StackWithMirror {
    stack: Stack,
    sent: Arc<Mutex<Vec<Value>>>,
}

impl StackWithMirror {
    async fn new() -> Self {
        let sent: Arc<Mutex<Vec<Value>>> = Arc::default();
        let seen = sent.clone();
        let send = mock!(aws_sdk_sqs::Client::send_message).then_compute_output(move |request| {
            assert_eq!(request.queue_url(), Some("https://sqs.example/mirror"));
            let body = serde_json::from_str(request.message_body().unwrap()).unwrap();
            seen.lock().unwrap().push(body);
            SendMessageOutput::builder().build()
        });
        Self {
            stack: with_mirror(&send).await,
            sent,
        }
    }

    /// Handles notifications and returns the action, scope and reason of each request.
    async fn requests_after(&self, notifications: &[Value]) -> Vec<String> {
        handle(&self.stack, notifications).await;
        let sent = std::mem::take(&mut *self.sent.lock().unwrap());
        sent.iter()
            .map(|request| {
                assert_eq!(request["address"], RECIPIENT);
                format!("{} {} {}", request["action"], request["scope"], request["reason"]).replace('"', "")
            })
            .collect()
    }
}

async fn with_mirror(send: &Rule) -> Stack {
    let mut stack = Stack::new().await;
    let client = mock_client!(aws_sdk_sqs, RuleMode::MatchAny, [send]);
    stack.effects.mirror = Some(MirrorQueue::new(client, "https://sqs.example/mirror"));
    stack
}

async fn handle(stack: &Stack, notifications: &[Value]) -> Metrics {
    let mut metrics = Metrics::default();
    for notification in notifications {
        let body = notification.to_string();
        let event = json!({"Records": [{"eventSource": "aws:sqs", "messageId": "r", "body": body}]});
        let response = feedback::handle(&event, &stack.effects, &mut metrics, Timestamp::now()).await;
        assert_eq!(
            serde_json::to_value(response.unwrap()).unwrap(),
            json!({"batchItemFailures": []})
        );
    }
    metrics
}

fn mail(day: usize) -> Value {
    json!({
        "timestamp": at(day), "messageId": format!("m{day}"), "destination": [RECIPIENT],
        "source": "news@shop.example", "sendingAccountId": "111122223333",
        "sourceArn": "arn:aws:ses:us-east-1:111122223333:identity/shop.example",
        "tags": {"ses:tenant-name": ["acme"]},
    })
}

fn at(day: usize) -> String {
    format!("2026-03-{day:02}T08:00:00.000Z")
}

fn soft_bounces(days: std::ops::RangeInclusive<usize>) -> Vec<Value> {
    let bounce = |day| {
        json!({
            "eventType": "Bounce", "mail": mail(day),
            "bounce": {"bounceType": "Transient", "bounceSubType": "MailboxFull", "timestamp": at(day),
                       "bouncedRecipients": [{"emailAddress": RECIPIENT, "status": "4.2.2"}]},
        })
    };
    days.map(bounce).collect()
}

fn complaint(day: usize, kind: &str) -> Value {
    json!({
        "eventType": "Complaint", "mail": mail(day),
        "complaint": {"timestamp": at(day), "complaintFeedbackType": kind,
                      "complainedRecipients": [{"emailAddress": RECIPIENT}]},
    })
}

fn subscription(day: usize, opts_out: bool) -> Value {
    json!({
        "eventType": "Subscription", "mail": mail(day),
        "subscription": {
            "contactList": "news", "timestamp": at(day), "source": "UnsubscribeHeader",
            "newTopicPreferences": {
                "unsubscribeAll": opts_out,
                "topicSubscriptionStatus": [{"topicName": "offers", "subscriptionStatus": "OptOut"}],
            },
            "oldTopicPreferences": {"unsubscribeAll": !opts_out, "topicSubscriptionStatus": []},
        },
    })
}

#[tokio::test]
async fn a_streak_and_its_recovery_are_mirrored() {
    let mirrored = StackWithMirror::new().await;
    assert!(mirrored.requests_after(&soft_bounces(1..=4)).await.is_empty());
    assert_eq!(
        mirrored.requests_after(&soft_bounces(5..=5)).await,
        ["put tenant:acme BOUNCE"]
    );
    let delivery = json!({
        "eventType": "Delivery", "mail": mail(6), "delivery": {"timestamp": at(6), "recipients": [RECIPIENT]},
    });
    assert_eq!(
        mirrored.requests_after(&[delivery]).await,
        ["delete tenant:acme BOUNCE"]
    );
}

#[tokio::test]
async fn bounces_and_complaints_are_not_mirrored_but_a_withdrawn_complaint_is() {
    let mirrored = StackWithMirror::new().await;
    let hard = json!({
        "eventType": "Bounce", "mail": mail(1),
        "bounce": {"bounceType": "Permanent", "bounceSubType": "NoEmail", "timestamp": at(1),
                   "bouncedRecipients": [{"emailAddress": RECIPIENT, "status": "5.1.1"}]},
    });
    assert!(mirrored.requests_after(&[hard, complaint(2, "abuse")]).await.is_empty());
    assert_eq!(
        mirrored.requests_after(&[complaint(3, "not-spam")]).await,
        ["delete tenant:acme COMPLAINT"]
    );
}

#[tokio::test]
async fn opt_outs_of_whole_lists_are_mirrored_only_if_configured() {
    let mut mirrored = StackWithMirror::new().await;
    assert!(
        mirrored
            .requests_after(&[subscription(1, true), subscription(2, false)])
            .await
            .is_empty()
    );
    mirrored.stack.effects.policy.mirror_unsubscribes = true;
    assert_eq!(
        mirrored.requests_after(&[subscription(3, true)]).await,
        ["put tenant:acme COMPLAINT"]
    );
    assert_eq!(
        mirrored.requests_after(&[subscription(4, false)]).await,
        ["delete tenant:acme COMPLAINT"]
    );
}

#[tokio::test]
async fn a_failure_of_the_queue_is_counted_and_fails_no_record() {
    let send = mock!(aws_sdk_sqs::Client::send_message).then_error(|| {
        SendMessageError::QueueDoesNotExist(aws_sdk_sqs::types::error::QueueDoesNotExist::builder().build())
    });
    let stack = with_mirror(&send).await;
    let metrics = handle(&stack, &[complaint(1, "abuse"), complaint(2, "not-spam")]).await;
    assert_eq!(send.num_calls(), 1);
    let lines = metrics.lines(feedback::metrics::NAMESPACE, Timestamp::now());
    assert!(lines.iter().any(|line| line["MirrorFailures"] == 1), "{lines:?}");
    assert!(
        handle(&stack, &soft_bounces(1..=1))
            .await
            .lines(feedback::metrics::NAMESPACE, Timestamp::now())
            .iter()
            .all(|line| line.get("MirrorFailures").is_none())
    );
}
