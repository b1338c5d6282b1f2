//! The check before sending.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use store::{Scope, SenderContext, Store, SuppressionEntry, SuppressionSource};

use crate::support::{NOW, active, address, at, entry, record};

#[tokio::test]
async fn a_suppression_applies_only_in_its_scope() {
    let (store, ..) = store::testing::fresh().await;
    let complaint = entry("2026-01-01T00:00:00Z", "m1", true);
    record(
        &store,
        &Scope::Tenant("acme".into()),
        &SuppressionSource::Complaint,
        &complaint,
    )
    .await;

    let tenant = |name: &str| SenderContext {
        tenant: Some(name.to_owned()),
        ..SenderContext::default()
    };
    assert_eq!(
        active(&store, "JANE@example.com", &tenant("acme")).await,
        ["tenant:acme|complaint"]
    );
    assert!(active(&store, "jane@example.com", &tenant("other")).await.is_empty());
    assert!(
        active(&store, "jane@example.com", &SenderContext::default())
            .await
            .is_empty()
    );

    record(&store, &Scope::Global, &SuppressionSource::Bounce, &complaint).await;
    assert_eq!(
        active(&store, "jane@example.com", &tenant("other")).await,
        ["global|bounce"]
    );
}

#[tokio::test]
async fn a_release_voids_older_entries_and_not_newer_ones() {
    let (store, ..) = store::testing::fresh().await;
    let anyone = SenderContext::default();
    let release = entry("2026-01-10T00:00:00Z", "release", false);
    record(&store, &Scope::Global, &SuppressionSource::Released, &release).await;
    record(
        &store,
        &Scope::Global,
        &SuppressionSource::Bounce,
        &entry("2026-01-09T00:00:00Z", "replayed", true),
    )
    .await;
    assert!(active(&store, "jane@example.com", &anyone).await.is_empty());
    record(
        &store,
        &Scope::Global,
        &SuppressionSource::Bounce,
        &entry("2026-01-11T00:00:00Z", "new", true),
    )
    .await;
    assert_eq!(active(&store, "jane@example.com", &anyone).await, ["global|bounce"]);
}

