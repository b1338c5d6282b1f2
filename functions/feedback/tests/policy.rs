//! The feedback policy as a table: what SES reports, and the actions. No AWS.
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

/// Describes the actions for a notification.
fn describe_actions(notification: &Notification) -> String {
    let facts = Facts {
        published_at: "2026-03-02T09:00:00Z".parse().unwrap(),
    };
    let describe = |action: &Action| match action {
        Action::RecordSuppression {
            scope, source, entry, ..
        } => {
            let verb = if entry.blocked { "suppress" } else { "withdraw" };
            let days = entry
                .until
                .map(|until| format!(" {} d", until.duration_since(entry.at).as_hours() / 24));
            format!("{verb} {scope}|{source}{}", days.unwrap_or_default())
        }
        Action::AddSoftBounce { scope, .. } => format!("soft {scope}"),
        Action::AppendHistory { history, .. } => format!("history {}", history.kind),
        Action::RecordDelivery { scope, .. } => format!("delivery {scope}"),
        Action::CountEvent(event) => format!("count {}", event.kind.as_str()),
        Action::CountInBatch { kind, .. } => format!("count {}", kind.as_str()),
        Action::Acknowledge { .. } => "acknowledge".to_owned(),
    };
    decide(notification, &facts, &Policy::default())
        .iter()
        .map(describe)
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
fn actions_for_bounces() {
    let unknown = json!({"action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"});
    let nothing = json!({});
    let hard = "suppress global|bounce, count hard";
    let soft = "soft domain:shop.example, count soft";
    let suppressed_by_ses = "suppress domain:shop.example|ses-list 30 d";
    let rows = [
        ("Permanent", "General", unknown.clone(), hard),
        ("Permanent", "General", nothing.clone(), hard),
        ("Permanent", "NoEmail", unknown.clone(), hard),
        ("Permanent", "Suppressed", unknown.clone(), hard),
        ("Permanent", "NewSubType", nothing.clone(), hard),
        ("PERMANENT", "GENERAL", unknown.clone(), hard),
        (
            "Permanent",
            "OnAccountSuppressionList",
            unknown.clone(),
            suppressed_by_ses,
        ),
        (
            "Permanent",
            "OnTenantSuppressionList",
            unknown.clone(),
            suppressed_by_ses,
        ),
        (
            "Permanent",
            "EmailValidationSuppressed",
            unknown.clone(),
            suppressed_by_ses,
        ),
        (
            "Permanent",
            "UnsubscribedRecipient",
            unknown.clone(),
            "history suppressed-by-ses",
        ),
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
            "history sender-fault, count hard",
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
            "history sender-fault, count soft",
        ),
        (
            "Transient",
            "ContentRejected",
            json!({"status": "5.6.0"}),
            "history sender-fault, count soft",
        ),
        (
            "Transient",
            "AttachmentRejected",
            nothing.clone(),
            "history sender-fault, count soft",
        ),
        ("Transient", "General", nothing.clone(), "history auto-reply"),
        (
            "Transient",
            "General",
            json!({"diagnosticCode": "I am out of the office until Monday"}),
            "history auto-reply",
        ),
        (
            "Undetermined",
            "Undetermined",
            json!({"diagnosticCode": ""}),
            "history auto-reply",
        ),
        ("Undetermined", "Undetermined", json!({"action": "failed"}), soft),
    ];
    for (kind, sub_type, recipient, expected) in rows {
        let case = format!("{kind}/{sub_type} {recipient}");
        assert_eq!(describe_actions(&bounce(kind, sub_type, recipient)), expected, "{case}");
    }
}

#[test]
fn actions_for_complaints() {
    let complaint = |feedback_type: Value, sub_type: Value, tags: Value| {
        let object = json!({
            "timestamp": AT, "complainedRecipients": [{"emailAddress": "jane@example.net"}],
            "complaintFeedbackType": feedback_type, "complaintSubType": sub_type,
        });
        describe_actions(&notification("Complaint", "complaint", object, tags))
    };
    let suppressed = "suppress domain:shop.example|complaint, count complaint";
    let tenant = json!({"ses:tenant-name": ["acme"]});
    let rows = [
        (json!("abuse"), Value::Null, json!({}), suppressed),
        (json!("fraud"), Value::Null, json!({}), suppressed),
        (json!("virus"), Value::Null, json!({}), suppressed),
        (json!("other"), Value::Null, json!({}), suppressed),
        (json!("new-type"), Value::Null, json!({}), suppressed),
        (Value::Null, Value::Null, json!({}), suppressed),
        (
            json!("abuse"),
            Value::Null,
            tenant.clone(),
            "suppress tenant:acme|complaint, count complaint",
        ),
        (
            json!("not-spam"),
            Value::Null,
            json!({}),
            "withdraw domain:shop.example|complaint",
        ),
        (json!("auth-failure"), Value::Null, json!({}), "history auth-failure"),
        (
            Value::Null,
            json!("OnAccountSuppressionList"),
            json!({}),
            "suppress domain:shop.example|ses-list 30 d",
        ),
        (
            Value::Null,
            json!("OnTenantSuppressionList"),
            tenant,
            "suppress tenant:acme|ses-list 30 d",
        ),
        (Value::Null, json!("NewSubType"), json!({}), suppressed),
    ];
    for (feedback_type, sub_type, tags, expected) in rows {
        let case = format!("{feedback_type} {sub_type} {tags}");
        assert_eq!(complaint(feedback_type, sub_type, tags), expected, "{case}");
    }
}

