//! The feedback policy, a row a case: what SES says, and what is decided. No AWS.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

use feedback::decide::{Action, Facts, decide};
use feedback::policy::Policy;
use notification_model::{Notification, SesMessage};
use serde_json::{Value, json};

const AT: &str = "2026-03-02T08:15:32Z";

fn notification(kind: &str, field: &str, object: Value, tags: Value) -> Notification {
    let body = json!({
        "eventType": kind, field: object,
        "mail": {
            "timestamp": "2026-03-02T08:15:30Z", "messageId": "m1", "destination": ["jane@example.net"],
            "sourceArn": "arn:aws:ses:us-east-1:111122223333:identity/shop.example",
            "sendingAccountId": "111122223333", "tags": tags,
        },
    });
    match notification_model::parse(&body.to_string()).unwrap() {
        SesMessage::Notification(notification) => notification,
        other => panic!("{other:?}"),
    }
}

/// What is decided, in a word or two an action.
fn decided(notification: &Notification) -> String {
    let facts = Facts {
        published_at: "2026-03-02T09:00:00Z".parse().unwrap(),
    };
    let words = |action: &Action| match action {
        Action::WriteEntry {
            scope, source, entry, ..
        } => {
            let verb = if entry.blocked { "block" } else { "lift" };
            let days = entry
                .until
                .map(|until| format!(" {} d", until.duration_since(entry.at).as_hours() / 24));
            format!("{verb} {scope}|{source}{}", days.unwrap_or_default())
        }
        Action::SoftBounce { scope, .. } => format!("soft {scope}"),
        Action::AppendHistory { history, .. } => format!("note {}", history.kind),
        Action::Delivered { scope, .. } => format!("delivered {scope}"),
        Action::CountEvent(event) => format!("count {}", event.kind.as_str()),
        Action::CountInBatch { kind, .. } => format!("count {}", kind.as_str()),
        Action::Acknowledge { .. } => "acknowledge".to_owned(),
    };
    decide(notification, &facts, &Policy::default())
        .iter()
        .map(words)
        .collect::<Vec<_>>()
        .join(", ")
}

fn bounce(kind: &str, sub_type: &str, recipient: Value) -> Notification {
    let mut recipient = recipient;
    recipient["emailAddress"] = json!("jane@example.net");
    let object =
        json!({"bounceType": kind, "bounceSubType": sub_type, "timestamp": AT, "bouncedRecipients": [recipient]});
    notification("Bounce", "bounce", object, json!({}))
}

#[test]
fn bounces() {
    let unknown = json!({"action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"});
    let nothing = json!({});
    let hard = "block global|bounce, count hard";
    let soft = "soft domain:shop.example, count soft";
    let echo = "block domain:shop.example|ses-list 30 d";
    let rows = [
        ("Permanent", "General", unknown.clone(), hard),
        ("Permanent", "General", nothing.clone(), hard),
        ("Permanent", "NoEmail", unknown.clone(), hard),
        ("Permanent", "Suppressed", unknown.clone(), hard),
        ("Permanent", "OfTomorrow", nothing.clone(), hard),
        ("PERMANENT", "GENERAL", unknown.clone(), hard),
        ("Permanent", "OnAccountSuppressionList", unknown.clone(), echo),
        ("Permanent", "OnTenantSuppressionList", unknown.clone(), echo),
        ("Permanent", "EmailValidationSuppressed", unknown.clone(), echo),
        ("Permanent", "UnsubscribedRecipient", unknown.clone(), "note echo"),
        (
            "Permanent",
            "General",
            json!({"action": "delayed", "status": "4.4.1"}),
            soft,
        ),
        (
            "Permanent",
            "General",
            json!({"action": "failed", "status": "4.2.2"}),
            soft,
        ),
        (
            "Permanent",
            "General",
            json!({"action": "failed", "status": "5.2.2"}),
            "soft domain:shop.example, count hard",
        ),
        (
            "Permanent",
            "General",
            json!({"action": "failed", "status": "5.7.1", "diagnosticCode": "550 5.7.1 blocked using a blocklist"}),
            "note sender-fault, count hard",
        ),
        (
            "Permanent",
            "General",
            json!({"action": "failed", "status": "5.7.1", "diagnosticCode": "550 5.7.1 no such user"}),
            hard,
        ),
        (
            "Transient",
            "General",
            json!({"action": "failed", "status": "5.1.1"}),
            hard,
        ),
        (
            "Transient",
            "General",
            json!({"action": "failed", "status": "5.4.4"}),
            soft,
        ),
        (
            "Transient",
            "General",
            json!({"action": "failed", "diagnosticCode": "550 no such user"}),
            hard,
        ),
        (
            "Transient",
            "MailboxFull",
            json!({"action": "failed", "status": "4.2.2"}),
            soft,
        ),
        (
            "Transient",
            "General",
            json!({"action": "failed", "status": "4.4.7"}),
            soft,
        ),
        ("Transient", "CustomTimeoutExceeded", nothing.clone(), soft),
        (
            "Transient",
            "MessageTooLarge",
            json!({"status": "5.3.4"}),
            "note sender-fault, count soft",
        ),
        (
            "Transient",
            "ContentRejected",
            json!({"status": "5.6.0"}),
            "note sender-fault, count soft",
        ),
        (
            "Transient",
            "AttachmentRejected",
            nothing.clone(),
            "note sender-fault, count soft",
        ),
        ("Transient", "General", nothing.clone(), "note auto-reply"),
        (
            "Transient",
            "General",
            json!({"diagnosticCode": "I am out of the office until Monday"}),
            "note auto-reply",
        ),
        (
            "Undetermined",
            "Undetermined",
            json!({"diagnosticCode": ""}),
            "note auto-reply",
        ),
        ("Undetermined", "Undetermined", json!({"action": "failed"}), soft),
    ];
    for (kind, sub_type, recipient, expected) in rows {
        let said = format!("{kind}/{sub_type} {recipient}");
        assert_eq!(decided(&bounce(kind, sub_type, recipient)), expected, "{said}");
    }
}

