//! Requests to the suppression mirror, which keeps SES's own suppression lists in step with the table.
//!
//! A request may arrive late, twice or out of order. The suppression mirror therefore reads the row of the recipient and
//! acts on [`Recipient::active_in`](crate::Recipient::active_in), not on the request alone.

use std::fmt;

use jiff::Timestamp;
use notification_model::EmailAddress;
use serde::{Deserialize, Serialize};

use super::scope::Scope;
use crate::client::{Store, StoreError};
use crate::item::{Item, n, s, stamp, text};

/// One partition is enough: the suppression mirror writes at most one row a second.
const ENDS: &str = "MIRROR";

/// How long a row is kept after the end it records, in case the schedule does not run.
const GRACE_SECONDS: i64 = 30 * 86_400;

/// A message to the suppression mirror: JSON in the body of an SQS message.
///
/// ```
/// let text = r#"{"action": "put", "address": "jane@example.net", "scope": "tenant:acme", "reason": "BOUNCE",
///                "at": "2026-03-02T08:15:32.000Z", "id": "010f0194-000000"}"#;
/// let request = store::MirrorRequest::from_json(text)?;
/// assert_eq!(request.scope, store::Scope::Tenant("acme".to_owned()));
/// assert_eq!(store::MirrorRequest::from_json(&request.to_json()), Ok(request));
/// # Ok::<_, store::InvalidMirrorRequest>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorRequest {
    /// The change that the decision calls for.
    pub action: MirrorAction,
    /// The recipient, spelled as in the decision.
    pub address: EmailAddress,
    /// The scope of the decision.
    pub scope: Scope,
    /// The reason that SES records.
    pub reason: MirrorReason,
    /// When the decision was made.
    pub at: Timestamp,
    /// The SES message id, or the id of a manual decision.
    pub id: String,
}

/// A change of a suppression list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MirrorAction {
    /// `PutSuppressedDestination`.
    Put,
    /// `DeleteSuppressedDestination`.
    Delete,
}

/// The reasons that SES accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MirrorReason {
    /// The address does not take mail.
    Bounce,
    /// The recipient does not want mail.
    Complaint,
}

/// A text is not a mirror request. The message never quotes the text, which contains an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMirrorRequest {
    /// The text is not JSON, or fields are missing, unknown or not strings.
    #[error(
        "mirror request: expected a JSON object with the strings action, address, scope, reason, at and id; \
         invalid at line {line} column {column}"
    )]
    Shape {
        /// The line, starting at 1.
        line: usize,
        /// The column, starting at 1.
        column: usize,
    },
    /// A field has a value that is not accepted.
    #[error("mirror request, `{field}`: expected {expected}")]
    Field {
        /// The name of the field.
        field: &'static str,
        /// The accepted values.
        expected: &'static str,
    },
}

impl MirrorRequest {
    /// Reads the body of a message.
    ///
    /// # Errors
    /// If the text does not have the form that [`to_json`](Self::to_json) writes.
    pub fn from_json(text: &str) -> Result<Self, InvalidMirrorRequest> {
        let wire: Wire = serde_json::from_str(text).map_err(|error| InvalidMirrorRequest::Shape {
            line: error.line(),
            column: error.column(),
        })?;
        wire.try_into()
    }

    /// Returns the body of a message.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::json!(Wire {
            action: self.action.to_string(),
            address: self.address.as_str().to_owned(),
            scope: self.scope.to_string(),
            reason: self.reason.to_string(),
            at: stamp(self.at),
            id: self.id.clone(),
        })
        .to_string()
    }
}

/// The end of a suppression that was mirrored to a list of SES, where entries do not expire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorEnd {
    /// The request to process at that time.
    pub request: MirrorRequest,
    sk: String,
}

