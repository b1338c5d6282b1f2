//! What is asked of the mirror lane, which brings SES's own suppression lists in line with the table.
//!
//! A request says where to look, not what to believe: it may come late, twice and out of order, so the lane reads the
//! recipient's row again and asks [`Recipient::in_force`](crate::Recipient::in_force) before it acts.

use std::fmt;

use jiff::Timestamp;
use notification_model::EmailAddress;
use serde::{Deserialize, Serialize};

use super::scope::Scope;
use crate::client::{Store, StoreError, key};
use crate::item::{Item, n, s, stamp, text};

/// One partition: the lane writes at most one row a second.
const ENDS: &str = "MIRROR";

/// How long an end waits to be taken up, should the schedule not run.
const GRACE_SECONDS: i64 = 30 * 86_400;

/// A message to the mirror lane: JSON in the body of an SQS message.
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
    /// What the decision behind it calls for.
    pub action: MirrorAction,
    /// Whom it concerns, as the decision spells it.
    pub address: EmailAddress,
    /// Where the decision holds.
    pub scope: Scope,
    /// What SES is to give as the reason.
    pub reason: MirrorReason,
    /// When the decision was made.
    pub at: Timestamp,
    /// The SES message id, or the id of a person's decision.
    pub id: String,
}

/// What a decision calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MirrorAction {
    /// `PutSuppressedDestination`.
    Put,
    /// `DeleteSuppressedDestination`.
    Delete,
}

/// SES knows no other reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MirrorReason {
    /// The address does not take mail.
    Bounce,
    /// The recipient does not want mail.
    Complaint,
}

/// The text is no mirror request. The message never quotes it: it holds an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMirrorRequest {
    /// Not JSON, or fields are missing, unknown or no texts.
    #[error(
        "mirror request: expected a JSON object of the texts action, address, scope, reason, at and id, \
         broken at line {line} column {column}"
    )]
    Shape {
        /// Counted from one.
        line: usize,
        /// Counted from one.
        column: usize,
    },
    /// A field holds something else than it takes.
    #[error("mirror request, `{field}`: expected {expected}")]
    Field {
        /// Which.
        field: &'static str,
        /// What it takes.
        expected: &'static str,
    },
}

impl MirrorRequest {
    /// Reads the body of a message.
    ///
    /// # Errors
    /// When it is not exactly what [`to_json`](Self::to_json) writes.
    pub fn from_json(text: &str) -> Result<Self, InvalidMirrorRequest> {
        let wire: Wire = serde_json::from_str(text).map_err(|error| InvalidMirrorRequest::Shape {
            line: error.line(),
            column: error.column(),
        })?;
        wire.try_into()
    }

    /// The body of a message.
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

/// The end of a decision that is on SES's list, where nothing ends by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorEnd {
    /// The request that is due then.
    pub request: MirrorRequest,
    sk: String,
}

impl Store {
    /// Writes down that a request is due at a later time. Written again it is the same row.
    ///
    /// # Errors
    /// When DynamoDB fails.
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

    /// What is due, oldest first, at most `limit`.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn mirror_ends(&self, now: Timestamp, limit: usize) -> Result<Vec<MirrorEnd>, StoreError> {
        let rows = self.rows_between(ENDS, "0", &stamp(now)).await?;
        let end = |row: &Item| {
            Some(MirrorEnd {
                request: MirrorRequest::from_json(text(row, "request")?).ok()?,
                sk: text(row, "sk")?.to_owned(),
            })
        };
        Ok(rows.iter().filter_map(end).take(limit).collect())
    }

    /// Removes what was taken up.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn forget_mirror_end(&self, end: &MirrorEnd) -> Result<(), StoreError> {
        let delete = self.client.delete_item().table_name(&self.table);
        let deleted = delete.set_key(Some(key(ENDS, &end.sk))).send().await;
        deleted.map_err(|error| self.failed("DeleteItem", error))?;
        Ok(())
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
            scope: wire
                .scope
                .parse()
                .map_err(|_| field("scope", "global, tenant:NAME or domain:NAME"))?,
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
    fn what_is_written_can_be_read() {
        let read = MirrorRequest::from_json(&request().to_string()).unwrap();
        assert_eq!(read.address.as_str(), "Jane@example.net");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&read.to_json()).unwrap(),
            request()
        );
    }

    #[test]
    fn errors_name_the_field_and_never_quote() {
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
            let mut spoilt = request();
            spoilt[name] = value.clone();
            let error = MirrorRequest::from_json(&spoilt.to_string()).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{name} = {value}: {error}");
            assert!(error.contains(name) || name == "secret", "{name} = {value}: {error}");
        }
        let error = MirrorRequest::from_json("secret").unwrap_err().to_string();
        assert!(error.ends_with("broken at line 1 column 1"), "{error}");
    }
}
