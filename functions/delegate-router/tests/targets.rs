//! Deliveries to targets that accept, reject or fail, through the clients of the SDK with mocked responses.
mod support;

use std::sync::Arc;

use aws_smithy_mocks::mock;
use lambda_kit::Metrics;
use serde_json::{Value, json};
use store::Redaction;
use support::{A, B, DEAD_LETTER_QUEUE, DELIVERY_QUEUE, OWNER, Stack, UNROUTED_TOPIC, now, route, senders, sqs_event};

const QUEUE_ARN: &str = "arn:aws:sqs:us-east-1:111122223333:postroom-router";
const OWNERS_QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/owner-feedback";
const A_TOPIC: &str = "arn:aws:sns:eu-west-1:222233334444:a-feedback";
const B_TOPIC: &str = "arn:aws:sns:us-east-1:333344445555:b-feedback";
const B_BUS: &str = "arn:aws:events:us-east-1:333344445555:event-bus/mail";

fn bounce(message_id: &str, account: &str) -> String {
    json!({
        "notificationType": "Bounce",
        "bounce": {"bounceType": "Permanent", "bounceSubType": "General", "timestamp": "2026-03-02T08:15:32.000Z",
                   "bouncedRecipients": [{"emailAddress": "jane@example.net", "status": "5.1.1"}]},
        "mail": {"timestamp": "2026-03-02T08:15:30.000Z", "messageId": message_id, "source": "news@shop.example",
                 "sourceArn": format!("arn:aws:ses:us-east-1:{OWNER}:identity/shop.example"),
                 "sendingAccountId": account, "destination": ["jane@example.net", "joe@example.net"]},
    })
    .to_string()
}

async fn route_all(stack: &Stack, bodies: &[String]) -> Value {
    stack
        .handle(&sqs_event(QUEUE_ARN, bodies), &mut Metrics::default(), now())
        .await
}

/// The targets that received a message.
fn receivers(stack: &Stack) -> Vec<String> {
    stack.sent().into_iter().map(|sent| sent.to).collect()
}

#[tokio::test]
async fn a_bounce_of_a_delegate_reaches_only_the_delegate_and_the_owner() {
    let stack = Stack::with_routes().await;
    route_all(&stack, &[bounce("m1", A)]).await;
    assert_eq!(stack.deliver_queued(&mut Metrics::default()).await, 0);
    assert_eq!(receivers(&stack), [A_TOPIC, OWNERS_QUEUE]);
    assert_eq!(
        stack.sent_to(OWNERS_QUEUE)[0].body,
        bounce("m1", A),
        "unredacted is the text of SES"
    );
    assert!(!stack.sent_to(A_TOPIC)[0].body.contains("joe@example.net"));
    assert_eq!(stack.digest_items("ops@shop.example").await.len(), 1);
}

#[tokio::test]
async fn a_permanently_rejected_delivery_is_dead_lettered_and_the_others_are_delivered() {
    for code in ["AuthorizationError", "NotFound", "InvalidParameter"] {
        let stack = Stack::with_routes().await;
        stack.reject("a-feedback", code);
        route_all(&stack, &[bounce("m1", A)]).await;
        let mut metrics = Metrics::default();
        assert_eq!(
            stack.deliver_queued(&mut metrics).await,
            0,
            "a dead-lettered delivery is acknowledged"
        );
        assert_eq!(receivers(&stack), [OWNERS_QUEUE, DEAD_LETTER_QUEUE]);
        let dead_lettered = &stack.sent_to(DEAD_LETTER_QUEUE)[0];
        assert_eq!(dead_lettered.attributes["reason"], format!("{code}: no entry"));
        assert_eq!(dead_lettered.attributes["target"], format!("topic:{A_TOPIC}"));

        // An operator corrects the topic and moves the message back to the delivery queue.
        stack.accept("a-feedback");
        stack.services.lock().unwrap().queued.push(dead_lettered.body.clone());
        assert_eq!(stack.deliver_queued(&mut metrics).await, 0);
        assert_eq!(receivers(&stack), [A_TOPIC, OWNERS_QUEUE, DEAD_LETTER_QUEUE]);
        let dead_lettered = metrics
            .lines(delegate_router::metrics::NAMESPACE, now())
            .into_iter()
            .filter(|line| line["DeadLettered"] == 1);
        assert_eq!(
            dead_lettered.map(|line| line["Target"].clone()).collect::<Vec<_>>(),
            ["topic"]
        );
    }
}

#[tokio::test]
async fn a_target_that_fails_temporarily_is_retried_alone() {
    let stack = Stack::with_routes().await;
    stack.reject("a-feedback", "Throttled");
    route_all(&stack, &[bounce("m1", A)]).await;
    assert_eq!(stack.deliver_queued(&mut Metrics::default()).await, 1);
    assert_eq!(
        receivers(&stack),
        [OWNERS_QUEUE],
        "a temporary failure is not dead-lettered"
    );
    assert_eq!(stack.deliver_queued(&mut Metrics::default()).await, 1);
    stack.accept("a-feedback");
    assert_eq!(stack.deliver_queued(&mut Metrics::default()).await, 0);
    assert_eq!(receivers(&stack), [A_TOPIC, OWNERS_QUEUE], "the owner received it once");
}