impl Store {
    /// Stores a request that is due at `until`. Writing it again changes nothing.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn put_mirror_end(&self, request: &MirrorRequest, until: Timestamp) -> Result<(), StoreError> {
        self.put(Item::from([
            ("pk".to_owned(), s(ENDS)),
            (
                "sk".to_owned(),
                s(format!("{}#{}#{}", stamp(until), request.scope, request.address.key())),
            ),
            ("request".to_owned(), s(request.to_json())),
            ("expiresAt".to_owned(), n(until.as_second() + GRACE_SECONDS)),
        ]))
        .await
    }

    /// Returns the requests that are due, oldest first, at most `limit`.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn due_mirror_ends(&self, now: Timestamp, limit: usize) -> Result<Vec<MirrorEnd>, StoreError> {
        let rows = self.rows_between(ENDS, "0", &stamp(now)).await?;
        let end = |row: &Item| {
            Some(MirrorEnd {
                request: MirrorRequest::from_json(text(row, "request")?).ok()?,
                sk: text(row, "sk")?.to_owned(),
            })
        };
        Ok(rows.iter().filter_map(end).take(limit).collect())
    }

    /// Deletes the row of a request that was sent.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn delete_mirror_end(&self, end: &MirrorEnd) -> Result<(), StoreError> {
        self.delete(ENDS, &end.sk).await
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    action: String,
    address: String,
    scope: String,
    reason: String,
    at: String,
    id: String,
}

impl TryFrom<Wire> for MirrorRequest {
    type Error = InvalidMirrorRequest;

    fn try_from(wire: Wire) -> Result<Self, Self::Error> {
        let field = |field, expected| InvalidMirrorRequest::Field { field, expected };
        Ok(Self {
            action: match wire.action.as_str() {
                "put" => MirrorAction::Put,
                "delete" => MirrorAction::Delete,
                _ => return Err(field("action", "put or delete")),
            },
            address: EmailAddress::parse(&wire.address)
                .filter(|address| address.domain().is_some_and(|domain| !domain.is_empty()))
                .ok_or_else(|| field("address", "a mail address"))?,
            scope: wire.scope.parse().map_err(|_| {
                field(
                    "scope",
                    "global, tenant:NAME, tenant:ACCOUNT/NAME, domain:NAME or forward:MAILBOX",
                )
            })?,
            reason: match wire.reason.as_str() {
                "BOUNCE" => MirrorReason::Bounce,
                "COMPLAINT" => MirrorReason::Complaint,
                _ => return Err(field("reason", "BOUNCE or COMPLAINT")),
            },
            at: wire.at.parse().map_err(|_| field("at", "a time (RFC 3339)"))?,
            id: Some(wire.id)
                .filter(|id| !id.is_empty())
                .ok_or_else(|| field("id", "an id"))?,
        })
    }
}

impl fmt::Display for MirrorAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Put => "put",
            Self::Delete => "delete",
        })
    }
}

impl fmt::Display for MirrorReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bounce => "BOUNCE",
            Self::Complaint => "COMPLAINT",
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::MirrorRequest;

    fn request() -> serde_json::Value {
        json!({
            "action": "delete", "address": "Jane@example.net", "scope": "domain:shop.example", "reason": "COMPLAINT",
            "at": "2026-03-02T08:15:32.000Z", "id": "m1",
        })
    }

    #[test]
    fn a_written_request_reads_the_same() {
        let read = MirrorRequest::from_json(&request().to_string()).unwrap();
        assert_eq!(read.address.as_str(), "Jane@example.net");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&read.to_json()).unwrap(),
            request()
        );
    }

    #[test]
    fn an_error_names_the_field_and_does_not_quote_the_value() {
        let cases = [
            ("action", json!("secret")),
            ("address", json!("secret")),
            ("scope", json!("secret")),
            ("reason", json!("secret")),
            ("at", json!("secret")),
            ("id", json!("")),
            ("address", json!({"secret": 1})),
            ("secret", json!("an unknown field")),
        ];
        for (name, value) in cases {
            let mut invalid = request();
            invalid[name] = value.clone();
            let error = MirrorRequest::from_json(&invalid.to_string()).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{name} = {value}: {error}");
            assert!(error.contains(name) || name == "secret", "{name} = {value}: {error}");
        }
        let error = MirrorRequest::from_json("secret").unwrap_err().to_string();
        assert!(error.ends_with("invalid at line 1 column 1"), "{error}");
    }
}
