//! What a target sees of a notification: the redacted form. Pure.
//!
//! It is built from what may be shown, not by taking away what may not: the structs are taken apart by name, so that a
//! field the model learns is a compile error here, and never shown by default.

use notification_model::{
    Bounce, BouncedRecipient, Channel, Click, Complaint, DelayedRecipient, Delivery, DeliveryDelay, EmailAddress,
    Event, Mail, Notification, Open, Reject, RenderingFailure, Subscription,
};
use serde_json::{Map, Value, json};
use store::stamp;

/// SES's own tags that say what was sent through what. Its others hold IP addresses and IAM identities.
const SHOWN_TAGS: [&str; 4] = [
    "ses:configuration-set",
    "ses:from-domain",
    "ses:operation",
    "ses:tenant-name",
];

/// The notification in SES's own format, so that what reads the one reads the other, with only: what happened, when, and
/// to whom; message id, ownership and SES's tags. `destination` are those it happened to.
#[must_use]
pub fn redacted(notification: &Notification) -> Value {
    let Notification {
        channel,
        mail,
        event,
        unreadable_recipients: _,
    } = notification;
    let type_field = match channel {
        Channel::Identity => "notificationType",
        Channel::ConfigurationSet => "eventType",
    };
    let mut shown = Map::from_iter([
        (type_field.to_owned(), json!(event.name())),
        ("mail".to_owned(), redacted_mail(mail, event)),
    ]);
    shown.extend(redacted_event(event).map(|(name, object)| (name.to_owned(), object)));
    Value::Object(shown)
}

/// Whom an event happened to, as far as it says. Every event of a message with one recipient is about that one; an open
/// does not say which of several it was.
#[must_use]
pub fn own_recipients(notification: &Notification) -> Vec<String> {
    own(&notification.mail, &notification.event)
}

fn own(mail: &Mail, event: &Event) -> Vec<String> {
    let addresses: Vec<&EmailAddress> = match event {
        Event::Bounce(bounce) => bounce.bounced_recipients.iter().map(|one| &one.email_address).collect(),
        Event::Complaint(complaint) => complaint
            .complained_recipients
            .iter()
            .map(|one| &one.email_address)
            .collect(),
        Event::Delivery(delivery) => delivery.recipients.iter().collect(),
        Event::DeliveryDelay(delay) => delay.delayed_recipients.iter().map(|one| &one.email_address).collect(),
        _ => match mail.destination.as_slice() {
            [only] => return vec![only.clone()],
            _ => Vec::new(),
        },
    };
    addresses
        .into_iter()
        .map(|address| address.as_str().to_owned())
        .collect()
}

fn redacted_mail(mail: &Mail, event: &Event) -> Value {
    let tags: Map<String, Value> = SHOWN_TAGS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), json!(mail.tags.get(*name)?))))
        .collect();
    object([
        ("timestamp", json!(stamp(mail.timestamp))),
        ("messageId", json!(mail.message_id)),
        ("sourceArn", json!(mail.source_arn)),
        ("sendingAccountId", json!(mail.sending_account_id)),
        ("destination", json!(own(mail, event))),
        ("tags", if tags.is_empty() { Value::Null } else { json!(tags) }),
    ])
}

