//! The history of a recipient and the list of a scope.

use std::collections::BTreeMap;

use store::{HistoryEntry, Scope};

use crate::support::{NOW, address, at};

#[tokio::test]
async fn a_history_entry_is_written_once_and_listed_if_it_suppresses() {
    let (store, ..) = store::testing::fresh().await;
    let jane = address("jane@example.com");
    let entry = |time: &str, suppresses: bool| HistoryEntry {
        at: at(time),
        id: "m1".to_owned(),
        kind: "hard".to_owned(),
        reason: "hard bounce".to_owned(),
        scope: Scope::Global,
        suppresses,
        evidence: BTreeMap::from([("status".to_owned(), "5.1.1".to_owned())]),
        expires_at: Some(at("2027-01-01T00:00:00Z")),
    };
    let entries = [
        entry("2026-01-01T00:00:00Z", false),
        entry("2026-01-02T00:00:00Z", true),
    ];
    for entry in entries.iter().rev().chain(&entries) {
        store.append_history(&jane, entry).await.unwrap();
    }
    assert_eq!(store.history(&jane).await.unwrap(), entries);
    assert!(store.history(&address("joe@example.com")).await.unwrap().is_empty());

    let list = async |scope: &Scope, from: &str, to: &str| {
        let listed = store.suppressed_between(scope, at(from), at(to), 10).await.unwrap();
        listed
            .into_iter()
            .map(|suppression| suppression.address)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        list(&Scope::Global, "2026-01-01T00:00:00Z", NOW).await,
        ["jane@example.com"]
    );
    assert!(list(&Scope::Global, "2026-01-03T00:00:00Z", NOW).await.is_empty());
    assert!(
        list(&Scope::Tenant("acme".into()), "2026-01-01T00:00:00Z", NOW)
            .await
            .is_empty()
    );
}
