//! Writing suppression entries.

use std::collections::BTreeMap;

use store::{Scope, SuppressionSource};

use crate::support::{address, entry, record};

#[tokio::test]
async fn the_newest_event_replaces_the_entry() {
    let (store, ..) = store::testing::fresh().await;
    let jane = address("jane@example.com");
    assert_eq!(store.recipient(&jane).await.unwrap(), None);

    let newer = entry("2026-01-02T00:00:00Z", "m2", true);
    assert!(record(&store, &Scope::Global, &SuppressionSource::Bounce, &newer).await);
    assert!(
        !record(&store, &Scope::Global, &SuppressionSource::Bounce, &newer).await,
        "the same event again"
    );
    let older = entry("2026-01-01T00:00:00Z", "m9", true);
    assert!(
        !record(&store, &Scope::Global, &SuppressionSource::Bounce, &older).await,
        "an older event"
    );

    let row = store.recipient(&jane).await.unwrap().unwrap();
    assert_eq!(
        row.entries,
        BTreeMap::from([((Scope::Global, SuppressionSource::Bounce), newer)])
    );
}

#[tokio::test]
async fn of_events_at_the_same_time_the_greater_id_is_newer_in_any_order() {
    for ids in [["m1", "m2"], ["m2", "m1"]] {
        let (store, ..) = store::testing::fresh().await;
        for id in ids {
            record(
                &store,
                &Scope::Global,
                &SuppressionSource::Bounce,
                &entry("2026-01-01T00:00:00Z", id, true),
            )
            .await;
        }
        let row = store.recipient(&address("jane@example.com")).await.unwrap().unwrap();
        assert_eq!(row.entries[&(Scope::Global, SuppressionSource::Bounce)].id, "m2");
    }
}

#[test]
fn scopes_have_a_text_form() {
    for (text, scope) in [("global", Scope::Global), ("tenant:a", Scope::Tenant("a".into()))] {
        assert_eq!(scope.to_string(), text);
        assert_eq!(text.parse(), Ok(scope));
    }
    for text in ["forward:sales@shop.example", "forward:shop.example", "forward:*"] {
        assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
    }
    assert_eq!(
        "forward:Sales@Shop.Example".parse::<Scope>().unwrap(),
        Scope::Forward("sales@shop.example".to_owned())
    );
    for text in ["planet", "forward:", "forward:@shop.example"] {
        assert!(text.parse::<Scope>().is_err(), "{text}");
    }
}