#[test]
fn complaints() {
    let complaint = |feedback_type: Value, sub_type: Value, tags: Value| {
        let object = json!({
            "timestamp": AT, "complainedRecipients": [{"emailAddress": "jane@example.net"}],
            "complaintFeedbackType": feedback_type, "complaintSubType": sub_type,
        });
        decided(&notification("Complaint", "complaint", object, tags))
    };
    let suppressed = "block domain:shop.example|complaint, count complaint";
    let tenant = json!({"ses:tenant-name": ["acme"]});
    let rows = [
        (json!("abuse"), Value::Null, json!({}), suppressed),
        (json!("fraud"), Value::Null, json!({}), suppressed),
        (json!("virus"), Value::Null, json!({}), suppressed),
        (json!("other"), Value::Null, json!({}), suppressed),
        (json!("of-tomorrow"), Value::Null, json!({}), suppressed),
        (Value::Null, Value::Null, json!({}), suppressed),
        (
            json!("abuse"),
            Value::Null,
            tenant.clone(),
            "block tenant:acme|complaint, count complaint",
        ),
        (
            json!("not-spam"),
            Value::Null,
            json!({}),
            "lift domain:shop.example|complaint",
        ),
        (json!("auth-failure"), Value::Null, json!({}), "note auth-failure"),
        (
            Value::Null,
            json!("OnAccountSuppressionList"),
            json!({}),
            "block domain:shop.example|ses-list 30 d",
        ),
        (
            Value::Null,
            json!("OnTenantSuppressionList"),
            tenant,
            "block tenant:acme|ses-list 30 d",
        ),
        (Value::Null, json!("OfTomorrow"), json!({}), suppressed),
    ];
    for (feedback_type, sub_type, tags, expected) in rows {
        let said = format!("{feedback_type} {sub_type} {tags}");
        assert_eq!(complaint(feedback_type, sub_type, tags), expected, "{said}");
    }
}

