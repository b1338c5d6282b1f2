//! An alert of the reputation monitor, as it arrives in the delivery queue.

use serde_json::{Map, Value};

/// The event name of alerts in the `events` of a route.
pub const ALERT: &str = "Alert";

/// The attribute that only deliveries of alerts have.
pub(crate) const ALERT_ID: &str = "alertId";

/// An alert to be routed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Identifies the crossing. Every message about the same crossing has the same id.
    pub id: String,
    /// `Warning`, `Enforcement` or `AllClear`.
    pub kind: String,
    /// The identity owner, or another text when it is unknown.
    pub owner: String,
    /// The sending account, or another text when it is unknown.
    pub account: String,
    /// The identity.
    pub identity: String,
    /// The alert in JSON, as the targets receive it.
    pub body: String,
}

/// A message that is not an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAlert {
    /// The message is not a JSON object with `"postroom": "alert"`.
    #[error("expected a message with \"postroom\": \"alert\"")]
    Format,
    /// A field is missing or not a string.
    #[error("expected an alert of the reputation monitor: {0} is missing or not a string")]
    Field(&'static str),
}

impl Alert {
    /// Reads a message of the delivery queue.
    ///
    /// # Errors
    /// When it is not an alert. The error quotes nothing of the message.
    pub fn from_message(text: &str) -> Result<Self, NotAnAlert> {
        let fields: Map<String, Value> = serde_json::from_str(text).map_err(|_| NotAnAlert::Format)?;
        Self::from_fields(fields)
    }

    /// Returns whether the fields of a message say that it is an alert.
    #[must_use]
    pub fn is_alert(fields: &Map<String, Value>) -> bool {
        fields.get("postroom").and_then(Value::as_str) == Some("alert")
    }

    /// Reads an alert from the fields of a message of the delivery queue.
    ///
    /// # Errors
    /// When it is not an alert. The error names the missing field and quotes nothing of the message.
    pub fn from_fields(mut fields: Map<String, Value>) -> Result<Self, NotAnAlert> {
        if !Self::is_alert(&fields) {
            return Err(NotAnAlert::Format);
        }
        let text = |name: &'static str| {
            let value = fields.get(name).and_then(Value::as_str);
            value.map(str::to_owned).ok_or(NotAnAlert::Field(name))
        };
        text("subject")?;
        text("text")?;
        let (id, kind) = (text(ALERT_ID)?, text("alertType")?);
        let (owner, account, identity) = (text("owner")?, text("account")?, text("identity")?);
        // The name of the message format is for the queue only.
        fields.shift_remove("postroom");
        Ok(Self {
            id,
            kind,
            owner,
            account,
            identity,
            body: Value::Object(fields).to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Alert, NotAnAlert};

    fn fields() -> serde_json::Map<String, Value> {
        let fields = json!({
            "postroom": "alert", "alertType": "Warning", "alertId": "id", "owner": "-", "account": "222233334444",
            "identity": "shop.example", "subject": "s", "text": "t", "count": 5,
        });
        fields.as_object().unwrap().clone()
    }

    #[test]
    fn targets_receive_all_fields_but_the_format_name() {
        let alert = Alert::from_fields(fields()).unwrap();
        assert_eq!(
            alert.body,
            r#"{"alertType":"Warning","alertId":"id","owner":"-","account":"222233334444","identity":"shop.example","subject":"s","text":"t","count":5}"#
        );
        assert_eq!((alert.id.as_str(), alert.kind.as_str()), ("id", "Warning"));
    }

    #[test]
    fn a_missing_field_is_named() {
        for name in [
            "alertType",
            "alertId",
            "owner",
            "account",
            "identity",
            "subject",
            "text",
        ] {
            let mut fields = fields();
            fields.insert(name.to_owned(), json!(1));
            assert_eq!(Alert::from_fields(fields), Err(NotAnAlert::Field(name)));
        }
        for text in ["", "[]", "{}", r#"{"postroom":"delivery"}"#] {
            assert_eq!(Alert::from_message(text), Err(NotAnAlert::Format), "{text}");
        }
    }
}
