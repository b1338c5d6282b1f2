//! A notification on its way to one target, and how it waits in the `deliver` queue.
//!
//! Every target's delivery is a message of its own there: it is retried on its own, and the others neither wait for it
//! nor get theirs again.

use std::collections::BTreeMap;
use std::hash::Hasher;

use notification_model::{EmailAddress, Event};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use siphasher::sip128::{Hasher128, SipHasher13};
use store::{Target, stamp};

use crate::decide::Received;

/// One notification for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Who gets it.
    pub target: Target,
    /// The same for every delivery of the same event to the same target.
    pub key: String,
    /// Why this target gets it, in words.
    pub reason: String,
    /// For filters: type, ownership, identity, route, key.
    pub attributes: BTreeMap<String, String>,
    /// What it gets.
    pub body: String,
}

/// A message in the `deliver` queue that this function did not write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a delivery as this function writes it")]
pub struct NotADelivery;

mod wire {
    use super::{BTreeMap, Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    pub(super) struct Envelope {
        pub(super) postroom: String,
        pub(super) target: String,
        pub(super) key: String,
        pub(super) reason: String,
        pub(super) attributes: BTreeMap<String, String>,
        pub(super) body: String,
    }
}

impl Delivery {
    /// The message for the `deliver` queue.
    #[must_use]
    pub fn to_message(&self) -> String {
        let envelope = wire::Envelope {
            postroom: "delivery".to_owned(),
            target: self.target.to_string(),
            key: self.key.clone(),
            reason: self.reason.clone(),
            attributes: self.attributes.clone(),
            body: self.body.clone(),
        };
        // Strings and a map of strings always have a JSON form.
        serde_json::to_string(&envelope).unwrap_or_default()
    }

    /// Reads such a message.
    ///
    /// # Errors
    /// When it is none. The error quotes nothing.
    pub fn from_message(text: &str) -> Result<Self, NotADelivery> {
        let fields = serde_json::from_str(text).map_err(|_| NotADelivery)?;
        Self::from_fields(fields)
    }

    /// Reads a delivery from the fields of a message.
    ///
    /// # Errors
    /// When it is none. The error quotes nothing.
    pub fn from_fields(fields: Map<String, Value>) -> Result<Self, NotADelivery> {
        let envelope: wire::Envelope = serde_json::from_value(Value::Object(fields)).map_err(|_| NotADelivery)?;
        if envelope.postroom != "delivery" {
            return Err(NotADelivery);
        }
        Ok(Self {
            target: envelope.target.parse().map_err(|_| NotADelivery)?,
            key: envelope.key,
            reason: envelope.reason,
            attributes: envelope.attributes,
            body: envelope.body,
        })
    }
}

/// What names an event and a target. SES tells of one bounce through the identity's topic and through the configuration
/// set: both have the same key. The message id stands in the open, because SES chooses it: what a sender chooses only
/// enters the hash, and can collide with events of the same message at most.
pub(crate) fn idempotency_key(received: &Received, target_key: &str) -> String {
    let notification = &received.notification;
    let mut parts = vec![notification.event.name().to_owned(), stamp(notification.occurred_at())];
    let keys = |addresses: Vec<&EmailAddress>| {
        let mut keys: Vec<String> = addresses.into_iter().map(|address| address.key().to_owned()).collect();
        keys.sort();
        keys
    };
    match &notification.event {
        Event::Bounce(bounce) => {
            parts.push(bounce.bounce_type.to_string());
            parts.push(bounce.bounce_sub_type.to_string());
            parts.extend(keys(
                bounce.bounced_recipients.iter().map(|one| &one.email_address).collect(),
            ));
        }
        Event::Complaint(complaint) => {
            parts.extend(keys(
                complaint
                    .complained_recipients
                    .iter()
                    .map(|one| &one.email_address)
                    .collect(),
            ));
        }
        Event::Delivery(delivery) => parts.extend(keys(delivery.recipients.iter().collect())),
        Event::DeliveryDelay(delay) => parts.push(written(delay)),
        Event::Open(open) => parts.push(written(open)),
        Event::Click(click) => parts.push(written(click)),
        Event::Subscription(subscription) => parts.push(written(subscription)),
        Event::Send | Event::Reject(_) | Event::RenderingFailure(_) => {
            parts.extend(notification.mail.destination.iter().cloned());
        }
        Event::Other(_) => parts.push(received.payload.trim().to_owned()),
    }
    parts.push(target_key.to_owned());

    let mut hasher = SipHasher13::new();
    for part in &parts {
        hasher.write(part.as_bytes());
        hasher.write_u8(0xff);
    }
    let hash = hasher.finish128();
    format!("{}-{:016x}{:016x}", notification.mail.message_id, hash.h1, hash.h2)
}

/// The same for the same event, in whatever order SNS and EventBridge wrote its fields.
fn written(event: &impl Serialize) -> String {
    serde_json::to_string(event).unwrap_or_default()
}
