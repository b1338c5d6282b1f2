//! A digest that SES rejected permanently, as a message of the dead-letter queue.
//!
//! The message names the digest; its items stay in the table for 14 days. An operator who has corrected the cause moves the
//! message back to the delivery queue, and the function sends the digest.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use store::{DigestKey, stamp};

/// The name of the message format.
const FORMAT: &str = "rejected-digest";

/// A digest that SES rejected permanently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedDigest {
    /// The digest.
    pub digest: DigestKey,
}

/// A message that is not a rejected digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a rejected digest as this function dead-letters it: {0} is missing or has another format")]
pub struct NotARejectedDigest(&'static str);

impl RejectedDigest {
    /// The message for the dead-letter queue.
    #[must_use]
    pub fn to_message(&self) -> String {
        let DigestKey { address, window } = &self.digest;
        json!({"postroom": FORMAT, "address": address, "window": stamp(*window)}).to_string()
    }

    /// Reads a message of the delivery queue or its dead-letter queue.
    ///
    /// # Errors
    /// When it is not a rejected digest. The error quotes nothing of the message.
    pub fn from_message(text: &str) -> Result<Self, NotARejectedDigest> {
        let fields: Map<String, Value> = serde_json::from_str(text).map_err(|_| NotARejectedDigest("postroom"))?;
        Self::from_fields(&fields)
    }

    /// Returns whether the fields of a message say that it is a rejected digest.
    #[must_use]
    pub fn is_rejected_digest(fields: &Map<String, Value>) -> bool {
        fields.get("postroom").and_then(Value::as_str) == Some(FORMAT)
    }

    /// Reads the fields of a message of the delivery queue.
    ///
    /// # Errors
    /// When it is not a rejected digest. The error names the field and quotes nothing of the message.
    pub fn from_fields(fields: &Map<String, Value>) -> Result<Self, NotARejectedDigest> {
        if !Self::is_rejected_digest(fields) {
            return Err(NotARejectedDigest("postroom"));
        }
        let text = |name: &'static str| {
            let value = fields.get(name).and_then(Value::as_str);
            value.filter(|value| !value.is_empty()).ok_or(NotARejectedDigest(name))
        };
        let window: Timestamp = text("window")?.parse().map_err(|_| NotARejectedDigest("window"))?;
        let address = text("address")?.to_owned();
        Ok(Self {
            digest: DigestKey { address, window },
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use store::DigestKey;

    use super::RejectedDigest;

    #[test]
    fn a_written_message_reads_the_same() {
        let rejected = RejectedDigest {
            digest: DigestKey {
                address: "ops@shop.example".to_owned(),
                window: "2026-03-02T08:00:00Z".parse().unwrap(),
            },
        };
        assert_eq!(RejectedDigest::from_message(&rejected.to_message()), Ok(rejected));
    }

    #[test]
    fn an_error_names_the_field_and_quotes_nothing() {
        let valid = json!({"postroom": "rejected-digest", "address": "a@b.example", "window": "2026-03-02T08:00:00Z"});
        for (field, value) in [
            ("postroom", json!("secret")),
            ("address", json!("")),
            ("window", json!("secret")),
            ("window", json!(7)),
        ] {
            let mut message = valid.clone();
            message[field] = value;
            let error = RejectedDigest::from_message(&message.to_string())
                .unwrap_err()
                .to_string();
            assert!(error.contains(&format!(": {field} ")), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(RejectedDigest::from_message("secret").is_err());
    }
}
