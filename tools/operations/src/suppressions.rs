//! The suppressions of a scope that are in force.

use std::collections::BTreeSet;

use jiff::Timestamp;
use notification_model::EmailAddress;
use store::{ActiveSuppression, Scope, Store, StoreError};

/// A part of the suppressions of a scope, oldest first.
#[derive(Debug)]
pub struct Suppressions {
    /// The addresses with what suppresses them.
    pub in_force: Vec<(String, ActiveSuppression)>,
    /// The time of the last entry that was read, if there may be more: they begin at this time.
    pub more_since: Option<Timestamp>,
}

/// Reads at most `limit` suppressions of a scope that started between two times, and returns those in force `now`.
///
/// # Errors
/// If DynamoDB fails.
pub async fn suppressions_in_force(
    store: &Store,
    scope: &Scope,
    (since, until): (Timestamp, Timestamp),
    limit: usize,
    now: Timestamp,
) -> Result<Suppressions, StoreError> {
    let listed = store.suppressed_between(scope, since, until, limit).await?;
    let addresses: BTreeSet<&str> = listed.iter().map(|entry| entry.address.as_str()).collect();
    let addresses: Vec<EmailAddress> = addresses.into_iter().filter_map(EmailAddress::parse).collect();
    let recipients = store.recipients(&addresses).await?;
    let mut in_force: Vec<(String, ActiveSuppression)> = Vec::new();
    for (address, recipient) in &recipients {
        let is_in_range = |suppression: &ActiveSuppression| (since..=until).contains(&suppression.entry.at);
        let suppressions = recipient.active_in(scope, now).filter(is_in_range);
        in_force.extend(suppressions.map(|suppression| (address.clone(), suppression)));
    }
    in_force.sort_by(|a, b| (a.1.entry.at, &a.0).cmp(&(b.1.entry.at, &b.0)));
    let last = listed.last().filter(|_| listed.len() == limit);
    Ok(Suppressions {
        in_force,
        more_since: last.map(|last| last.at),
    })
}
