//! Series of bounces: soft bounces of consecutive messages, and unconfirmed hard bounces.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::state::{EntryState, RecipientScope, days_after};

const DAY_MS: i64 = 24 * 3600 * 1000;

/// The series that a recipient has in each scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Series {
    Soft,
    Unconfirmed,
}

impl Series {
    /// The source of the entry that results.
    fn source(self) -> &'static str {
        match self {
            Self::Soft => "streak",
            Self::Unconfirmed => "unconfirmed-bounce",
        }
    }

    /// The messages that suppress, and the minimum and maximum time from the first to the last.
    fn needs(self) -> (usize, i64, i64) {
        match self {
            Self::Soft => (5, 3 * DAY_MS, 180 * DAY_MS),
            Self::Unconfirmed => (1, 0, i64::MAX),
        }
    }
}

/// Time and message id.
type Messages = BTreeSet<(Timestamp, String)>;

/// The entries that result from series, by recipient, scope and source. Bounces before a delivery or a release do not count.
/// A delivery does not count if its message bounced afterwards.
pub(super) fn suppressing_series(
    series: &BTreeMap<(RecipientScope, Series), Messages>,
    deliveries: &BTreeMap<RecipientScope, Messages>,
    entries: &BTreeMap<(String, String, String), EntryState>,
) -> BTreeMap<(String, String, String), EntryState> {
    let mut suppressing = BTreeMap::new();
    for ((key, which), bounces) in series {
        let (address, scope) = key.clone();
        let bounced_after = |at: Timestamp, message: &str| {
            let of_key = series.iter().filter(|((other, _), _)| other == key);
            of_key
                .flat_map(|(_, bounces)| bounces)
                .any(|(bounced_at, bounced)| bounced == message && *bounced_at >= at)
        };
        let delivered = deliveries.get(key).into_iter().flatten();
        let delivered_at = delivered
            .filter(|(at, message)| !bounced_after(*at, message))
            .map(|(at, _)| *at)
            .max();
        let released = entries.get(&(address.clone(), scope.clone(), "released".to_owned()));
        let counts = |at: Timestamp| {
            delivered_at.is_none_or(|delivered_at| at >= delivered_at)
                && released.is_none_or(|released| at > released.at)
        };
        let counted: Vec<_> = bounces.iter().filter(|(at, _)| counts(*at)).cloned().collect();
        if let Some(entry) = entry_of(*which, &counted) {
            suppressing.insert((address, scope, which.source().to_owned()), entry);
        }
    }
    suppressing
}

/// The entry that these bounces result in. The first suppression is for 30 days, the second for 90, the next permanent.
/// Bounces during a suppression do not count.
fn entry_of(series: Series, bounces: &[(Timestamp, String)]) -> Option<EntryState> {
    let (messages, min_duration_ms, max_duration_ms) = series.needs();
    let mut latest: Option<EntryState> = None;
    let mut level = 0;
    // The bounces from `first` on count for the next suppression.
    let mut first = 0;
    for (last, (at, message_id)) in bounces.iter().enumerate() {
        match &latest {
            Some(EntryState { until: None, .. }) => break,
            Some(EntryState { until: Some(until), .. }) if at <= until => {
                first = last + 1;
                continue;
            }
            _ => {}
        }
        let duration_ms = |first: usize| at.as_millisecond() - bounces[first].0.as_millisecond();
        while duration_ms(first) > max_duration_ms {
            first += 1;
        }
        if last - first + 1 < messages || duration_ms(first) < min_duration_ms {
            continue;
        }
        level += 1;
        latest = Some(EntryState {
            at: *at,
            id: message_id.clone(),
            blocked: true,
            until: match level {
                1 => Some(days_after(*at, 30)),
                2 => Some(days_after(*at, 90)),
                _ => None,
            },
        });
        first = last + 1;
    }
    latest
}
