//! Counts the frequent events of a batch.

use std::collections::BTreeSet;

use jiff::Timestamp;
use store::{SenderBatch, Store, StoreError};

use crate::decide::Action;
use crate::policy::Policy;

/// Counts the events of [`Action::CountInBatch`], each given with the index of its record. One request for each sender,
/// sending stream and ten minutes. Returns the records whose events could not be counted.
pub(super) async fn count_batches(
    store: &Store,
    policy: &Policy,
    actions: &[(usize, Action)],
) -> Vec<(BTreeSet<usize>, StoreError)> {
    let mut failures = Vec::new();
    for (batch, at, records) in group(actions) {
        if let Err(error) = store.count_batch(&batch, policy.statistics.end_or_max(at)).await {
            failures.push((records, error));
        }
    }
    failures
}

fn group(actions: &[(usize, Action)]) -> Vec<(SenderBatch, Timestamp, BTreeSet<usize>)> {
    let mut batches: Vec<(SenderBatch, Timestamp, BTreeSet<usize>)> = Vec::new();
    for (index, action) in actions {
        let Action::CountInBatch {
            sender,
            stream,
            kind,
            at,
            message_id,
            recipient,
        } = action
        else {
            continue;
        };
        let existing = batches
            .iter()
            .position(|(batch, ..)| batch.accepts(sender, stream, *at));
        let position = existing.unwrap_or_else(|| {
            let batch = SenderBatch::new(sender.clone(), stream.clone(), *at);
            batches.push((batch, *at, BTreeSet::new()));
            batches.len() - 1
        });
        if let Some((batch, _, records)) = batches.get_mut(position) {
            batch.add(*kind, message_id, recipient);
            records.insert(*index);
        }
    }
    batches
}
