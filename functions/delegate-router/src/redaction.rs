//! The redacted form of a notification. Pure.
//!
//! It is built from the fields that may be disclosed. Structs are destructured by field name, so a field that is added to the
//! model is a compile error here and is not disclosed by default.

use notification_model::{
    Bounce, BouncedRecipient, Channel, Click, Complaint, DelayedRecipient, Delivery, DeliveryDelay, EmailAddress,
    Event, Mail, Notification, Open, Reject, RenderingFailure, Subscription,
};
use serde_json::{Map, Value, json};
use store::stamp;

/// The tags of SES that are disclosed. Its other tags contain IP addresses and IAM identities.
const DISCLOSED_TAGS: [&str; 4] = [
    "ses:configuration-set",
    "ses:from-domain",
    "ses:operation",
    "ses:tenant-name",
];

/// Returns the redacted notification in the format of SES: the event, its time and the recipients it concerns, the message
/// id, the accounts and the tags of SES. `destination` contains only the recipients that the event concerns.
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
    let mut redacted = Map::from_iter([
        (type_field.to_owned(), json!(event.name())),
        ("mail".to_owned(), redacted_mail(mail, event)),
    ]);
    redacted.extend(redacted_event(event).map(|(name, object)| (name.to_owned(), object)));
    Value::Object(redacted)
}

/// Returns the recipients that the event concerns. Every event of a message with one recipient concerns that one. An open of
/// a message with several recipients does not name one.
#[must_use]
pub fn own_recipients(notification: &Notification) -> Vec<String> {
    recipients_of(&notification.mail, &notification.event)
}

fn recipients_of(mail: &Mail, event: &Event) -> Vec<String> {
    let addresses: Vec<&EmailAddress> = match event {
        Event::Bounce(bounce) => bounce
            .bounced_recipients
            .iter()
            .map(|recipient| &recipient.email_address)
            .collect(),
        Event::Complaint(complaint) => complaint
            .complained_recipients
            .iter()
            .map(|recipient| &recipient.email_address)
            .collect(),
        Event::Delivery(delivery) => delivery.recipients.iter().collect(),
        Event::DeliveryDelay(delay) => delay
            .delayed_recipients
            .iter()
            .map(|recipient| &recipient.email_address)
            .collect(),
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
    let tags: Map<String, Value> = DISCLOSED_TAGS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), json!(mail.tags.get(*name)?))))
        .collect();
    object([
        ("timestamp", json!(stamp(mail.timestamp))),
        ("messageId", json!(mail.message_id)),
        ("sourceArn", json!(mail.source_arn)),
        ("sendingAccountId", json!(mail.sending_account_id)),
        ("destination", json!(recipients_of(mail, event))),
        ("tags", if tags.is_empty() { Value::Null } else { json!(tags) }),
    ])
}

