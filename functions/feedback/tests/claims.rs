//! What a remote party can do by reports that it writes: nothing to other senders, little to the sender's figures.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod support;

use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use notification_model::EmailAddress;
use serde_json::{Value, json};
use store::{EventCounts, EventKind, Sender, SenderContext};
use support::Stack;

const ATTACKER: &str = "me@attacker.example";
const VICTIM: &str = "victim@example.net";

fn sent() -> Timestamp {
    "2026-03-02T08:15:30Z".parse().unwrap()
}

/// Handles notifications, one in each invocation.
async fn handle(stack: &Stack, notifications: &[Value]) {
    let now = sent() + SignedDuration::from_hours(24 * 40);
    for notification in notifications {
        let record = json!({"eventSource": "aws:sqs", "messageId": "r", "body": notification.to_string()});
        let event = json!({"Records": [record]});
        let response = feedback::handle(&event, &stack.effects, &mut Metrics::default(), now).await;
        let response = serde_json::to_value(response.unwrap()).unwrap();
        assert_eq!(response, json!({"batchItemFailures": []}), "{notification}");
    }
}

fn mail(message: &str, destination: &[&str]) -> Value {
    json!({
        "timestamp": sent().to_string(), "messageId": message, "destination": destination,
        "source": "news@shop.example", "sendingAccountId": "111122223333",
        "sourceArn": "arn:aws:ses:us-east-1:111122223333:identity/shop.example",
        "tags": {"ses:tenant-name": ["acme"]},
    })
}

fn delivery(message: &str, recipient: &str) -> Value {
    let delivery = json!({"timestamp": sent().to_string(), "recipients": [recipient]});
    json!({"eventType": "Delivery", "mail": mail(message, &[recipient]), "delivery": delivery})
}

/// A report as anybody can write it. SES passes its content on.
fn report(mail: Value, reported: &[&str]) -> Value {
    let recipient = |address: &&str| {
        json!({"emailAddress": address, "action": "failed", "status": "5.1.1",
               "diagnosticCode": "smtp; 550 5.1.1 user unknown"})
    };
    let recipients: Vec<Value> = reported.iter().map(recipient).collect();
    json!({"eventType": "Bounce", "mail": mail, "bounce": {
        "bounceType": "Permanent", "bounceSubType": "General", "timestamp": sent().to_string(),
        "bouncedRecipients": recipients, "reportingMTA": "dsn; a8-70.smtp-out.amazonses.com",
    }})
}

async fn counts(stack: &Stack) -> EventCounts {
    let sender = Sender {
        owner: "111122223333".into(),
        account: "111122223333".into(),
        identity: "shop.example".into(),
    };
    let now = sent() + SignedDuration::from_hours(1);
    stack.effects.store.sender_rates(&sender, now).await.unwrap().day
}

async fn suppressions(stack: &Stack, address: &str, tenant: Option<&str>) -> Vec<String> {
    let context = SenderContext {
        tenant: tenant.map(str::to_owned),
        ..SenderContext::default()
    };
    let address = EmailAddress::parse(address).unwrap();
    let now = sent() + SignedDuration::from_hours(24);
    let results = stack.effects.store.check(&[address], &context, now).await.unwrap();
    let active = results.into_iter().flat_map(|result| result.suppressions);
    active
        .map(|active| format!("{}|{}", active.scope, active.source))
        .collect()
}

#[tokio::test]
async fn one_recipient_cannot_move_a_sender_over_a_threshold() {
    for destination in [&[ATTACKER][..], &[ATTACKER, VICTIM]] {
        let stack = Stack::new().await;
        let deliveries: Vec<Value> = (0..20)
            .map(|message| delivery(&format!("m{message}"), &format!("user{message}@example.net")))
            .collect();
        handle(&stack, &deliveries).await;
        let strangers: Vec<String> = (0..30).map(|number| format!("nobody{number}@x.example")).collect();
        let all: Vec<&str> = strangers.iter().map(String::as_str).collect();
        let mut reports = vec![report(mail("m99", destination), &all)];
        reports.extend(all.iter().map(|stranger| report(mail("m99", destination), &[stranger])));
        reports.push(report(mail("m99", &[]), &all));
        handle(&stack, &reports).await;

        let counts = counts(&stack).await;
        assert_eq!(counts.get(EventKind::Hard), 1, "{destination:?}");
        assert_eq!(counts.volume(), Some(20), "a claim lifts no volume over a minimum");
        assert!(suppressions(&stack, VICTIM, Some("acme")).await.is_empty());
        for stranger in &all {
            assert!(suppressions(&stack, stranger, Some("acme")).await.is_empty());
        }
    }
}

