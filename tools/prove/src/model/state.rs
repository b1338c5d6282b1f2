//! The expected state of the table and the targets.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::scenario::{EventKind, Report, ScenarioEvent};

/// Recipient and scope.
pub type RecipientScope = (String, String);

/// The entries of a recipient by scope and source.
pub type Entries = BTreeMap<(String, String), EntryState>;

/// A suppression entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryState {
    /// The time of the event.
    pub at: Timestamp,
    /// The id of the message or of the manual decision.
    pub id: String,
    /// Whether it suppresses.
    pub blocked: bool,
    /// The end of the suppression; `None` if it is permanent.
    pub until: Option<Timestamp>,
}

/// The expected state.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// By recipient, scope and source. Without those of `series`.
    pub entries: BTreeMap<(String, String, String), EntryState>,
    /// Entries that result from series of bounces, by recipient, scope and source.
    pub series: BTreeMap<(String, String, String), EntryState>,
    /// Statistics by sender and kind: message id and recipient.
    pub counts: BTreeMap<(String, EventKind), BTreeSet<(String, String)>>,
    /// Number of history items by recipient, message id and scope.
    pub history: BTreeMap<(String, String, String), usize>,
    /// The events that each target receives, by index, and whether it may receive them unredacted.
    pub received: BTreeMap<&'static str, BTreeMap<usize, bool>>,
    /// Reports that no route matches.
    pub unrouted: BTreeSet<Report>,
}

impl Expected {
    /// Writes an entry unless a newer one is there.
    pub(super) fn write_if_newer(&mut self, address: &str, scope: &str, source: &str, entry: EntryState) {
        let key = (address.to_owned(), scope.to_owned(), source.to_owned());
        let current = self.entries.entry(key).or_insert_with(|| entry.clone());
        if (entry.at, &entry.id) > (current.at, &current.id) {
            *current = entry;
        }
    }

    /// Counts an event of a recipient.
    pub(super) fn count(&mut self, event: &ScenarioEvent, kind: EventKind, recipient: &str) {
        let counts = self.counts.entry((sender_key(event), kind)).or_default();
        counts.insert((event.message_id.clone(), recipient.to_owned()));
    }
}

/// The sender's key in the table: owner, sending account and identity.
fn sender_key(event: &ScenarioEvent) -> String {
    let (owner, identity) = match &event.identity {
        Some((owner, identity)) => (*owner, identity.clone()),
        None => ("-", format!("unverified:{}", event.from_domain)),
    };
    format!("{owner}#{}#{identity}", event.sending_account.unwrap_or("-"))
}

pub(super) fn domain_of(identity: &str) -> &str {
    identity.rsplit('@').next().unwrap_or(identity)
}

/// The time some days later, in whole seconds as the table stores it.
pub(super) fn days_after(from: Timestamp, days: i64) -> Timestamp {
    Timestamp::from_second(from.as_second()).expect("a time") + SignedDuration::from_hours(24 * days)
}
