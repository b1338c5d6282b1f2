//! The JSON of a notification or event, as in
//! <https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html> and
//! <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>.

use fastrand::Rng;
use serde_json::{Value, json};

use super::event::{BouncedRecipient, Channel, EventDetails, ScenarioEvent};

/// A text that only an unredacted notification contains.
pub const SECRET: &str = "text-of-the-unredacted-notification";

/// The notification (identity) or event (configuration set).
pub(super) fn notification(rng: &mut Rng, event: &ScenarioEvent, channel: Channel) -> Value {
    let (name, field, object) = details(rng, event);
    let mail = mail(rng, event, channel);
    match channel {
        Channel::Identity => json!({"notificationType": name, field: object, "mail": mail}),
        Channel::ConfigurationSet => json!({"eventType": name, field: object, "mail": mail}),
    }
}

/// Event type, name of the event's object, and the object.
fn details(rng: &mut Rng, event: &ScenarioEvent) -> (&'static str, &'static str, Value) {
    let timestamp = event.reported_at.to_string();
    match &event.details {
        EventDetails::Bounce(bounced) => {
            let recipients: Vec<Value> = bounced.iter().map(|one| bounced_recipient(rng, one)).collect();
            let case = bounced[0].case;
            let mut object = json!({
                "bounceType": case.bounce_type, "bounceSubType": case.bounce_sub_type, "bouncedRecipients": recipients,
                "timestamp": timestamp, "feedbackId": format!("feedback-{}", rng.u32(..1000)),
            });
            if event.in_conversation {
                object["remoteMtaIp"] = json!("198.51.100.7");
            }
            ("Bounce", "bounce", object)
        }
        EventDetails::Complaint {
            feedback_type,
            sub_type,
            recipients,
        } => {
            let object = json!({
                "complainedRecipients": address_objects(rng, recipients), "timestamp": timestamp,
                "complaintFeedbackType": feedback_type, "complaintSubType": sub_type,
                "feedbackId": format!("feedback-{}", rng.u32(..1000)),
            });
            ("Complaint", "complaint", object)
        }
        EventDetails::Delivery(recipients) => {
            let recipients = spell_all(rng, recipients);
            let object = json!({"timestamp": timestamp, "recipients": recipients});
            ("Delivery", "delivery", object)
        }
        EventDetails::Subscription { opted_out } => {
            let status = if *opted_out { "OptOut" } else { "OptIn" };
            let topics = json!([{"topicName": "weekly", "subscriptionStatus": status}]);
            let preferences = json!({"unsubscribeAll": opted_out, "topicSubscriptionStatus": topics});
            let object = json!({"contactList": "readers", "timestamp": timestamp, "newTopicPreferences": preferences});
            ("Subscription", "subscription", object)
        }
        EventDetails::WholeMessage { event_type, field } => (*event_type, *field, json!({})),
        EventDetails::DeliveryDelay => {
            let recipients = address_objects(rng, &event.destination);
            let object = json!({"timestamp": timestamp, "delayType": "MailboxFull", "delayedRecipients": recipients});
            ("DeliveryDelay", "deliveryDelay", object)
        }
        EventDetails::Ignored(name) => (*name, "open", json!({"timestamp": timestamp})),
    }
}

fn bounced_recipient(rng: &mut Rng, bounced: &BouncedRecipient) -> Value {
    let mut recipient = json!({"emailAddress": spell(rng, bounced.address)});
    let fields = [
        ("action", bounced.case.action),
        ("status", bounced.case.status),
        ("diagnosticCode", bounced.case.diagnostic_code),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            recipient[name] = json!(value);
        }
    }
    recipient
}

fn mail(rng: &mut Rng, event: &ScenarioEvent, channel: Channel) -> Value {
    let mut mail = json!({
        "timestamp": event.sent_at.to_string(), "messageId": event.message_id,
        "destination": spell_all(rng, &event.destination), "source": format!("News <news@{}>", event.from_domain),
        "headers": [{"name": "Subject", "value": SECRET}],
    });
    if let Some((owner, identity)) = &event.identity {
        mail["sourceArn"] = json!(format!("arn:aws:ses:us-east-1:{owner}:identity/{identity}"));
    }
    if let Some(account) = event.sending_account {
        mail["sendingAccountId"] = json!(account);
    }
    if channel == Channel::ConfigurationSet {
        mail["tags"] = json!({
            "ses:configuration-set": [event.configuration_set], "ses:from-domain": [event.from_domain],
            "campaign": [SECRET],
        });
        if let Some(tenant) = event.tenant {
            mail["tags"]["ses:tenant-name"] = json!([tenant]);
        }
    }
    mail
}

fn address_objects(rng: &mut Rng, addresses: &[&str]) -> Vec<Value> {
    let object = |address: &&str| json!({"emailAddress": spell(rng, address)});
    addresses.iter().map(object).collect()
}

fn spell_all(rng: &mut Rng, addresses: &[&str]) -> Vec<String> {
    addresses.iter().map(|address| spell(rng, address)).collect()
}

/// One of the spellings of an address. All of them name the same mailbox.
fn spell(rng: &mut Rng, address: &str) -> String {
    match rng.u32(..6) {
        0 => format!("\"Some One\" <{address}>"),
        1 => address.to_uppercase(),
        2 => format!("<{address}>"),
        3 => address.replace("xn--bcher-kva", "b\u{fc}cher"),
        _ => address.to_owned(),
    }
}