#[test]
fn actions_for_other_events() {
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
            format!("count delivery, delivery {here}"),
        ),
        ("Open", "open", json!({}), "acknowledge".to_owned()),
        ("Click", "click", json!({"linkTags": null}), "acknowledge".to_owned()),
        ("NewEvent", "newEvent", json!({}), "acknowledge".to_owned()),
        (
            "Subscription",
            "subscription",
            topics(false, "OptOut"),
            format!("withdraw {here}|list:readers, suppress {here}|topic:readers/weekly"),
        ),
        (
            "Subscription",
            "subscription",
            topics(true, "OptOut"),
            format!("suppress {here}|list:readers, suppress {here}|topic:readers/weekly"),
        ),
        (
            "Subscription",
            "subscription",
            topics(false, "OptIn"),
            format!("withdraw {here}|list:readers, withdraw {here}|topic:readers/weekly"),
        ),
    ];
    for (kind, field, object, expected) in rows {
        let case = format!("{kind} {object}");
        assert_eq!(
            describe_actions(&notification(kind, field, object, json!({}))),
            expected,
            "{case}"
        );
    }
}

/// Returns the addresses whose rows change after a bounce that reports some addresses.
fn affected(destination: &[&str], reported: &[&str]) -> Vec<String> {
    let recipients: Vec<Value> = reported
        .iter()
        .map(|address| json!({"emailAddress": address, "status": "5.1.1"}))
        .collect();
    let object = json!({"bounceType": "Permanent", "bounceSubType": "General", "timestamp": AT,
                        "bouncedRecipients": recipients});
    let mut notification = notification("Bounce", "bounce", object, json!({}));
    notification.mail.destination = destination.iter().map(|address| (*address).to_owned()).collect();
    let facts = Facts {
        published_at: AT.parse().unwrap(),
    };
    decide(&notification, &facts, &Policy::default())
        .iter()
        .filter_map(|action| match action {
            Action::RecordSuppression { address, .. } | Action::AddSoftBounce { address, .. } => {
                Some(address.key().to_owned())
            }
            _ => None,
        })
        .collect()
}

#[test]
fn a_bounce_affects_only_recipients_of_the_message() {
    let all = ["Jane <jane@example.net>", "joe@example.net", "ann@example.net"];
    assert_eq!(
        affected(&all, &["joe@example.net", "Ann@Example.net"]),
        ["joe@example.net", "ann@example.net"]
    );
    // The sender of a DSN chooses the addresses in it: the new address after forwarding, or that of a third party.
    assert_eq!(
        affected(&["alias@example.net"], &["new@example.org"]),
        ["alias@example.net"]
    );
    assert!(affected(&all, &["stranger@example.org"]).is_empty());
}

#[test]
fn the_time_of_a_report_is_limited_to_the_time_between_sending_and_publication() {
    let at = |reported: &str| {
        let object = json!({"bounceType": "Permanent", "bounceSubType": "General", "timestamp": reported,
                            "bouncedRecipients": [{"emailAddress": "jane@example.net", "status": "5.1.1"}]});
        let notification = notification("Bounce", "bounce", object, json!({}));
        let facts = Facts {
            published_at: "2026-03-02T09:00:00Z".parse().unwrap(),
        };
        match &decide(&notification, &facts, &Policy::default())[..] {
            [Action::RecordSuppression { entry, .. }, ..] => entry.at.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let sent = "2026-03-02T08:15:30Z";
    assert_eq!(at("2026-03-02T08:20:00Z"), "2026-03-02T08:20:00Z");
    assert_eq!(
        at("2999-01-01T00:00:00Z"),
        sent,
        "a time in the future would take precedence over later events"
    );
    assert_eq!(
        at("0001-01-01T00:00:00Z"),
        sent,
        "a message cannot bounce before it is sent"
    );
}

#[test]
fn not_spam_about_several_recipients_withdraws_no_complaint() {
    let object = json!({"timestamp": AT, "complaintFeedbackType": "not-spam", "complainedRecipients": [
        {"emailAddress": "jane@example.net"}, {"emailAddress": "joe@example.net"},
    ]});
    let mut notification = notification("Complaint", "complaint", object, json!({}));
    notification.mail.destination.push("joe@example.net".to_owned());
    assert_eq!(describe_actions(&notification), "history not-spam, history not-spam");
}
