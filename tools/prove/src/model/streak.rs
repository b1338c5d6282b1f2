//! Streaks: soft bounces of consecutive messages.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::state::{EntryState, RecipientScope, days_after};

const DAY_MS: i64 = 24 * 3600 * 1000;
/// Messages that a streak needs.
const MESSAGES: usize = 5;
const MIN_DURATION_MS: i64 = 3 * DAY_MS;
const MAX_DURATION_MS: i64 = 180 * DAY_MS;

/// The streaks that suppress. Soft bounces before a delivery or a release do not count.
pub(super) fn suppressing_streaks(
    soft_bounces: &BTreeMap<RecipientScope, BTreeSet<(Timestamp, String)>>,
    deliveries: &BTreeMap<RecipientScope, Timestamp>,
    entries: &BTreeMap<(String, String, String), EntryState>,
) -> BTreeMap<RecipientScope, EntryState> {
    let mut streaks = BTreeMap::new();
    for (key, bounces) in soft_bounces {
        let (address, scope) = key.clone();
        let delivered_at = deliveries.get(key);
        let released = entries.get(&(address, scope, "released".to_owned()));
        let counts = |at: Timestamp| {
            delivered_at.is_none_or(|delivered_at| at >= *delivered_at)
                && released.is_none_or(|released| at > released.at)
        };
        let counted: Vec<_> = bounces.iter().filter(|(at, _)| counts(*at)).cloned().collect();
        if let Some(entry) = streak(&counted) {
            streaks.insert(key.clone(), entry);
        }
    }
    streaks
}

/// The entry that these soft bounces result in. Five messages within 3 to 180 days suppress for 30 days, the next five
/// for 90 days, the next five permanently. Bounces during a suppression do not count.
fn streak(bounces: &[(Timestamp, String)]) -> Option<EntryState> {
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
        while duration_ms(first) > MAX_DURATION_MS {
            first += 1;
        }
        if last - first + 1 < MESSAGES || duration_ms(first) < MIN_DURATION_MS {
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
