//! From notifications to the digest, which is sent once.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod support;

use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use serde_json::{Value, json};
use support::{A, B, OWNER, Stack, now, sqs_event};

const QUEUE_ARN: &str = "arn:aws:sqs:us-east-1:111122223333:postroom-router";
const OPS: &str = "ops@shop.example";

fn notification(number: usize, account: &str, kind: &str, object: Value) -> String {
    let recipient = format!("reader{number}@example.net");
    json!({
        "notificationType": kind,
        kind.to_lowercase(): object,
        "mail": {"timestamp": "2026-03-02T08:15:30.000Z", "messageId": format!("m{number}"),
                 "source": "news@shop.example", "sendingAccountId": account, "destination": [recipient],
                 "sourceArn": format!("arn:aws:ses:us-east-1:{OWNER}:identity/shop.example")},
    })
    .to_string()
}

fn bounce(number: usize, account: &str, bounce_type: &str, diagnostic: &str) -> String {
    let recipients = json!([{"emailAddress": format!("reader{number}@example.net"), "diagnosticCode": diagnostic}]);
    let object = json!({"bounceType": bounce_type, "bounceSubType": "General", "timestamp": "2026-03-02T08:15:32Z",
                        "bouncedRecipients": recipients});
    notification(number, account, "Bounce", object)
}

fn complaint(number: usize, account: &str) -> String {
    let recipients = json!([{"emailAddress": "joe@example.net"}, {"emailAddress": "jane@example.net"}]);
    let object = json!({"timestamp": "2026-03-02T08:16:00Z", "complaintFeedbackType": "abuse",
                        "complainedRecipients": recipients});
    notification(number, account, "Complaint", object)
}

async fn collect(stack: &Stack, bodies: &[String]) {
    for chunk in bodies.chunks(10) {
        let response = stack
            .handle(&sqs_event(QUEUE_ARN, chunk), &mut Metrics::default(), now())
            .await;
        assert_eq!(response, json!({"batchItemFailures": []}));
        assert_eq!(stack.deliver_queued(&mut Metrics::default()).await, 0);
    }
}

async fn send_digests(stack: &Stack, at: &str) -> Value {
    let at: Timestamp = at.parse().unwrap();
    stack
        .handle(&json!({"postroom": "digest"}), &mut Metrics::default(), at)
        .await
}

#[tokio::test]
async fn all_notifications_of_a_window_are_one_mail() {
    let stack = Stack::with_routes().await;
    let mut bodies: Vec<String> = (0..25)
        .map(|number| bounce(number, A, "Permanent", "smtp; 550 5.1.1 <b>user</b> unknown"))
        .collect();
    bodies.extend((25..27).map(|number| bounce(number, B, "Transient", "smtp; 452 4.2.2 mailbox full\r\nBcc: x")));
    bodies.push(complaint(27, A));
    bodies.push(bounce(28, OWNER, "Permanent", ""));
    collect(&stack, &bodies).await;
    collect(&stack, &bodies[..3]).await;
    assert_eq!(stack.digest_items(OPS).await.len(), 29, "duplicates are one item");

    assert_eq!(send_digests(&stack, "2026-03-02T09:01:59Z").await, json!(null));
    assert!(
        stack.sent_to(OPS).is_empty(),
        "the last items of the window may not be written yet"
    );
    assert_eq!(send_digests(&stack, "2026-03-02T09:02:01Z").await, json!(null));
    assert_eq!(send_digests(&stack, "2026-03-02T10:00:00Z").await, json!(null));
    let mails = stack.sent_to(OPS);
    assert_eq!(mails.len(), 1);
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("digest_text", mails[0].body);
        insta::assert_snapshot!("digest_html", mails[0].attributes["html"]);
    });
    let attributes = &mails[0].attributes;
    assert_eq!(
        attributes["subject"],
        "Amazon SES: complaints (1), hard bounces (26), soft bounces (2)"
    );
    assert_eq!(attributes["from"], "postroom@shop.example");
    assert_eq!(attributes["Auto-Submitted"], "auto-generated");
    assert_eq!(
        (
            attributes["X-Postroom-Notice"].as_str(),
            attributes["tag postroom"].as_str()
        ),
        ("digest", "digest"),
        "a bounce of the mail is recognised as a notification about our own mail"
    );
}

#[tokio::test]
async fn two_concurrent_invocations_send_a_digest_once() {
    let stack = Stack::with_routes().await;
    collect(&stack, &[bounce(1, A, "Permanent", "")]).await;
    let at = "2026-03-02T09:10:00Z";
    futures_util::join!(send_digests(&stack, at), send_digests(&stack, at));
    assert_eq!(stack.sent_to(OPS).len(), 1);
}

