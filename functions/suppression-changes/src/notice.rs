//! The change notice: the JSON that the function publishes. `docs/suppression-changes.md` documents it for applications.

use jiff::Timestamp;
use notification_model::EmailAddress;
use serde::Serialize;
use store::{Scope, stamp};

/// The version of the format. It grows when a field changes its meaning or is removed; new fields leave it unchanged.
pub const SCHEMA_VERSION: u32 = 1;

/// Digits of a sequence number in a [version](Notice::version): the maximum of
/// [DynamoDB](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html).
const SEQUENCE_DIGITS: usize = 40;

/// What changed for one address in one scope, or for one contact list of the scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The same in every copy of the notice.
    pub id: String,
    /// Orders the notices of an address: of two, the one with the greater text is newer.
    pub version: String,
    /// The normalised address.
    pub address: EmailAddress,
    /// For whom the suppression holds.
    pub scope: Scope,
    /// The contact list, or its topic (`list/topic`), whose mail alone is affected. `None`: all mail of the scope.
    pub list: Option<String>,
    /// What holds now.
    pub state: State,
    /// What caused the suppression, or ended it.
    pub source: String,
    /// The reason, for people.
    pub reason: String,
    /// When the suppression started, or ended.
    pub since: Timestamp,
    /// When the suppression ends. `None`: never, or it has ended.
    pub until: Option<Timestamp>,
    /// The SES message id, or the id of a manual decision, behind the change.
    pub message_id: String,
}

/// Whether mail to the address is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Do not send.
    Suppressed,
    /// No suppression is left: the address may be mailed.
    Ended,
}

impl State {
    /// Returns the value in the JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suppressed => "suppressed",
            Self::Ended => "ended",
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    schema_version: u32,
    id: &'a str,
    version: &'a str,
    address: &'a str,
    scope: String,
    list: Option<&'a str>,
    state: &'a str,
    source: &'a str,
    reason: &'a str,
    since: String,
    until: Option<String>,
    message_id: &'a str,
}

impl Notice {
    /// Returns the message that is published.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::json!(Wire {
            schema_version: SCHEMA_VERSION,
            id: &self.id,
            version: &self.version,
            address: self.address.key(),
            scope: self.scope.to_string(),
            list: self.list.as_deref(),
            state: self.state.as_str(),
            source: &self.source,
            reason: &self.reason,
            since: stamp(self.since),
            until: self.until.map(stamp),
            message_id: &self.message_id,
        })
        .to_string()
    }
}

/// Returns the version of a change: its time, then the sequence number for changes within a second. Sequence numbers of a row
/// grow, and have up to 40 digits.
#[must_use]
pub fn version(at: Timestamp, sequence_number: &str) -> String {
    format!("{}#{sequence_number:0>SEQUENCE_DIGITS$}", stamp(at))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_are_ordered_by_time_and_then_by_sequence_number() {
        let of = |second: i64, number: &str| version(jiff::Timestamp::from_second(second).unwrap(), number);
        let ordered = [
            of(1, "99900000000003498069978"),
            of(2, "99900000000003498069979"),
            of(2, "100000000000003498069978"),
            of(3, "100000000000003498069979"),
        ];
        assert!(ordered.is_sorted(), "{ordered:?}");
    }
}