/// The object of the event under its name in SES. `None` for an unknown event type, whose fields are unknown as well.
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
            // Query and fragment often contain a token of the recipient.
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
        .map(|recipient| json!({"emailAddress": recipient.email_address.as_str()}));
    object([
        ("complainedRecipients", recipients.collect()),
        ("timestamp", json!(stamp(*timestamp))),
        ("feedbackId", json!(feedback_id)),
        ("complaintSubType", json!(complaint_sub_type)),
        // The software that created the feedback report, not a browser of the recipient.
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
    use notification_model::{Notification, SesMessage, parse};
    use serde_json::{Value, json};

    use super::redacted;

    /// The event type, the name of its object, the object with fields that must not be disclosed, and its redacted form.
    fn events() -> Vec<(&'static str, &'static str, Value, Value)> {
        let recipient = |address: &str| json!({"emailAddress": address});
        vec![
            ("Send", "send", json!({}), json!({})),
            (
                "Reject",
                "reject",
                json!({"reason": "Bad content"}),
                json!({"reason": "Bad content"}),
            ),
            (
                "Delivery",
                "delivery",
                json!({"recipients": ["jane@example.net"], "remoteMtaIp": "198.51.100.SECRET", "smtpResponse": "250 ok",
                       "processingTimeMillis": 540, "reportingMTA": "a8-70.smtp-out.amazonses.com"}),
                json!({"processingTimeMillis": 540, "recipients": ["jane@example.net"], "smtpResponse": "250 ok",
                       "reportingMTA": "a8-70.smtp-out.amazonses.com"}),
            ),
            (
                "Bounce",
                "bounce",
                json!({"bounceType": "Permanent", "bounceSubType": "NoEmail", "timestamp": "2026-03-02T08:15:32Z",
                       "bouncedRecipients": [{"emailAddress": "jane@example.net", "action": "failed", "status": "5.1.1",
                                              "diagnosticCode": "smtp; 550 5.1.1 user unknown"}],
                       "feedbackId": "f1", "reportingMTA": "dsn; a8-70", "remoteMtaIp": "SECRET"}),
                json!({"bounceType": "Permanent", "bounceSubType": "NoEmail",
                       "bouncedRecipients": [{"emailAddress": "jane@example.net", "action": "failed", "status": "5.1.1",
                                              "diagnosticCode": "smtp; 550 5.1.1 user unknown"}],
                       "timestamp": "2026-03-02T08:15:32.000Z", "feedbackId": "f1", "reportingMTA": "dsn; a8-70"}),
            ),
            (
                "Complaint",
                "complaint",
                json!({"timestamp": "2026-03-02T08:15:32Z", "complainedRecipients": [recipient("jane@example.net")],
                       "complaintFeedbackType": "abuse", "userAgent": "Yahoo!-Mail-Feedback/2.0", "feedbackId": "f1"}),
                json!({"complainedRecipients": [recipient("jane@example.net")], "timestamp": "2026-03-02T08:15:32.000Z",
                       "feedbackId": "f1", "userAgent": "Yahoo!-Mail-Feedback/2.0", "complaintFeedbackType": "abuse"}),
            ),
            (
                "Open",
                "open",
                json!({"timestamp": "2026-03-02T08:15:32Z", "ipAddress": "SECRET", "userAgent": "SECRET"}),
                json!({"timestamp": "2026-03-02T08:15:32.000Z"}),
            ),
            (
                "Click",
                "click",
                json!({"link": "https://shop.example/a?token=SECRET#SECRET", "linkTags": {"a": ["SECRET"]}, "ipAddress": "SECRET"}),
                json!({"link": "https://shop.example/a"}),
            ),
            (
                "Rendering Failure",
                "failure",
                json!({"templateName": "t", "errorMessage": "no name"}),
                json!({"templateName": "t", "errorMessage": "no name"}),
            ),
            (
                "DeliveryDelay",
                "deliveryDelay",
                json!({"delayType": "MailboxFull", "delayedRecipients": [recipient("jane@example.net")]}),
                json!({"delayType": "MailboxFull", "delayedRecipients": [recipient("jane@example.net")]}),
            ),
            (
                "Subscription",
                "subscription",
                json!({"contactList": "news", "source": "UnsubscribeHeader"}),
                json!({"contactList": "news", "source": "UnsubscribeHeader"}),
            ),
            ("Unknown", "unknown", json!({"who": "SECRET"}), Value::Null),
        ]
    }

    fn notification(text: &str) -> Notification {
        match parse(text).unwrap() {
            SesMessage::Notification(notification) => notification,
            other => panic!("expected a notification: {other:?}"),
        }
    }

    #[test]
    fn only_disclosed_fields_remain_and_the_result_is_a_notification() {
        for (name, field, object, expected) in events() {
            let mail = json!({
                "timestamp": "2026-03-02T08:15:30.000Z", "messageId": "m1", "source": "SECRET@shop.example",
                "sourceArn": "arn:aws:ses:us-east-1:111122223333:identity/shop.example",
                "sendingAccountId": "222233334444", "sourceIp": "SECRET", "callerIdentity": "SECRET",
                "destination": ["jane@example.net", "SECRET@example.net"],
                "headers": [{"name": "Subject", "value": "SECRET"}], "commonHeaders": {"subject": "SECRET"},
                "tags": {"ses:source-ip": ["SECRET"], "ses:caller-identity": ["SECRET"], "campaign": ["SECRET"],
                         "ses:configuration-set": ["campaigns"]},
            });
            let original = notification(&json!({"eventType": name, field: object, "mail": mail}).to_string());
            let redacted_form = redacted(&original);
            assert!(!redacted_form.to_string().contains("SECRET"), "{name}: {redacted_form}");
            assert_eq!(redacted_form.get(field).unwrap_or(&Value::Null), &expected, "{name}");

            let concerned = expected.to_string().contains("jane@example.net");
            let destination = if concerned { vec!["jane@example.net"] } else { vec![] };
            assert_eq!(
                redacted_form["mail"],
                json!({
                    "timestamp": "2026-03-02T08:15:30.000Z", "messageId": "m1",
                    "sourceArn": "arn:aws:ses:us-east-1:111122223333:identity/shop.example",
                    "sendingAccountId": "222233334444", "destination": destination,
                    "tags": {"ses:configuration-set": ["campaigns"]},
                }),
                "{name}"
            );

            let again = notification(&redacted_form.to_string());
            assert_eq!(again.event.name(), name);
            assert_eq!(redacted(&again), redacted_form, "redacting twice changes nothing");
        }
    }
}
