//! Statistics as numbers.

use std::collections::{BTreeMap, BTreeSet};

use super::stored::StoredState;
use crate::model::Expected;
use crate::scenario::EventKind;

/// The number of events by sender and kind.
pub(super) type Counts = BTreeMap<(String, EventKind), usize>;

/// The numbers in the table.
pub(super) fn stored_counts(stored: &StoredState) -> Counts {
    let events = stored.events.iter().map(|(key, messages)| {
        let number = messages.values().map(BTreeSet::len).sum();
        (key.clone(), number)
    });
    let batched = stored.batched.iter().map(|(key, ids)| (key.clone(), ids.len()));
    events.chain(batched).collect()
}

/// The numbers of the model.
pub(super) fn expected_counts(expected: &Expected) -> Counts {
    let counts = expected.counts.iter();
    counts.map(|(key, ids)| (key.clone(), ids.len())).collect()
}