#[tokio::test]
async fn a_digest_that_failed_is_sent_later_and_does_not_stop_the_others() {
    let stack = Stack::with_routes().await;
    let mut also = support::route(
        "also",
        support::senders(Some(OWNER), None, Some("shop.example")),
        "email:zoe@shop.example",
        store::Redaction::None,
    );
    also.filter.events.insert("bounce".to_owned());
    let ops = store::RouteKey::new(also.senders.clone()).unwrap();
    let mut routes = stack
        .store
        .routes_for(std::slice::from_ref(&ops))
        .await
        .unwrap()
        .remove(&ops)
        .unwrap();
    routes.push(also);
    stack.store.put_routes(&ops, &routes).await.unwrap();

    collect(&stack, &[bounce(1, A, "Permanent", "")]).await;
    stack.reject(OPS, "SendingPausedException");
    let response = send_digests(&stack, "2026-03-02T09:10:00Z").await;
    assert_eq!(response, json!({"error": "1 of 2 digests were not sent"}));
    assert_eq!(stack.sent_to("zoe@shop.example").len(), 1);

    stack.accept(OPS);
    send_digests(&stack, "2026-03-02T09:20:00Z").await;
    assert!(
        stack.sent_to(OPS).is_empty(),
        "the claim of the first invocation has not expired"
    );
    send_digests(&stack, "2026-03-02T10:10:00Z").await;
    assert_eq!(stack.sent_to(OPS).len(), 1);
    assert_eq!(stack.sent_to("zoe@shop.example").len(), 1);
}

#[tokio::test]
async fn a_digest_that_ses_rejects_is_a_dead_letter_with_the_reason_and_is_sent_after_a_redrive() {
    let stack = Stack::with_routes().await;
    collect(&stack, &[bounce(1, A, "Permanent", "")]).await;
    stack.reject(OPS, "MessageRejected");
    let mut metrics = Metrics::default();
    let at: Timestamp = "2026-03-02T09:10:00Z".parse().unwrap();
    let event = json!({"postroom": "digest"});
    assert_eq!(
        stack.handle(&event, &mut metrics, at).await,
        json!(null),
        "the schedule does not fail"
    );
    let lines = metrics.lines(delegate_router::metrics::NAMESPACE, at);
    assert!(
        lines
            .iter()
            .any(|line| line["DeadLettered"] == json!(1) && line["Target"] == "email"),
        "{lines:?}"
    );
    let dead_letters = stack.sent_to(support::DEAD_LETTER_QUEUE);
    assert_eq!(dead_letters.len(), 1);
    assert_eq!(dead_letters[0].attributes["reason"], "MessageRejected: no entry");
    assert_eq!(dead_letters[0].attributes["target"], format!("email:{OPS}"));

    // It is not due any more.
    send_digests(&stack, "2026-03-02T12:00:00Z").await;
    assert_eq!(stack.sent_to(support::DEAD_LETTER_QUEUE).len(), 1);

    // A redrive while SES still rejects it is a dead letter again.
    let redrive = async || {
        stack.services.lock().unwrap().queued.push(dead_letters[0].body.clone());
        stack.deliver_queued(&mut Metrics::default()).await
    };
    assert_eq!(redrive().await, 0);
    assert_eq!(stack.sent_to(support::DEAD_LETTER_QUEUE).len(), 2);

    stack.accept(OPS);
    for _ in 0..2 {
        assert_eq!(redrive().await, 0);
        assert_eq!(stack.sent_to(OPS).len(), 1, "a second redrive sends nothing");
    }
    assert!(stack.sent_to(OPS)[0].body.contains("reader1@example.net"));
}

#[tokio::test]
async fn a_redriven_digest_waits_for_the_invocation_that_is_sending_it() {
    let stack = Stack::with_routes().await;
    collect(&stack, &[bounce(1, A, "Permanent", "")]).await;
    let digest = store::DigestKey {
        address: OPS.to_owned(),
        window: "2026-03-02T08:00:00Z".parse().unwrap(),
    };
    stack.store.claim_digest(&digest, now(), now()).await.unwrap();
    let rejected = delegate_router::rejected_digest::RejectedDigest { digest };
    stack.services.lock().unwrap().queued.push(rejected.to_message());
    assert_eq!(stack.deliver_queued(&mut Metrics::default()).await, 1, "it is retried");
    assert!(stack.sent_to(OPS).is_empty());
}

#[tokio::test]
async fn an_item_is_never_added_to_a_window_that_was_sent() {
    let stack = Stack::with_routes().await;
    let digest = store::DigestKey {
        address: OPS.to_owned(),
        window: "2026-03-02T08:00:00Z".parse().unwrap(),
    };
    let expires_at = now() + SignedDuration::from_hours(1);
    assert!(stack.store.open_digest(&digest, expires_at).await.unwrap());
    let claim = stack.store.claim_digest(&digest, now(), now()).await.unwrap();
    assert_eq!(claim, store::DigestClaim::Claimed);

    collect(&stack, &[bounce(1, A, "Permanent", "")]).await;
    assert!(stack.digest_items(OPS).await.is_empty());
    send_digests(&stack, "2026-03-02T10:10:00Z").await;
    assert_eq!(stack.sent_to(OPS).len(), 1, "it is in the next window");
}
