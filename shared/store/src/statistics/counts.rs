//! Kinds of counted events, and counts of them with the rates they give.

use std::collections::BTreeMap;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventKind {
    /// Recipients SES accepted a message for.
    Send,
    /// Recipients whose server accepted it.
    Delivery,
    /// Hard bounces, those on SES's global suppression list included.
    Hard,
    /// Soft bounces.
    Soft,
    /// Complaints: one for each message, however many recipients the provider names.
    Complaint,
    /// Recipients of a message with a virus.
    Reject,
    /// Recipients of a message whose template failed.
    RenderingFailure,
    /// Recipients whose delivery is delayed.
    Delay,
}

impl EventKind {
    pub(super) const BATCHED: [Self; 5] = [
        Self::Send,
        Self::Delivery,
        Self::Reject,
        Self::RenderingFailure,
        Self::Delay,
    ];

    /// The word the rows use.
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

    pub(super) fn read(word: &str) -> Option<Self> {
        [Self::Hard, Self::Soft, Self::Complaint]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// Counts over a span of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventCounts {
    pub(super) counts: BTreeMap<EventKind, u64>,
}

impl EventCounts {
    /// How many.
    #[must_use]
    pub fn get(&self, kind: EventKind) -> u64 {
        self.counts.get(&kind).copied().unwrap_or_default()
    }

    /// How many recipients were mailed, from Send events or, where those are not switched on, from the outcomes. `None`
    /// when neither sends nor deliveries were reported: bounces alone tell no volume.
    #[must_use]
    pub fn volume(&self) -> Option<u64> {
        let (sends, deliveries) = (self.get(EventKind::Send), self.get(EventKind::Delivery));
        (sends + deliveries > 0).then(|| sends.max(deliveries + self.get(EventKind::Hard) + self.get(EventKind::Soft)))
    }

    /// Hard bounces per recipient mailed, 0 to 1; `None` without a volume.
    #[must_use]
    pub fn bounce_rate(&self) -> Option<f64> {
        self.rate(EventKind::Hard)
    }

    /// Complaints per recipient mailed, 0 to 1; `None` without a volume.
    #[must_use]
    pub fn complaint_rate(&self) -> Option<f64> {
        self.rate(EventKind::Complaint)
    }

    fn rate(&self, kind: EventKind) -> Option<f64> {
        self.volume().map(|volume| self.get(kind) as f64 / volume as f64)
    }
}

/// Figures that come from elsewhere than the table.
impl FromIterator<(EventKind, u64)> for EventCounts {
    fn from_iter<T: IntoIterator<Item = (EventKind, u64)>>(counts: T) -> Self {
        Self {
            counts: counts.into_iter().collect(),
        }
    }
}