#[tokio::test]
async fn a_delivery_that_the_dead_letter_queue_does_not_accept_is_retried() {
    let stack = Stack::with_routes().await;
    stack.reject("a-feedback", "NotFound");
    stack.reject(DEAD_LETTER_QUEUE, "InternalError");
    route_all(&stack, &[bounce("m1", A)]).await;
    assert_eq!(stack.deliver_queued(&mut Metrics::default()).await, 1);
}

#[tokio::test]
async fn a_bus_can_reject_an_entry_of_an_accepted_request() {
    for (code, dead_lettered, failed) in [
        ("ResourceNotFoundException", 1, 0),
        ("AccessDeniedException", 1, 0),
        ("InternalFailure", 0, 1),
        ("ThrottlingException", 0, 1),
    ] {
        let stack = Stack::with_routes().await;
        stack.reject("event-bus/mail", code);
        route_all(&stack, &[bounce("m1", B)]).await;
        assert_eq!(stack.deliver_queued(&mut Metrics::default()).await, failed, "{code}");
        assert_eq!(stack.sent_to(DEAD_LETTER_QUEUE).len(), dead_lettered, "{code}");
        assert_eq!(stack.sent_to(B_TOPIC).len(), 1, "{code}");
        stack.accept("event-bus/mail");
        stack.deliver_queued(&mut Metrics::default()).await;
        assert_eq!(stack.sent_to(B_BUS).len(), failed, "{code}");
    }
}

#[tokio::test]
async fn a_notification_is_acknowledged_only_after_all_its_deliveries_are_enqueued() {
    let stack = Stack::with_routes().await;
    stack.reject("entry:m2", "InternalError");
    let bodies: Vec<String> = (0..9).map(|number| bounce(&format!("m{number}"), A)).collect();
    let response = route_all(&stack, &bodies).await;
    assert_eq!(response, json!({"batchItemFailures": [{"itemIdentifier": "2"}]}));
    assert_eq!(stack.services.lock().unwrap().queued.len(), 3 * 8);
    assert_eq!(
        stack.services.lock().unwrap().batches,
        3,
        "the notifications of a batch share requests"
    );

    stack.reject(DELIVERY_QUEUE, "ServiceUnavailable");
    let response = route_all(&stack, &bodies).await;
    assert_eq!(response["batchItemFailures"].as_array().map(Vec::len), Some(9));
}

#[tokio::test]
async fn a_notification_that_cannot_be_published_as_unrouted_is_retried() {
    let stack = Stack::with_routes().await;
    stack.reject("postroom-unrouted", "InternalError");
    let unknown_owner = bounce("m1", A).replace(OWNER, "999900001111");
    let response = route_all(&stack, &[unknown_owner.clone(), bounce("m2", A)]).await;
    assert_eq!(response, json!({"batchItemFailures": [{"itemIdentifier": "0"}]}));
    stack.accept("postroom-unrouted");
    assert_eq!(
        route_all(&stack, std::slice::from_ref(&unknown_owner)).await,
        json!({"batchItemFailures": []})
    );
    let unrouted = &stack.sent_to(UNROUTED_TOPIC)[0];
    assert_eq!(unrouted.body, unknown_owner);
    assert_eq!(unrouted.attributes["reason"], "no-route");
}

#[tokio::test]
async fn a_batch_reads_the_routes_with_one_request_and_then_from_the_cache() {
    let stack = Stack::with_routes().await;
    let bodies: Vec<String> = (0..30)
        .map(|number| bounce(&format!("m{number}"), [A, B, OWNER][number % 3]))
        .collect();
    route_all(&stack, &bodies).await;
    assert_eq!(stack.requests.take(), [("BatchGetItem".to_owned(), 1)].into());
    let unknown_owners: Vec<String> = bodies.iter().map(|body| body.replace(OWNER, "999900001111")).collect();
    route_all(&stack, &unknown_owners).await;
    assert_eq!(stack.requests.take(), [("BatchGetItem".to_owned(), 1)].into());
    route_all(&stack, &bodies).await;
    route_all(&stack, &unknown_owners).await;
    assert!(stack.requests.take().is_empty(), "keys without routes are cached too");

    let without_source_arn: Vec<String> = bodies
        .iter()
        .map(|body| {
            let mut body: Value = serde_json::from_str(body).unwrap();
            body["mail"].as_object_mut().unwrap().remove("sourceArn");
            body["mail"]["sendingAccountId"] = json!(A);
            body.to_string()
        })
        .collect();
    route_all(&stack, &without_source_arn).await;
    assert_eq!(
        stack.requests.take(),
        [("BatchGetItem".to_owned(), 1)].into(),
        "the identities of A"
    );
}

