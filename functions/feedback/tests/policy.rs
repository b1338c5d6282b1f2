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
use store::BounceSeries;

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
        Action::AddBounce {
            scope,
            series: BounceSeries::Soft,
            ..
        } => format!("soft {scope}"),
        Action::AddBounce {
            scope,
            series: BounceSeries::Unconfirmed,
            ..
        } => format!("unconfirmed {scope}"),
        Action::AppendHistory { history, .. } => format!("history {}", history.kind),
        Action::RecordDelivery { scope, .. } => format!("delivery {scope}"),
        Action::CountEvent(event) if event.is_claim => format!("claim {}", event.kind.as_str()),
        Action::CountEvent(event) => format!("count {}", event.kind.as_str()),
        Action::CountBouncedAnswer { .. } => "bounced answer".to_owned(),
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
    let unconfirmed = "unconfirmed domain:shop.example, count hard";
    let soft = "soft domain:shop.example, count soft";
    let suppressed_by_ses = "suppress domain:shop.example|ses-list 30 d";
    let rows = [
        ("Permanent", "General", unknown.clone(), hard),
        ("Permanent", "General", nothing.clone(), unconfirmed),
        ("Permanent", "NoEmail", unknown.clone(), hard),
        ("Permanent", "Suppressed", unknown.clone(), hard),
        ("Permanent", "NewSubType", nothing.clone(), unconfirmed),
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
            Action::RecordSuppression { address, .. } | Action::AddBounce { address, .. } => {
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

/// A bounce of a message to `destination`. Each reported recipient is an address and its status.
fn report(destination: &[&str], reported: &[(&str, &str)], fields: &[(&str, Value)]) -> Notification {
    let recipients: Vec<Value> = reported
        .iter()
        .map(|(address, status)| {
            let action = if status.starts_with('4') { "delayed" } else { "failed" };
            json!({"emailAddress": address, "status": status, "action": action})
        })
        .collect();
    let mut object = json!({"bounceType": "Permanent", "bounceSubType": "General", "timestamp": AT,
                            "bouncedRecipients": recipients});
    for (name, value) in fields {
        object[*name] = value.clone();
    }
    let mut notification = notification("Bounce", "bounce", object, json!({}));
    notification.mail.destination = destination.iter().map(|address| (*address).to_owned()).collect();
    notification
}

const JANE: &str = "jane@example.net";
const JOE: &str = "joe@example.net";
const STRANGER: &str = "stranger@example.org";

#[test]
fn only_what_ses_confirms_suppresses_for_every_sender() {
    let dead = [(JOE, "5.1.1")];
    let several = [JANE, JOE];
    let unconfirmed = "unconfirmed domain:shop.example, count hard";
    let global = "suppress global|bounce, count hard";
    let rows = [
        (&several[..], &dead, vec![], unconfirmed),
        (&several, &dead, vec![("remoteMtaIp", json!("198.51.100.7"))], global),
        (&several, &dead, vec![("bounceSubType", json!("Suppressed"))], global),
        (&several, &dead, vec![("bounceSubType", json!("NoEmail"))], unconfirmed),
        (
            &several,
            &dead,
            vec![("reportingMTA", json!("dns; amazonses.com"))],
            unconfirmed,
        ),
        (&several[1..], &dead, vec![], global),
        (&[JOE, "Joe <JOE@example.net>"], &dead, vec![], global),
        (
            &several[1..],
            &[(JOE, "5.0.0")],
            vec![("remoteMtaIp", json!("198.51.100.7"))],
            unconfirmed,
        ),
    ];
    for (destination, reported, fields, expected) in rows {
        let case = format!("{destination:?} {reported:?} {fields:?}");
        assert_eq!(
            describe_actions(&report(destination, reported, &fields)),
            expected,
            "{case}"
        );
    }
}

#[test]
fn a_report_about_addresses_that_were_not_mailed() {
    let note = "history not-mailed-hard";
    let rows = [
        (
            vec![JANE, JOE],
            vec![(STRANGER, "5.1.1")],
            format!("{note}, claim hard"),
        ),
        (
            vec![JANE, JOE],
            vec![(STRANGER, "4.2.2")],
            "history not-mailed-soft, claim soft".to_owned(),
        ),
        (
            vec![JANE, JOE],
            vec![("a@example.org", "5.1.1"), ("b@example.org", "5.1.1")],
            format!("{note}, {note}, claim hard"),
        ),
        (
            vec![JANE, JOE],
            vec![(JOE, "4.2.2"), (STRANGER, "5.1.1")],
            format!("soft domain:shop.example, count soft, {note}"),
        ),
        (
            vec![JANE],
            vec![(STRANGER, "5.1.1")],
            "suppress global|bounce, claim hard".to_owned(),
        ),
        (
            vec![JANE],
            vec![("a@example.org", "5.1.1"), ("b@example.org", "5.1.1")],
            "suppress global|bounce, claim hard".to_owned(),
        ),
        (
            vec![JANE],
            vec![("a@example.org", "5.1.1"), ("b@example.org", "4.2.2")],
            "history forwarded, claim hard".to_owned(),
        ),
        (
            vec![JANE],
            vec![(JANE, "4.2.2"), (STRANGER, "5.1.1")],
            format!("soft domain:shop.example, count soft, {note}"),
        ),
        (vec![], vec![(STRANGER, "5.1.1")], note.to_owned()),
    ];
    for (destination, reported, expected) in rows {
        let case = format!("{destination:?} {reported:?}");
        assert_eq!(
            describe_actions(&report(&destination, &reported, &[])),
            expected,
            "{case}"
        );
    }
}

#[test]
fn a_report_that_arrived_by_mail_is_never_the_word_of_ses_and_counts_nothing() {
    let mut notification = report(&[JANE], &[(JANE, "5.1.1")], &[("bounceSubType", json!("Suppressed"))]);
    notification.mail.source_arn = None;
    notification.mail.sending_account_id = None;
    notification.mail.source = Some("news@shop.example".to_owned());
    assert_eq!(describe_actions(&notification), "unconfirmed domain:shop.example");
}

#[test]
fn a_complaint_that_names_nobody_mailed_counts_once() {
    let complaint = |destination: &[&str], feedback_type: &str| {
        let object = json!({"timestamp": AT, "complaintFeedbackType": feedback_type,
                            "complainedRecipients": [{"emailAddress": STRANGER}, {"emailAddress": "b@example.org"}]});
        let mut notification = notification("Complaint", "complaint", object, json!({}));
        notification.mail.destination = destination.iter().map(|address| (*address).to_owned()).collect();
        describe_actions(&notification)
    };
    let notes = "history not-mailed-complaint, history not-mailed-complaint";
    assert_eq!(complaint(&[JANE, JOE], "abuse"), format!("{notes}, claim complaint"));
    assert_eq!(complaint(&[JANE, JOE], "not-spam"), notes);
    assert_eq!(complaint(&[], "abuse"), notes);
    assert_eq!(
        complaint(&[JANE], "abuse"),
        "suppress domain:shop.example|complaint, count complaint",
        "the message was forwarded"
    );
}

#[test]
fn a_tenant_of_another_account_has_a_scope_of_its_own() {
    let scope = |account: &str| {
        let object = json!({"timestamp": AT, "complainedRecipients": [{"emailAddress": JANE}]});
        let tags = json!({"ses:tenant-name": ["acme"]});
        let notification = notification("Complaint", "complaint", object, tags);
        let policy = Policy {
            account: account.parse().ok(),
            ..Policy::default()
        };
        let facts = Facts {
            published_at: AT.parse().unwrap(),
        };
        match &decide(&notification, &facts, &policy)[..] {
            [Action::RecordSuppression { scope, .. }, ..] => scope.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(scope("111122223333"), "tenant:acme");
    assert_eq!(scope("999900001111"), "tenant:111122223333/acme");
}

#[test]
fn the_reason_of_a_hard_bounce_says_how_sure_it_is_and_what_would_make_it_surer() {
    let reason = |destination: &[&str], status: &str| {
        let notification = report(destination, &[(JANE, status)], &[]);
        let facts = Facts {
            published_at: AT.parse().unwrap(),
        };
        match &decide(&notification, &facts, &Policy::default())[..] {
            [
                Action::RecordSuppression { history, .. } | Action::AddBounce { history, .. },
                ..,
            ] => history.reason.clone(),
            other => panic!("{other:?}"),
        }
    };
    let reasons = [
        reason(&[JANE], "5.1.1"),
        reason(&[JANE, JOE], "5.1.1"),
        reason(&[JANE], "5.0.0"),
        reason(&[JANE, JOE], "5.0.0"),
    ];
    let expected = [
        r#"hard bounce, user-unknown: status 5.1.1 (bad destination mailbox address) (stated, confirmed by the message's only recipient)"#,
        r#"unconfirmed hard bounce, user-unknown: status 5.1.1 (bad destination mailbox address) (stated; surer in SES's own SMTP conversation or about a message with one recipient)"#,
        r#"unconfirmed hard bounce, on-hold: SES type Permanent; status 5.0.0 (other or undefined status) (assumed; surer with a reply or status that says why the address fails)"#,
        r#"unconfirmed hard bounce, on-hold: SES type Permanent; status 5.0.0 (other or undefined status) (assumed; surer with a reply or status that says why the address fails, in SES's own SMTP conversation or about a message with one recipient)"#,
    ];
    assert_eq!(reasons, expected);
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
