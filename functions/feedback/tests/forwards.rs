//! Feedback about mail that the inbound function sent.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod support;

use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use notification_model::EmailAddress;
use serde_json::{Value, json};
use store::{SenderContext, SentKind, SentMail};
use support::Stack;

const DESK: &str = "desk@shop.example.net";
const AT: &str = "2026-03-02T08:15:30Z";

fn desk() -> EmailAddress {
    EmailAddress::parse(DESK).unwrap()
}

fn at() -> Timestamp {
    AT.parse().unwrap()
}

/// A stack whose inbound function sent the messages `forward-1`, ... and `answer-1`, ...
async fn stack() -> Stack {
    let mut stack = Stack::new().await;
    stack.effects.policy.inbound = true;
    for (prefix, kind) in [("forward", SentKind::Forward), ("answer", SentKind::Answer)] {
        for number in 1..=6 {
            let sent = SentMail {
                message_id: format!("{prefix}-{number}"),
                kind,
                mailbox: "support@shop.example".parse().unwrap(),
                to: desk(),
                received_id: "received".to_owned(),
            };
            let expires_at = at() + SignedDuration::from_hours(720);
            stack.effects.store.record_sent(&sent, at(), expires_at).await.unwrap();
        }
    }
    stack
}

fn mail(message_id: &str) -> Value {
    json!({
        "timestamp": AT, "messageId": message_id, "source": "forward@shop.example", "destination": [DESK],
        "sourceArn": "arn:aws:ses:us-east-1:111122223333:identity/shop.example", "sendingAccountId": "111122223333",
    })
}

fn complaint(message_id: &str) -> Value {
    json!({"notificationType": "Complaint", "mail": mail(message_id), "complaint": {
        "complainedRecipients": [{"emailAddress": DESK}], "timestamp": AT, "feedbackId": "f",
        "complaintFeedbackType": "abuse", "userAgent": "Yahoo!-Mail-Feedback/2.0",
    }})
}

fn bounce(message_id: &str, kind: (&str, &str), status: &str, reply: &str, time: Timestamp) -> Value {
    json!({"notificationType": "Bounce", "mail": mail(message_id), "bounce": {
        "bounceType": kind.0, "bounceSubType": kind.1, "timestamp": time, "remoteMtaIp": "192.0.2.1",
        "bouncedRecipients": [{"emailAddress": DESK, "action": "failed", "status": status, "diagnosticCode": reply}],
    }})
}

async fn receive(stack: &Stack, body: &Value, now: Timestamp) {
    let event = json!({"Records": [{"eventSource": "aws:sqs", "messageId": "q1", "body": body.to_string()}]});
    let mut metrics = Metrics::default();
    let response = feedback::handle(&event, &stack.effects, &mut metrics, now).await;
    assert_eq!(
        serde_json::to_value(response.unwrap()).unwrap(),
        json!({"batchItemFailures": []})
    );
}

/// The active suppressions of the forward target for each scope.
async fn suppressions(stack: &Stack, now: Timestamp) -> Vec<String> {
    let row = stack
        .effects
        .store
        .recipient(&desk())
        .await
        .unwrap()
        .unwrap_or_default();
    let scopes = row.entries.keys().map(|(scope, _)| scope.clone());
    let scopes: std::collections::BTreeSet<_> = scopes.collect();
    let active = scopes
        .iter()
        .flat_map(|scope| row.active_in(scope, now).collect::<Vec<_>>());
    active.map(|one| format!("{}|{}", one.scope, one.source)).collect()
}