/// The event's object under SES's name for it; none for a type of which it is not known what it holds.
fn redacted_event(event: &Event) -> Option<(&'static str, Value)> {
    Some(match event {
        Event::Send => ("send", json!({})),
        Event::Bounce(bounce) => ("bounce", redacted_bounce(bounce)),
        Event::Complaint(complaint) => ("complaint", redacted_complaint(complaint)),
        Event::Delivery(delivery) => ("delivery", redacted_delivery(delivery)),
        Event::DeliveryDelay(delay) => ("deliveryDelay", redacted_delay(delay)),
        Event::Reject(Reject { reason }) => ("reject", object([("reason", json!(reason))])),
        Event::RenderingFailure(RenderingFailure {
            template_name,
            error_message,
        }) => {
            let fields = [
                ("templateName", json!(template_name)),
                ("errorMessage", json!(error_message)),
            ];
            ("failure", object(fields))
        }
        Event::Open(Open {
            timestamp,
            user_agent: _,
            ip_address: _,
        }) => ("open", object([("timestamp", json!(timestamp.map(stamp)))])),
        Event::Click(Click {
            timestamp,
            link,
            link_tags: _,
            user_agent: _,
            ip_address: _,
        }) => {
            // What follows the path is often a key to the recipient's account.
            let page = link.as_deref().and_then(|link| link.split(['?', '#']).next());
            (
                "click",
                object([("timestamp", json!(timestamp.map(stamp))), ("link", json!(page))]),
            )
        }
        Event::Subscription(Subscription {
            contact_list,
            timestamp,
            source,
            new_topic_preferences,
            old_topic_preferences,
        }) => {
            let fields = [
                ("contactList", json!(contact_list)),
                ("timestamp", json!(timestamp.map(stamp))),
                ("source", json!(source)),
                ("newTopicPreferences", json!(new_topic_preferences)),
                ("oldTopicPreferences", json!(old_topic_preferences)),
            ];
            ("subscription", object(fields))
        }
        Event::Other(_) => return None,
    })
}

fn redacted_bounce(bounce: &Bounce) -> Value {
    let Bounce {
        bounce_type,
        bounce_sub_type,
        bounced_recipients,
        timestamp,
        feedback_id,
        reporting_mta,
        remote_mta_ip: _,
    } = bounce;
    let recipient = |recipient: &BouncedRecipient| {
        let BouncedRecipient {
            email_address,
            action,
            status,
            diagnostic_code,
        } = recipient;
        object([
            ("emailAddress", json!(email_address.as_str())),
            ("action", json!(action)),
            ("status", json!(status)),
            ("diagnosticCode", json!(diagnostic_code)),
        ])
    };
    object([
        ("bounceType", json!(bounce_type)),
        ("bounceSubType", json!(bounce_sub_type)),
        ("bouncedRecipients", bounced_recipients.iter().map(recipient).collect()),
        ("timestamp", json!(stamp(*timestamp))),
        ("feedbackId", json!(feedback_id)),
        ("reportingMTA", json!(reporting_mta)),
    ])
}

fn redacted_complaint(complaint: &Complaint) -> Value {
    let Complaint {
        complained_recipients,
        timestamp,
        feedback_id,
        complaint_sub_type,
        user_agent,
        complaint_feedback_type,
        arrival_date,
    } = complaint;
    let recipients = complained_recipients
        .iter()
        .map(|one| json!({"emailAddress": one.email_address.as_str()}));
    object([
        ("complainedRecipients", recipients.collect()),
        ("timestamp", json!(stamp(*timestamp))),
        ("feedbackId", json!(feedback_id)),
        ("complaintSubType", json!(complaint_sub_type)),
        // The software that made the feedback report, nobody's browser.
        ("userAgent", json!(user_agent)),
        ("complaintFeedbackType", json!(complaint_feedback_type)),
        ("arrivalDate", json!(arrival_date.map(stamp))),
    ])
}

fn redacted_delivery(delivery: &Delivery) -> Value {
    let Delivery {
        timestamp,
        processing_time_millis,
        recipients,
        smtp_response,
        reporting_mta,
        remote_mta_ip: _,
    } = delivery;
    object([
        ("timestamp", json!(timestamp.map(stamp))),
        ("processingTimeMillis", json!(processing_time_millis)),
        ("recipients", recipients.iter().map(EmailAddress::as_str).collect()),
        ("smtpResponse", json!(smtp_response)),
        ("reportingMTA", json!(reporting_mta)),
    ])
}

