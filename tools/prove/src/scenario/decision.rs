//! Suppressions and releases by operators.

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

use super::participants::{HOME_ACCOUNT, Sender};
use super::random::{chance, choose, unique_time};

/// An operator suppresses or releases an address.
#[derive(Debug, Clone)]
pub struct ManualDecision {
    /// The address.
    pub address: &'static str,
    /// The scope, as in the table.
    pub scope: String,
    /// Suppress (true) or release.
    pub suppress: bool,
    /// The time of the decision.
    pub decided_at: Timestamp,
}

impl ManualDecision {
    /// The id of the entry and its history item.
    #[must_use]
    pub fn id(&self) -> String {
        format!("manual-{}", self.decided_at.as_microsecond())
    }

    /// A random decision. Decisions have the current time: in a scenario that is published only at the end, the end.
    pub(super) fn random(
        rng: &mut Rng,
        number: u64,
        recipients: &[&'static str],
        senders: &[Sender],
        days: i64,
        all_at_end: Option<Timestamp>,
    ) -> Self {
        let sender = &senders[rng.usize(..senders.len())];
        let scope = match (rng.u32(..3), sender.tenant) {
            (0, _) => "global".to_owned(),
            (1, Some(tenant)) if sender.account == HOME_ACCOUNT => format!("tenant:{tenant}"),
            (1, Some(tenant)) => format!("tenant:{}/{tenant}", sender.account),
            _ => format!("domain:{}", sender.domain),
        };
        let decided_at = match all_at_end {
            None => unique_time(rng, days, 500 + number as usize),
            Some(end) => end + SignedDuration::from_millis(number as i64),
        };
        Self {
            address: choose(rng, recipients),
            scope,
            suppress: chance(rng, 30),
            decided_at,
        }
    }
}
