//! Values and calls that several tests need.

use std::collections::BTreeMap;

use jiff::Timestamp;
use notification_model::EmailAddress;
use store::{Scope, SenderContext, Store, SuppressionEntry, SuppressionSource};

/// The time at which the tests check.
pub(crate) const NOW: &str = "2026-02-01T00:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

/// A permanent entry, or a release if `blocked` is false.
pub(crate) fn entry(time: &str, id: &str, blocked: bool) -> SuppressionEntry {
    SuppressionEntry {
        at: at(time),
        id: id.to_owned(),
        blocked,
        until: None,
        reason: format!("because of {id}"),
        address: "Jane@Example.com".to_owned(),
        evidence: BTreeMap::from([("status".to_owned(), "5.1.1".to_owned())]),
    }
}

/// Records an entry for jane@example.com. Returns whether the row changed.
pub(crate) async fn record(store: &Store, scope: &Scope, source: &SuppressionSource, entry: &SuppressionEntry) -> bool {
    store
        .record_suppression(&address("jane@example.com"), scope, source, entry, at(NOW))
        .await
        .unwrap()
}

/// Returns `<scope>|<source>` of the active suppressions of an address.
pub(crate) async fn active(store: &Store, recipient: &str, context: &SenderContext) -> Vec<String> {
    let results = store.check(&[address(recipient)], context, at(NOW)).await.unwrap();
    results[0]
        .suppressions
        .iter()
        .map(|suppression| format!("{}|{}", suppression.scope, suppression.source))
        .collect()
}