fn redacted_delay(delay: &DeliveryDelay) -> Value {
    let DeliveryDelay {
        timestamp,
        delay_type,
        expiration_time,
        reporting_mta,
        delayed_recipients,
    } = delay;
    let recipient = |recipient: &DelayedRecipient| {
        let DelayedRecipient {
            email_address,
            status,
            diagnostic_code,
        } = recipient;
        object([
            ("emailAddress", json!(email_address.as_str())),
            ("status", json!(status)),
            ("diagnosticCode", json!(diagnostic_code)),
        ])
    };
    object([
        ("timestamp", json!(timestamp.map(stamp))),
        ("delayType", json!(delay_type)),
        ("expirationTime", json!(expiration_time.map(stamp))),
        ("reportingMTA", json!(reporting_mta)),
        ("delayedRecipients", delayed_recipients.iter().map(recipient).collect()),
    ])
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let present = fields.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(present.map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use notification_model::{SesMessage, parse};
    use serde_json::{Value, json};

    use super::redacted;

    const EVENTS: [(&str, &str, &str); 10] = [
        ("Send", "send", "{}"),
        ("Reject", "reject", r#"{"reason": "Bad content"}"#),
        (
            "Delivery",
            "delivery",
            r#"{"recipients": ["jane@example.net"], "remoteMtaIp": "198.51.100.SECRET", "smtpResponse": "250 ok"}"#,
        ),
        (
            "Bounce",
            "bounce",
            r#"{"bounceType": "Permanent", "bounceSubType": "NoEmail", "timestamp": "2026-03-02T08:15:32Z",
                "bouncedRecipients": [{"emailAddress": "jane@example.net", "status": "5.1.1"}], "remoteMtaIp": "SECRET"}"#,
        ),
        (
            "Complaint",
            "complaint",
            r#"{"timestamp": "2026-03-02T08:15:32Z", "complainedRecipients": [{"emailAddress": "jane@example.net"}]}"#,
        ),
        ("Open", "open", r#"{"ipAddress": "SECRET", "userAgent": "SECRET"}"#),
        (
            "Click",
            "click",
            r#"{"link": "https://shop.example/a?token=SECRET#SECRET", "linkTags": {"a": ["SECRET"]}, "ipAddress": "SECRET"}"#,
        ),
        (
            "Rendering Failure",
            "failure",
            r#"{"templateName": "t", "errorMessage": "no name"}"#,
        ),
        (
            "DeliveryDelay",
            "deliveryDelay",
            r#"{"delayType": "MailboxFull", "delayedRecipients": [{"emailAddress": "jane@example.net"}]}"#,
        ),
        ("Later", "deferred", r#"{"who": "SECRET"}"#),
    ];

    #[test]
    fn nothing_is_shown_that_is_not_ones_own_and_the_rest_reads_as_before() {
        for (name, field, object) in EVENTS {
            let object: Value = serde_json::from_str(object).unwrap();
            let mail = json!({
                "timestamp": "2026-03-02T08:15:30.000Z", "messageId": "m1", "source": "SECRET@shop.example",
                "sourceArn": "arn:aws:ses:us-east-1:111122223333:identity/shop.example",
                "sendingAccountId": "222233334444", "sourceIp": "SECRET", "callerIdentity": "SECRET",
                "destination": ["jane@example.net", "SECRET@example.net"],
                "headers": [{"name": "Subject", "value": "SECRET"}], "commonHeaders": {"subject": "SECRET"},
                "tags": {"ses:source-ip": ["SECRET"], "ses:caller-identity": ["SECRET"], "campaign": ["SECRET"],
                         "ses:configuration-set": ["campaigns"]},
            });
            let text = json!({"eventType": name, field: object, "mail": mail}).to_string();
            let SesMessage::Notification(notification) = parse(&text).unwrap() else {
                panic!("{name}")
            };
            let shown = redacted(&notification);
            assert!(!shown.to_string().contains("SECRET"), "{name}: {shown}");

            let SesMessage::Notification(again) = parse(&shown.to_string()).unwrap() else {
                panic!("{name}")
            };
            assert_eq!(again.event.name(), name);
            assert_eq!(again.mail.source_arn, notification.mail.source_arn);
            assert_eq!(again.mail.configuration_set(), Some("campaigns"));
            assert_eq!(redacted(&again), shown, "redacted again it is the same");
        }
    }
}