#[tokio::test]
async fn one_recipient_cannot_silence_a_co_recipient_for_others() {
    let stack = Stack::new().await;
    let forged = report(mail("m1", &[ATTACKER, VICTIM]), &[VICTIM]);
    handle(&stack, &[forged.clone(), forged]).await;
    assert_eq!(
        suppressions(&stack, VICTIM, Some("acme")).await,
        ["tenant:acme|unconfirmed-bounce"]
    );
    for other in [None, Some("umbrella"), Some("222233334444/acme")] {
        assert!(suppressions(&stack, VICTIM, other).await.is_empty(), "{other:?}");
    }
    assert_eq!(counts(&stack).await.get(EventKind::Hard), 1);

    let mut later = delivery("m2", VICTIM);
    later["delivery"]["timestamp"] = json!((sent() + SignedDuration::from_mins(5)).to_string());
    handle(&stack, &[later]).await;
    assert!(
        suppressions(&stack, VICTIM, Some("acme")).await.is_empty(),
        "a delivery shows that the address is in use"
    );
}

#[tokio::test]
async fn a_report_by_mail_and_a_notification_about_the_same_message_are_one_event() {
    let stack = Stack::new().await;
    for day in 0..4 {
        let at = (sent() + SignedDuration::from_hours(24 * day)).to_string();
        let bounce = |minutes: i64| {
            let at = sent() + SignedDuration::from_hours(24 * day) + SignedDuration::from_mins(minutes);
            json!({"bounceType": "Transient", "bounceSubType": "General", "timestamp": at.to_string(),
                   "bouncedRecipients": [{"emailAddress": VICTIM, "action": "failed", "status": "4.2.2"}]})
        };
        let message = format!("m{day}");
        let mut of_ses = mail(&message, &[VICTIM]);
        of_ses["timestamp"] = json!(at);
        of_ses["tags"] = Value::Null;
        // As the inbound function reads the returned header.
        let by_mail =
            json!({"timestamp": at, "messageId": message, "source": "news@shop.example", "destination": [VICTIM]});
        handle(
            &stack,
            &[
                json!({"notificationType": "Bounce", "bounce": bounce(0), "mail": of_ses}),
                json!({"notificationType": "Bounce", "bounce": bounce(30), "mail": by_mail}),
            ],
        )
        .await;
    }
    let rows = stack.rows().await;
    let row = rows.get(&format!("RECIPIENT#{VICTIM} / SUPPRESSION")).unwrap();
    assert!(row.get("domain:shop.example|soft").is_some(), "{row}");
    assert!(
        row.get("domain:shop.example|streak").is_none(),
        "four messages are no streak: {row}"
    );
    let counted: Vec<_> = rows.keys().filter(|key| key.starts_with("SENDER#")).collect();
    assert_eq!(counted.len(), 4, "{counted:?}");
}

#[tokio::test]
async fn a_server_that_returns_each_message_after_it_accepted_it_completes_a_streak() {
    let stack = Stack::new().await;
    let context = Some("acme");
    for day in 0..5 {
        let at = |minutes: i64| {
            let at = sent() + SignedDuration::from_hours(24 * (day - 4)) + SignedDuration::from_mins(minutes);
            at.to_string()
        };
        let mut mail = mail(&format!("m{day}"), &[VICTIM]);
        mail["timestamp"] = json!(at(0));
        let accepted = json!({"eventType": "Delivery", "mail": mail,
                              "delivery": {"timestamp": at(1), "recipients": [VICTIM]}});
        let recipients = json!([{"emailAddress": VICTIM, "action": "failed", "status": "4.2.2"}]);
        let returned = json!({"eventType": "Bounce", "mail": mail, "bounce": {
            "bounceType": "Transient", "bounceSubType": "General", "timestamp": at(2), "bouncedRecipients": recipients,
        }});
        handle(&stack, &[accepted, returned]).await;
    }
    assert_eq!(suppressions(&stack, VICTIM, context).await, ["tenant:acme|streak"]);
    let mut read = delivery("m9", VICTIM);
    read["delivery"]["timestamp"] = json!((sent() + SignedDuration::from_mins(5)).to_string());
    handle(&stack, &[read]).await;
    assert!(suppressions(&stack, VICTIM, context).await.is_empty());
}