#[tokio::test]
async fn a_complaint_of_a_forward_target_affects_only_the_forwards_of_its_mailbox() {
    let stack = stack().await;
    receive(&stack, &complaint("forward-1"), at()).await;
    receive(&stack, &complaint("forward-1"), at()).await;
    assert_eq!(
        suppressions(&stack, at()).await,
        ["forward:support@shop.example|complaint"]
    );
    let newsletter = SenderContext {
        identity: Some("shop.example".to_owned()),
        ..SenderContext::default()
    };
    let check = stack.effects.store.check(&[desk()], &newsletter, at()).await.unwrap();
    assert!(
        check[0].suppressions.is_empty(),
        "other mail of the sender is not affected"
    );

    // A complaint about a mail of the sender itself affects its domain, and is not looked up as a forward.
    receive(&stack, &complaint("newsletter-1"), at()).await;
    assert_eq!(
        suppressions(&stack, at()).await,
        [
            "domain:shop.example|complaint",
            "forward:support@shop.example|complaint"
        ]
    );
}

#[tokio::test]
async fn without_inbound_nothing_is_looked_up() {
    let mut stack = stack().await;
    stack.effects.policy.inbound = false;
    let _ = stack.requests.take();
    receive(&stack, &complaint("forward-1"), at()).await;
    assert!(!stack.requests.take().contains_key("BatchGetItem"));
    assert_eq!(suppressions(&stack, at()).await, ["domain:shop.example|complaint"]);
}

#[tokio::test]
async fn a_forward_that_is_refused_as_spam_is_not_counted_against_the_sender() {
    let reply = "smtp; 550 5.7.1 Message rejected as spam";
    for (message, counted) in [("forward-1", 0), ("newsletter-1", 1)] {
        let stack = stack().await;
        let spam = bounce(message, ("Permanent", "General"), "5.7.1", reply, at());
        receive(&stack, &spam, at()).await;
        assert!(
            suppressions(&stack, at()).await.is_empty(),
            "the recipient is not at fault"
        );
        let rows = stack.rows().await;
        let statistics = rows.keys().filter(|key| key.starts_with("SENDER#")).count();
        assert_eq!(statistics, counted, "{message}: {rows:?}");
    }
}

#[tokio::test]
async fn soft_bounces_of_forwards_are_a_streak_of_their_own_that_any_delivery_ends() {
    let stack = stack().await;
    let mut now = at();
    for number in 1..=5 {
        let full = bounce(
            &format!("forward-{number}"),
            ("Transient", "MailboxFull"),
            "5.2.2",
            "smtp; 552 mailbox full",
            now,
        );
        receive(&stack, &full, now).await;
        now += SignedDuration::from_hours(24);
    }
    assert_eq!(suppressions(&stack, now).await, ["forward:support@shop.example|streak"]);
    let delivery = json!({"notificationType": "Delivery", "mail": mail("forward-6"), "delivery": {
        "timestamp": now, "recipients": [DESK], "smtpResponse": "250 ok",
    }});
    receive(&stack, &delivery, now).await;
    assert!(suppressions(&stack, now).await.is_empty());
}

#[tokio::test]
async fn a_dead_forward_target_is_dead_for_everyone() {
    let stack = stack().await;
    let dead = bounce(
        "forward-1",
        ("Permanent", "NoEmail"),
        "5.1.1",
        "smtp; 550 5.1.1 no such user",
        at(),
    );
    receive(&stack, &dead, at()).await;
    assert_eq!(suppressions(&stack, at()).await, ["global|bounce"]);
}

#[tokio::test]
async fn bounced_answers_are_counted_once_for_the_address_and_its_domain() {
    let stack = stack().await;
    let dead = bounce(
        "answer-1",
        ("Permanent", "NoEmail"),
        "5.1.1",
        "smtp; 550 5.1.1 no such user",
        at(),
    );
    let other = bounce("answer-2", ("Transient", "General"), "4.4.7", "smtp; 421 timeout", at());
    for event in [&dead, &dead, &other] {
        receive(&stack, event, at()).await;
    }
    let names = [DESK, "shop.example.net"];
    let counts = stack.effects.store.answer_counts(&names, at()).await.unwrap();
    assert_eq!(counts.values().map(|count| count.bounced).collect::<Vec<_>>(), [2, 2]);
    let later = at() + SignedDuration::from_hours(24 * 7);
    let counts = stack.effects.store.answer_counts(&names, later).await.unwrap();
    assert_eq!(counts[DESK].bounced, 0, "after a week they do not matter");
}
