//! Soft bounces, deliveries and the streak entry.

use store::{DeliveredBatch, Scope, SoftBounce, StreakWrite};

use crate::support::{NOW, address, at, entry};

fn soft(time: &str, id: &str) -> SoftBounce {
    SoftBounce {
        at: at(time),
        message_id: id.to_owned(),
    }
}

#[tokio::test]
async fn a_streak_is_written_only_if_the_row_has_not_changed() {
    let (store, ..) = store::testing::fresh().await;
    let (jane, scope) = (address("jane@example.com"), Scope::Domain("example.org".into()));
    let first = soft("2026-01-01T00:00:00Z", "m1");
    store.add_soft_bounce(&jane, &scope, &first, at(NOW)).await.unwrap();
    let evaluated = store.add_soft_bounce(&jane, &scope, &first, at(NOW)).await.unwrap();
    assert_eq!(
        evaluated.soft_bounces[&scope],
        std::slice::from_ref(&first),
        "adding a soft bounce again changes nothing"
    );

    let second = soft("2026-01-02T00:00:00Z", "m2");
    let newer = store.add_soft_bounce(&jane, &scope, &second, at(NOW)).await.unwrap();
    let streak = entry("2026-01-02T00:00:00Z", "m2", true);
    let settle = async |evaluated, outcome| store.settle_streak(&jane, &scope, evaluated, outcome).await.unwrap();
    assert_eq!(settle(&evaluated, Some(&streak)).await, StreakWrite::Overtaken);
    assert_eq!(settle(&newer, Some(&streak)).await, StreakWrite::Written);

    let delivered = store
        .record_delivery(&jane, &scope, at("2026-01-01T12:00:00Z"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(delivered.live_soft_bounces(&scope), std::slice::from_ref(&second));
    assert_eq!(
        store
            .record_delivery(&jane, &scope, at("2026-01-01T11:00:00Z"))
            .await
            .unwrap(),
        Some(delivered.clone()),
        "an older delivery changes nothing"
    );
    assert_eq!(settle(&newer, None).await, StreakWrite::Overtaken);
    assert_eq!(settle(&delivered, None).await, StreakWrite::Written);
    assert_eq!(
        settle(&delivered, None).await,
        StreakWrite::Written,
        "the SDK repeated the request because its response was lost"
    );
    let row = store.recipient(&jane).await.unwrap().unwrap();
    assert_eq!(row.soft_bounces[&scope], [second], "the voided soft bounce is removed");
    assert!(row.entries.is_empty());
    assert_eq!(
        store
            .record_delivery(&address("no@row.example"), &scope, at(NOW))
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn a_delivery_before_the_row_is_found_in_its_batch() {
    let (store, ..) = store::testing::fresh().await;
    let (jane, scope) = (address("jane@example.com"), Scope::Domain("example.org".into()));
    let mut batch = DeliveredBatch::new(scope.clone(), at("2026-01-01T10:59:59.500Z"));
    batch.add(&jane, at("2026-01-01T10:59:59.500Z"));
    batch.add(&address("joe@example.com"), at("2026-01-01T10:10:00Z"));
    assert!(batch.accepts(&scope, at("2026-01-01T10:00:00Z")));
    assert!(!batch.accepts(&scope, at("2026-01-01T11:00:00Z")));
    store.put_deliveries(&batch, at("2027-01-01T00:00:00Z")).await.unwrap();

    let find = async |recipient: &str, from: &str, to: &str| {
        store
            .newest_delivery(&address(recipient), &scope, at(from), at(to))
            .await
            .unwrap()
    };
    let expected = Some(at("2026-01-01T10:59:59.500Z"));
    assert_eq!(
        find("JANE@example.com", "2026-01-01T08:30:00Z", "2026-01-01T12:00:00Z").await,
        expected
    );
    assert_eq!(
        find("jane@example.com", "2026-01-01T10:59:59.500Z", "2026-01-01T12:00:00Z").await,
        None,
        "not after the start of the span"
    );
    assert_eq!(
        find("ann@example.com", "2026-01-01T08:30:00Z", "2026-01-01T12:00:00Z").await,
        None
    );
}