#[tokio::test]
async fn an_unreadable_row_fails_only_the_notifications_it_concerns() {
    let stack = Stack::with_routes().await;
    put_unreadable_route(&stack).await;
    let response = route_all(&stack, &[bounce("m1", A), bounce("m2", B)]).await;
    assert_eq!(response, json!({"batchItemFailures": [{"itemIdentifier": "0"}]}));
}

/// A route for mail of A with a target that cannot be read.
async fn put_unreadable_route(stack: &Stack) {
    let key = senders(Some(OWNER), Some(A), Some("shop.example"));
    let mut odd = route("odd", key, "bus:b", Redaction::None);
    odd.target = store::Target::Bus(String::new());
    stack.put_routes(vec![odd]).await;
}

#[tokio::test]
async fn fifo_targets_receive_the_idempotency_key_and_the_message_id_as_group() {
    let stack = Stack::new().await;
    let to = |target: &str| route(target, senders(Some(OWNER), None, None), target, Redaction::None);
    stack
        .put_routes(vec![
            to("topic:arn:aws:sns:us-east-1:111122223333:all.fifo"),
            to("queue:arn:aws:sqs:us-east-1:111122223333:all.fifo"),
        ])
        .await;
    route_all(&stack, &[bounce("0100-m1-000000", A)]).await;
    assert_eq!(stack.deliver_queued(&mut Metrics::default()).await, 0);
    for sent in stack.sent() {
        assert_eq!(sent.attributes["group"], "0100-m1-000000");
        assert_eq!(sent.attributes["deduplication"], sent.attributes["idempotencyKey"]);
    }
    assert_eq!(stack.sent().len(), 2);
}

#[tokio::test]
async fn deliveries_to_invalid_targets_are_dead_lettered() {
    for target in [
        "topic:t",
        "queue:arn:aws:sns:us-east-1:111122223333:t",
        "bus:default",
        "email:nobody",
    ] {
        let stack = Stack::new().await;
        stack
            .put_routes(vec![route(
                "odd",
                senders(Some(OWNER), None, None),
                target,
                Redaction::None,
            )])
            .await;
        route_all(&stack, &[bounce("m1", A)]).await;
        assert_eq!(stack.deliver_queued(&mut Metrics::default()).await, 0);
        assert_eq!(receivers(&stack), [DEAD_LETTER_QUEUE], "{target}");
    }
}

#[tokio::test]
async fn requests_go_to_the_region_of_the_target() {
    let stack = Stack::new().await;
    let to = |target: &str| route(target, senders(Some(OWNER), None, None), target, Redaction::None);
    stack
        .put_routes(vec![
            to("topic:arn:aws:sns:eu-west-1:222233334444:t"),
            to("queue:arn:aws:sqs:eu-west-2:222233334444:q"),
            to("bus:arn:aws:events:eu-west-3:222233334444:event-bus/b"),
        ])
        .await;
    route_all(&stack, &[bounce("m1", A)]).await;
    stack.deliver_queued(&mut Metrics::default()).await;
    let hosts: Vec<String> = stack.services.lock().unwrap().hosts.iter().cloned().collect();
    let expected = ["events.eu-west-3", "sns.eu-west-1", "sqs.eu-west-2", "sqs.us-east-1"];
    assert_eq!(hosts, expected.map(|host| format!("{host}.amazonaws.com")));
}

/// The responses of SNS as HTTP, read by the client of the SDK.
#[tokio::test]
async fn responses_of_sns_are_retried_or_dead_lettered_by_their_code() {
    let error = |code: &str| {
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
        )
    };
    let published = "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>";
    let cases = [
        (vec![(200, published.to_owned())], 1, 0, 0),
        (vec![(403, error("AuthorizationError"))], 1, 0, 1),
        (vec![(404, error("NotFound"))], 1, 0, 1),
        // The client does not retry this, so the queue does.
        (vec![(429, error("Throttled"))], 1, 1, 0),
        (
            vec![(503, error("ServiceUnavailable")), (200, published.to_owned())],
            2,
            0,
            0,
        ),
        (vec![(500, error("InternalError")); 3], 3, 1, 0),
    ];
    for (responses, calls, failed, dead_lettered) in cases {
        let mut sequence = mock!(aws_sdk_sns::Client::publish).sequence();
        for (status, body) in responses.clone() {
            sequence = sequence.http_status(status, Some(body));
        }
        let rule = sequence.build();
        let stack = Stack::with_topics(Arc::default(), &rule).await;
        let target = "topic:arn:aws:sns:us-east-1:222233334444:t";
        stack
            .put_routes(vec![route(
                "t",
                senders(Some(OWNER), None, None),
                target,
                Redaction::None,
            )])
            .await;
        route_all(&stack, &[bounce("m1", A)]).await;
        assert_eq!(
            stack.deliver_queued(&mut Metrics::default()).await,
            failed,
            "{responses:?}"
        );
        assert_eq!(stack.sent_to(DEAD_LETTER_QUEUE).len(), dead_lettered, "{responses:?}");
        assert_eq!(rule.num_calls(), calls, "{responses:?}");
    }
}
