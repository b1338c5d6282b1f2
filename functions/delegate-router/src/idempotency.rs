//! Idempotency keys of deliveries. Pure.

use std::hash::Hasher;

use notification_model::{EmailAddress, Event};
use serde::Serialize;
use siphasher::sip128::{Hasher128, SipHasher13};
use store::stamp;

use crate::alert::Alert;
use crate::received::Received;

/// The key of an event and a target: the message id and a hash.
///
/// SES can report an event through the topic of the identity and through the configuration set: both have the same key. The
/// message id is not hashed because SES assigns it. What a sender controls is only part of the hash, so it can collide with
/// other events of the same message only.
pub(crate) fn notification_key(received: &Received, target_key: &str) -> String {
    let notification = &received.notification;
    let mut parts = vec![notification.event.name().to_owned(), stamp(notification.occurred_at())];
    match &notification.event {
        Event::Bounce(bounce) => {
            parts.push(bounce.bounce_type.to_string());
            parts.push(bounce.bounce_sub_type.to_string());
            let recipients = bounce.bounced_recipients.iter();
            parts.extend(sorted_keys(recipients.map(|recipient| &recipient.email_address)));
        }
        Event::Complaint(complaint) => {
            let recipients = complaint.complained_recipients.iter();
            parts.extend(sorted_keys(recipients.map(|recipient| &recipient.email_address)));
        }
        Event::Delivery(delivery) => parts.extend(sorted_keys(delivery.recipients.iter())),
        Event::DeliveryDelay(delay) => parts.push(serialized(delay)),
        Event::Open(open) => parts.push(serialized(open)),
        Event::Click(click) => parts.push(serialized(click)),
        Event::Subscription(subscription) => parts.push(serialized(subscription)),
        Event::Send | Event::Reject(_) | Event::RenderingFailure(_) => {
            parts.extend(notification.mail.destination.iter().cloned());
        }
        Event::Other(_) => parts.push(received.payload.trim().to_owned()),
    }
    parts.push(target_key.to_owned());
    format!("{}-{}", notification.mail.message_id, hash(&parts))
}

/// The key of an alert and a target. A hash, because the id of an alert may be longer than a FIFO queue accepts.
pub(crate) fn alert_key(alert: &Alert, target_key: &str) -> String {
    format!("alert-{}", hash(&[alert.id.clone(), target_key.to_owned()]))
}

fn sorted_keys<'a>(addresses: impl Iterator<Item = &'a EmailAddress>) -> Vec<String> {
    let mut keys: Vec<String> = addresses.map(|address| address.key().to_owned()).collect();
    keys.sort();
    keys
}

/// The same text for the same event: SNS and EventBridge order its fields differently.
fn serialized(event: &impl Serialize) -> String {
    serde_json::to_string(event).unwrap_or_default()
}

fn hash(parts: &[String]) -> String {
    let mut hasher = SipHasher13::new();
    for part in parts {
        hasher.write(part.as_bytes());
        hasher.write_u8(0xff);
    }
    let hash = hasher.finish128();
    format!("{:016x}{:016x}", hash.h1, hash.h2)
}
