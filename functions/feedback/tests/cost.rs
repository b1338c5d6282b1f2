//! The number of requests to DynamoDB for typical batches.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod support;

use std::collections::BTreeMap;

use jiff::Timestamp;
use lambda_kit::Metrics;
use serde_json::{Value, json};
use support::Stack;

fn event(bodies: &[Value]) -> Value {
    let record = |(index, body): (usize, &Value)| json!({"eventSource": "aws:sqs", "messageId": format!("record-{index}"), "body": body.to_string()});
    json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()})
}

fn mail(message: usize, recipient: &str) -> Value {
    json!({
        "timestamp": "2026-03-02T08:15:30Z", "messageId": format!("m{message}"), "destination": [recipient],
        "source": "news@shop.example", "sendingAccountId": "111122223333",
        "sourceArn": "arn:aws:ses:us-east-1:111122223333:identity/shop.example",
    })
}

async fn cost(stack: &Stack, event: &Value) -> BTreeMap<String, usize> {
    let _ = stack.requests.take();
    let response = feedback::handle(event, &stack.effects, &mut Metrics::default(), Timestamp::now())
        .await
        .unwrap();
    assert_eq!(
        serde_json::to_value(&response).unwrap(),
        json!({"batchItemFailures": []})
    );
    stack.requests.take()
}

fn requests(expected: &[(&str, usize)]) -> BTreeMap<String, usize> {
    expected
        .iter()
        .map(|(operation, count)| ((*operation).to_owned(), *count))
        .collect()
}

#[tokio::test]
async fn a_hard_bounce_is_three_writes_and_no_read_and_one_more_in_five_minutes() {
    let stack = Stack::new().await;
    let bounce = event(&[json!({
        "notificationType": "Bounce", "mail": mail(1, "jane@example.net"),
        "bounce": {"bounceType": "Permanent", "bounceSubType": "NoEmail", "timestamp": "2026-03-02T08:15:32Z",
                   "bouncedRecipients": [{"emailAddress": "jane@example.net", "status": "5.1.1"}]},
    })]);
    let three = requests(&[("UpdateItem", 2), ("PutItem", 1)]);
    let four = requests(&[("UpdateItem", 3), ("PutItem", 1)]);
    assert_eq!(
        cost(&stack, &bounce).await,
        four,
        "the identity was not seen for five minutes"
    );
    assert_eq!(cost(&stack, &bounce).await, three, "a duplicate costs no more");
}

#[tokio::test]
async fn a_hundred_deliveries_are_two_writes_and_one_read() {
    let stack = Stack::new().await;
    let deliveries: Vec<Value> = (0..100)
        .map(|message| {
            let recipient = format!("user{message}@example.net");
            json!({
                "eventType": "Delivery", "mail": mail(message, &recipient),
                "delivery": {"timestamp": "2026-03-02T08:15:31Z", "recipients": [recipient]},
            })
        })
        .collect();
    let expected = requests(&[("PutItem", 2), ("BatchGetItem", 1)]);
    let first = requests(&[("PutItem", 2), ("BatchGetItem", 1), ("UpdateItem", 1)]);
    assert_eq!(
        cost(&stack, &event(&deliveries)).await,
        first,
        "the identity was not seen for five minutes"
    );
    assert_eq!(
        cost(&stack, &event(&deliveries)).await,
        expected,
        "a duplicate costs no more"
    );
}

#[tokio::test]
async fn a_hundred_sends_are_one_write() {
    let stack = Stack::new().await;
    let sends: Vec<Value> = (0..100)
        .map(|message| json!({"eventType": "Send", "send": {}, "mail": mail(message, "jane@example.net")}))
        .collect();
    let first = requests(&[("PutItem", 1), ("UpdateItem", 1)]);
    assert_eq!(
        cost(&stack, &event(&sends)).await,
        first,
        "the identity was not seen for five minutes"
    );
    assert_eq!(cost(&stack, &event(&sends)).await, requests(&[("PutItem", 1)]));
}

#[tokio::test]
async fn opens_and_set_up_messages_need_no_request() {
    let stack = Stack::new().await;
    let open = json!({"eventType": "Open", "open": {}, "mail": mail(1, "jane@example.net")});
    let setup = json!({"notificationType": "AmazonSnsSubscriptionSucceeded", "message": "..."});
    let event = event(&[open, setup]);
    let first = requests(&[("UpdateItem", 1)]);
    assert_eq!(
        cost(&stack, &event).await,
        first,
        "the identity was not seen for five minutes"
    );
    assert_eq!(cost(&stack, &event).await, requests(&[]));
}
