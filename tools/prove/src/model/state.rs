//! The expected state of the table and the targets.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::scenario::{Channel, EventKind, Report, ScenarioEvent};

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

/// An event in the statistics of a sender, as one channel reports it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CountedEvent {
    /// When it happened.
    pub at: Timestamp,
    /// The statistic.
    pub kind: EventKind,
    /// The message.
    pub message_id: String,
    /// The recipient that it is counted for.
    pub recipient: String,
    /// Configuration set and tenant, as far as the channel reports them.
    pub stream: (Option<&'static str>, Option<&'static str>),
    /// Whether only a report about addresses that the message was not sent to says so.
    pub is_claim: bool,
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
    /// The same events with their times, by sender (`owner/account/identity`).
    pub counted: BTreeMap<String, BTreeSet<CountedEvent>>,
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

    /// Counts an event of a recipient that the channel reports.
    pub(super) fn count(
        &mut self,
        event: &ScenarioEvent,
        kind: EventKind,
        recipient: &str,
        (channel, is_claim): (Channel, bool),
    ) {
        let sender = sender_key(event);
        let counted = CountedEvent {
            at: event.occurred_at,
            kind,
            message_id: event.message_id.clone(),
            recipient: recipient.to_owned(),
            stream: match channel {
                Channel::Identity => (None, None),
                Channel::ConfigurationSet => (Some(event.configuration_set), event.tenant),
            },
            is_claim,
        };
        self.counted
            .entry(sender.replace('#', "/"))
            .or_default()
            .insert(counted);
        let counts = self.counts.entry((sender, kind)).or_default();
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