#[test]
fn other_events() {
    let topics = |unsubscribe_all: bool, status: &str| {
        let topics = json!([{"topicName": "weekly", "subscriptionStatus": status}]);
        json!({"contactList": "readers", "newTopicPreferences":
               {"unsubscribeAll": unsubscribe_all, "topicSubscriptionStatus": topics}})
    };
    let here = "domain:shop.example";
    let rows = [
        ("Send", "send", json!({}), "count send".to_owned()),
        (
            "Reject",
            "reject",
            json!({"reason": "Bad content"}),
            "count reject".to_owned(),
        ),
        (
            "Rendering Failure",
            "failure",
            json!({}),
            "count renderingFailure".to_owned(),
        ),
        (
            "DeliveryDelay",
            "deliveryDelay",
            json!({"delayedRecipients": [{"emailAddress": "jane@example.net"}]}),
            "count delay".to_owned(),
        ),
        (
            "Delivery",
            "delivery",
            json!({"recipients": ["jane@example.net"]}),
            format!("count delivery, delivered {here}"),
        ),
        ("Open", "open", json!({}), "acknowledge".to_owned()),
        ("Click", "click", json!({"linkTags": null}), "acknowledge".to_owned()),
        ("OfTomorrow", "ofTomorrow", json!({}), "acknowledge".to_owned()),
        (
            "Subscription",
            "subscription",
            topics(false, "OptOut"),
            format!("lift {here}|list:readers, block {here}|topic:readers/weekly"),
        ),
        (
            "Subscription",
            "subscription",
            topics(true, "OptOut"),
            format!("block {here}|list:readers, block {here}|topic:readers/weekly"),
        ),
        (
            "Subscription",
            "subscription",
            topics(false, "OptIn"),
            format!("lift {here}|list:readers, lift {here}|topic:readers/weekly"),
        ),
    ];
    for (kind, field, object, expected) in rows {
        let said = format!("{kind} {object}");
        assert_eq!(
            decided(&notification(kind, field, object, json!({}))),
            expected,
            "{said}"
        );
    }
}

/// The addresses whose rows an action would change, for a bounce that names some of those the message was sent to.
fn touched(destination: &[&str], named: &[&str]) -> Vec<String> {
    let recipients: Vec<Value> = named
        .iter()
        .map(|one| json!({"emailAddress": one, "status": "5.1.1"}))
        .collect();
    let object = json!({"bounceType": "Permanent", "bounceSubType": "General", "timestamp": AT,
                        "bouncedRecipients": recipients});
    let mut notification = notification("Bounce", "bounce", object, json!({}));
    notification.mail.destination = destination.iter().map(|one| (*one).to_owned()).collect();
    let facts = Facts {
        published_at: AT.parse().unwrap(),
    };
    decide(&notification, &facts, &Policy::default())
        .iter()
        .filter_map(|action| match action {
            Action::WriteEntry { address, .. } | Action::SoftBounce { address, .. } => Some(address.key().to_owned()),
            _ => None,
        })
        .collect()
}

#[test]
fn everyone_affected_is_judged_and_nobody_else() {
    let all = ["Jane <jane@example.net>", "joe@example.net", "ann@example.net"];
    assert_eq!(
        touched(&all, &["joe@example.net", "Ann@Example.net"]),
        ["joe@example.net", "ann@example.net"]
    );
    // A DSN names whom its sender likes: behind forwarding another address, in an attack a stranger's.
    assert_eq!(
        touched(&["alias@example.net"], &["new@example.org"]),
        ["alias@example.net"]
    );
    assert!(touched(&all, &["stranger@example.org"]).is_empty());
}

#[test]
fn somebody_else_s_clock_stays_between_sending_and_publishing() {
    let at = |told: &str| {
        let object = json!({"bounceType": "Permanent", "bounceSubType": "General", "timestamp": told,
                            "bouncedRecipients": [{"emailAddress": "jane@example.net", "status": "5.1.1"}]});
        let notification = notification("Bounce", "bounce", object, json!({}));
        let facts = Facts {
            published_at: "2026-03-02T09:00:00Z".parse().unwrap(),
        };
        match &decide(&notification, &facts, &Policy::default())[..] {
            [Action::WriteEntry { entry, .. }, ..] => entry.at.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let sent = "2026-03-02T08:15:30Z";
    assert_eq!(at("2026-03-02T08:20:00Z"), "2026-03-02T08:20:00Z");
    assert_eq!(
        at("2999-01-01T00:00:00Z"),
        sent,
        "the future would outrank all that happens until then"
    );
    assert_eq!(
        at("0001-01-01T00:00:00Z"),
        sent,
        "nothing happens to a message before it is sent"
    );
}

#[test]
fn not_spam_lifts_a_complaint_only_when_it_is_surely_that_recipient_s() {
    let object = json!({"timestamp": AT, "complaintFeedbackType": "not-spam", "complainedRecipients": [
        {"emailAddress": "jane@example.net"}, {"emailAddress": "joe@example.net"},
    ]});
    let mut notification = notification("Complaint", "complaint", object, json!({}));
    notification.mail.destination.push("joe@example.net".to_owned());
    assert_eq!(decided(&notification), "note not-spam, note not-spam");
}
