//! Kinds of events, their counts, and the rates computed from the counts.

use std::collections::BTreeMap;

/// A kind of event that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventKind {
    /// A recipient for which SES accepted a message.
    Send,
    /// A recipient whose server accepted the message.
    Delivery,
    /// A hard bounce, including one caused by SES's global suppression list.
    Hard,
    /// A soft bounce.
    Soft,
    /// A complaint. One for each message, however many recipients the report names.
    Complaint,
    /// A recipient of a message that SES rejected because of a virus.
    Reject,
    /// A recipient of a message whose template could not be rendered.
    RenderingFailure,
    /// A recipient whose delivery is delayed.
    Delay,
}

impl EventKind {
    /// Kinds that are counted in batches, because they are frequent.
    pub(super) const BATCHED: [Self; 5] = [
        Self::Send,
        Self::Delivery,
        Self::Reject,
        Self::RenderingFailure,
        Self::Delay,
    ];

    /// Returns the name in the rows of the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Delivery => "delivery",
            Self::Hard => "hard",
            Self::Soft => "soft",
            Self::Complaint => "complaint",
            Self::Reject => "reject",
            Self::RenderingFailure => "renderingFailure",
            Self::Delay => "delay",
        }
    }

    /// Reads the name of a kind that has one row per event.
    pub(super) fn read(name: &str) -> Option<Self> {
        [Self::Hard, Self::Soft, Self::Complaint]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// The number of events of each kind in a time span.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventCounts {
    pub(super) counts: BTreeMap<EventKind, u64>,
    /// The bounces among them that are no part of the volume.
    claimed_bounces: u64,
}

impl EventCounts {
    /// Returns the number of events of a kind.
    #[must_use]
    pub fn get(&self, kind: EventKind) -> u64 {
        self.counts.get(&kind).copied().unwrap_or_default()
    }

    /// Adds one event.
    pub(super) fn add(&mut self, kind: EventKind, is_claim: bool) {
        *self.counts.entry(kind).or_default() += 1;
        if is_claim && matches!(kind, EventKind::Hard | EventKind::Soft) {
            self.claimed_bounces += 1;
        }
    }

    /// Returns the number of recipients that were mailed: the sends, or the deliveries and bounces if that is more, because
    /// Send events are optional. A bounce that is only claimed does not raise it, so that no remote party can lift a sender
    /// over a minimum volume. `None` without sends and deliveries, because bounces alone do not show the volume.
    #[must_use]
    pub fn volume(&self) -> Option<u64> {
        let (sends, deliveries) = (self.get(EventKind::Send), self.get(EventKind::Delivery));
        let bounces = self.get(EventKind::Hard) + self.get(EventKind::Soft) - self.claimed_bounces;
        (sends + deliveries > 0).then(|| sends.max(deliveries + bounces))
    }

    /// Returns the hard bounces per recipient, from 0 to 1. `None` without a volume.
    #[must_use]
    pub fn bounce_rate(&self) -> Option<f64> {
        self.rate(EventKind::Hard)
    }

    /// Returns the complaints per recipient, from 0 to 1. `None` without a volume.
    #[must_use]
    pub fn complaint_rate(&self) -> Option<f64> {
        self.rate(EventKind::Complaint)
    }

    fn rate(&self, kind: EventKind) -> Option<f64> {
        self.volume().map(|volume| self.get(kind) as f64 / volume as f64)
    }
}

/// Counts that do not come from the table.
impl FromIterator<(EventKind, u64)> for EventCounts {
    fn from_iter<T: IntoIterator<Item = (EventKind, u64)>>(counts: T) -> Self {
        Self {
            counts: counts.into_iter().collect(),
            claimed_bounces: 0,
        }
    }
}
