//! A recipient: what suppresses it, and since when.

use std::collections::BTreeSet;

use jiff::Timestamp;
use notification_model::EmailAddress;
use store::{ActiveSuppression, HistoryEntry, Recipient, Scope, Store, StoreError};

/// Reads all suppression entries of an address.
///
/// # Errors
/// If DynamoDB fails.
pub async fn read_recipient(store: &Store, address: &EmailAddress) -> Result<Recipient, StoreError> {
    Ok(store.recipient(address).await?.unwrap_or_default())
}

/// The suppressions of a recipient in every scope.
#[must_use]
pub fn active_suppressions(recipient: &Recipient, now: Timestamp) -> Vec<ActiveSuppression> {
    let scopes: BTreeSet<&Scope> = recipient.entries.keys().map(|(scope, _)| scope).collect();
    scopes
        .into_iter()
        .flat_map(|scope| recipient.active_in(scope, now))
        .collect()
}

/// The time of the oldest event of the same kind that suppressed the address in the scope. The entry itself has only the
/// newest one.
#[must_use]
pub fn suppressed_since(suppression: &ActiveSuppression, history: &[HistoryEntry]) -> Timestamp {
    let in_scope: Vec<&HistoryEntry> = history
        .iter()
        .filter(|entry| entry.scope == suppression.scope)
        .collect();
    let kind = in_scope
        .iter()
        .find(|entry| entry.id == suppression.entry.id)
        .map(|entry| entry.kind.as_str());
    let released_at = in_scope
        .iter()
        .filter(|entry| entry.kind == "manual-release")
        .map(|entry| entry.at)
        .max();
    in_scope
        .iter()
        .filter(|entry| entry.suppresses && Some(entry.kind.as_str()) == kind)
        .map(|entry| entry.at)
        .filter(|at| released_at.is_none_or(|released_at| *at > released_at))
        .min()
        .unwrap_or(suppression.entry.at)
}

/// Identifies the state of a recipient's entries. It changes with every decision and every event that changes an entry.
#[must_use]
pub fn recipient_version(recipient: &Recipient) -> String {
    let newest = recipient.entries.values().map(|entry| entry.at.as_microsecond()).max();
    format!("{}-{}", recipient.entries.len(), newest.unwrap_or_default())
}
