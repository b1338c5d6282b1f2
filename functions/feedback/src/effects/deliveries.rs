//! Records the deliveries of a batch and ends the streaks of its recipients.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use notification_model::EmailAddress;
use store::{DeliveredBatch, DeliveredMessage, Recipient, Scope, Store, StoreError};

use super::streaks::{StreakChange, Streaks};
use crate::decide::Action;
use crate::policy::Policy;

type Failures = Vec<(BTreeSet<usize>, StoreError)>;

/// The deliveries to a recipient in a scope, with the records that reported them.
struct Deliveries {
    address: EmailAddress,
    delivered: Vec<DeliveredMessage>,
    records: BTreeSet<usize>,
}

/// Records the deliveries of [`Action::RecordDelivery`], each given with the index of its record. Returns the streaks that
/// changed and the records that failed.
///
/// The deliveries are written before the rows of the recipients are read. A soft bounce that is handled at the same time
/// therefore finds either the delivery in its row or the batch (see [`DeliveredBatch`]).
pub(super) async fn record(
    store: &Store,
    policy: &Policy,
    streaks: &Streaks<'_>,
    actions: &[(usize, Action)],
) -> (Vec<StreakChange>, Failures) {
    let deliveries = by_recipient(actions);
    if deliveries.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let mut failures = write_batches(store, policy, actions).await;
    let addresses: Vec<EmailAddress> = deliveries
        .values()
        .map(|of_recipient| of_recipient.address.clone())
        .collect();
    let rows = match store.recipients(&addresses).await {
        Ok(rows) => rows,
        Err(error) => {
            let all = deliveries.into_values().flat_map(|of_recipient| of_recipient.records);
            failures.push((all.collect(), error));
            return (Vec::new(), failures);
        }
    };
    let mut changes = Vec::new();
    for (
        (key, scope),
        Deliveries {
            address,
            delivered,
            records,
        },
    ) in deliveries
    {
        let Some(row) = rows.get(&key) else { continue };
        for scope in [scope].into_iter().chain(forward_scopes(row)) {
            match streaks.end(&address, &scope, &delivered, row).await {
                Ok(change) => changes.extend(change),
                Err(error) => failures.push((records.clone(), error)),
            }
        }
    }
    (changes, failures)
}

/// The scopes of forwards to the recipient that bounced. Which deliveries are those of forwards is not looked up: a delivery
/// of any mail shows that a forward target receives mail.
fn forward_scopes(row: &Recipient) -> BTreeSet<Scope> {
    let scopes = row.bounces.keys().map(|(scope, _)| scope);
    scopes
        .filter(|scope| matches!(scope, Scope::Forward(_)))
        .cloned()
        .collect()
}

async fn write_batches(store: &Store, policy: &Policy, actions: &[(usize, Action)]) -> Failures {
    let mut batches: Vec<(DeliveredBatch, Timestamp, BTreeSet<usize>)> = Vec::new();
    for (index, action) in actions {
        let Action::RecordDelivery {
            address,
            scope,
            delivered,
        } = action
        else {
            continue;
        };
        let at = delivered.at;
        let existing = batches.iter().position(|(batch, ..)| batch.accepts(scope, at));
        let position = existing.unwrap_or_else(|| {
            batches.push((DeliveredBatch::new(scope.clone(), at), at, BTreeSet::new()));
            batches.len() - 1
        });
        if let Some((batch, _, records)) = batches.get_mut(position) {
            batch.add(address, *delivered);
            records.insert(*index);
        }
    }
    let mut failures = Vec::new();
    for (batch, at, records) in batches {
        let expires_at = policy.deliveries.end_or_max(at);
        if let Err(error) = store.put_deliveries(&batch, expires_at).await {
            failures.push((records, error));
        }
    }
    failures
}

fn by_recipient(actions: &[(usize, Action)]) -> BTreeMap<(String, Scope), Deliveries> {
    let mut deliveries = BTreeMap::new();
    for (index, action) in actions {
        let Action::RecordDelivery {
            address,
            scope,
            delivered,
        } = action
        else {
            continue;
        };
        let key = (address.key().to_owned(), scope.clone());
        let of_recipient = deliveries.entry(key).or_insert_with(|| Deliveries {
            address: address.clone(),
            delivered: Vec::new(),
            records: BTreeSet::new(),
        });
        of_recipient.delivered.push(*delivered);
        of_recipient.records.insert(*index);
    }
    deliveries
}
