//! A notification or alert for one target, and its message in the delivery queue.
//!
//! Each delivery is a message of its own, so a target that fails is retried without delaying or repeating the others.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use store::Target;

/// A notification or alert for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The target.
    pub target: Target,
    /// The idempotency key: the same for every delivery of the same event to the same target.
    pub key: String,
    /// Why this target receives it.
    pub reason: String,
    /// Message attributes for filter policies: event type, accounts, identity, route, idempotency key.
    pub attributes: BTreeMap<String, String>,
    /// The body.
    pub body: String,
}

/// The result of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// The target accepted it.
    Delivered,
    /// The target rejected it permanently, and it is in the dead-letter queue.
    DeadLettered,
}

/// A message that is not a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a delivery as this function enqueues it")]
pub struct NotADelivery;

mod wire {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};

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
    /// The message for the delivery queue.
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
        // Strings and maps of strings always have a JSON form.
        serde_json::to_string(&envelope).unwrap_or_default()
    }

    /// Reads a message of the delivery queue.
    ///
    /// # Errors
    /// When it is not a delivery. The error quotes nothing of the message.
    pub fn from_message(text: &str) -> Result<Self, NotADelivery> {
        Self::from_fields(serde_json::from_str(text).map_err(|_| NotADelivery)?)
    }

    /// Reads the fields of a message of the delivery queue.
    ///
    /// # Errors
    /// When it is not a delivery. The error quotes nothing of the message.
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