#[tokio::test]
async fn an_expired_entry_does_not_suppress() {
    let (store, ..) = store::testing::fresh().await;
    let ended = SuppressionEntry {
        until: Some(at(NOW) - SignedDuration::from_secs(1)),
        ..entry("2026-01-01T00:00:00Z", "m1", true)
    };
    record(&store, &Scope::Global, &SuppressionSource::SesList, &ended).await;
    assert!(
        active(&store, "jane@example.com", &SenderContext::default())
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn an_opt_out_of_a_topic_or_list_suppresses_only_its_mail() {
    let (store, ..) = store::testing::fresh().await;
    let scope = Scope::Domain("example.org".into());
    let left = entry("2026-01-01T00:00:00Z", "m1", true);
    record(&store, &scope, &SuppressionSource::Topic("news/weekly".into()), &left).await;
    let context = |topic: Option<&str>| SenderContext {
        identity: Some("shop@Example.org".to_owned()),
        topic: topic.map(str::to_owned),
        ..SenderContext::default()
    };
    assert_eq!(
        active(&store, "jane@example.com", &context(Some("news/weekly"))).await,
        ["domain:example.org|topic:news/weekly"]
    );
    assert!(
        active(&store, "jane@example.com", &context(Some("news/daily")))
            .await
            .is_empty()
    );
    assert!(active(&store, "jane@example.com", &context(None)).await.is_empty());

    record(&store, &scope, &SuppressionSource::List("news".into()), &left).await;
    for topic in ["news/daily", "news"] {
        let active = active(&store, "jane@example.com", &context(Some(topic))).await;
        assert_eq!(active, ["domain:example.org|list:news"]);
    }
    assert!(
        active(&store, "jane@example.com", &context(Some("newsroom")))
            .await
            .is_empty()
    );
    assert!(
        active(&store, "jane@example.com", &context(None)).await.is_empty(),
        "a password reset"
    );
}

#[tokio::test]
async fn a_suppression_of_a_domain_applies_to_its_subdomains() {
    let (store, ..) = store::testing::fresh().await;
    let complaint = entry("2026-01-01T00:00:00Z", "m1", true);
    record(
        &store,
        &Scope::Domain("shop.example".into()),
        &SuppressionSource::Complaint,
        &complaint,
    )
    .await;
    for (identity, expected) in [
        ("shop.example", 1),
        ("news@mail.Shop.example", 1),
        ("a.b.shop.example", 1),
        ("workshop.example", 0),
        ("example", 0),
    ] {
        let context = SenderContext {
            identity: Some(identity.to_owned()),
            ..SenderContext::default()
        };
        assert_eq!(
            active(&store, "jane@example.com", &context).await.len(),
            expected,
            "{identity}"
        );
    }
}

#[tokio::test]
async fn a_release_still_voids_older_entries_after_a_later_manual_suppression_ended() {
    let (store, ..) = store::testing::fresh().await;
    record(
        &store,
        &Scope::Global,
        &SuppressionSource::Bounce,
        &entry("2026-01-01T00:00:00Z", "m1", true),
    )
    .await;
    record(
        &store,
        &Scope::Global,
        &SuppressionSource::Released,
        &entry("2026-01-02T00:00:00Z", "r1", false),
    )
    .await;
    let for_a_week = SuppressionEntry {
        until: Some(at("2026-01-10T00:00:00Z")),
        ..entry("2026-01-03T00:00:00Z", "p1", true)
    };
    record(&store, &Scope::Global, &SuppressionSource::Manual, &for_a_week).await;
    assert!(
        active(&store, "jane@example.com", &SenderContext::default())
            .await
            .is_empty(),
        "the manual suppression ended"
    );
}

#[tokio::test]
async fn a_check_needs_one_request_for_a_hundred_addresses() {
    let (store, _, requests) = store::testing::fresh().await;
    record(
        &store,
        &Scope::Global,
        &SuppressionSource::Bounce,
        &entry("2026-01-01T00:00:00Z", "m1", true),
    )
    .await;
    let mut addresses: Vec<_> = (0..149).map(|n| address(&format!("user{n}@example.com"))).collect();
    addresses.push(address("Jane <JANE@Example.com>"));
    let _ = requests.take();
    let results = store
        .check(&addresses, &SenderContext::default(), at(NOW))
        .await
        .unwrap();
    assert_eq!(requests.take(), BTreeMap::from([("BatchGetItem".to_owned(), 2)]));
    let suppressed: Vec<_> = results
        .iter()
        .filter(|result| !result.suppressions.is_empty())
        .collect();
    assert_eq!(suppressed.len(), 1);
    assert_eq!(suppressed[0].address.key(), "jane@example.com");
    assert_eq!(results.len(), 150);
}

#[tokio::test]
async fn the_error_of_a_missing_table_names_the_table_and_not_the_address() {
    let (_, client, _) = store::testing::fresh().await;
    let error = Store::new(client, "elsewhere")
        .recipient(&address("jane@example.com"))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("GetItem on table elsewhere: "), "{error}");
    assert!(error.contains("ResourceNotFoundException"), "{error}");
    assert!(!error.contains("jane"), "{error}");
}

#[tokio::test]
async fn a_tenant_of_another_account_has_a_scope_of_its_own() {
    let (store, ..) = store::testing::fresh().await;
    let scope: Scope = "tenant:999900001111/acme".parse().unwrap();
    assert_eq!(scope.to_string(), "tenant:999900001111/acme");
    let complaint = entry("2026-01-01T00:00:00Z", "m1", true);
    record(&store, &scope, &SuppressionSource::Complaint, &complaint).await;
    let tenant = |name: &str| SenderContext {
        tenant: Some(name.to_owned()),
        ..SenderContext::default()
    };
    assert!(active(&store, "jane@example.com", &tenant("acme")).await.is_empty());
    assert_eq!(
        active(&store, "jane@example.com", &tenant("999900001111/acme")).await,
        ["tenant:999900001111/acme|complaint"]
    );
}

#[tokio::test]
async fn a_manual_suppression_does_not_shorten_an_unsubscribe() {
    let (store, ..) = store::testing::fresh().await;
    let scope = Scope::Domain("example.org".into());
    let left = entry("2026-01-01T00:00:00Z", "m1", true);
    record(&store, &scope, &SuppressionSource::Unsubscribe, &left).await;
    let for_a_week = SuppressionEntry {
        until: Some(at("2026-01-09T00:00:00Z")),
        ..entry("2026-01-02T00:00:00Z", "manual-1", true)
    };
    record(&store, &scope, &SuppressionSource::Manual, &for_a_week).await;
    let context = SenderContext {
        identity: Some("example.org".into()),
        ..SenderContext::default()
    };
    assert_eq!(
        active(&store, "jane@example.com", &context).await,
        ["domain:example.org|unsubscribe"]
    );
}
