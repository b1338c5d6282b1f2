//! Series of bounces, deliveries, and the entries that result.

use store::{BounceSeries, DeliveredBatch, DeliveredMessage, Recipient, Scope, SeriesBounce, SeriesWrite};

use crate::support::{NOW, address, at, entry};

fn bounce(time: &str, id: &str) -> SeriesBounce {
    SeriesBounce {
        at: at(time),
        message_id: id.to_owned(),
        detail: String::new(),
    }
}

fn delivered(time: &str, id: &str) -> DeliveredMessage {
    DeliveredMessage::new(at(time), id)
}

#[tokio::test]
async fn an_entry_is_written_only_if_the_row_has_not_changed() {
    let (store, ..) = store::testing::fresh().await;
    let (jane, scope) = (address("jane@example.com"), Scope::Domain("example.org".into()));
    let soft = BounceSeries::Soft;
    let add = async |bounce: &SeriesBounce| store.add_bounce(&jane, &scope, soft, bounce, at(NOW)).await.unwrap();
    let record = async |message, row| {
        let recorded = store.record_deliveries(&jane, &scope, &[message], row).await;
        recorded.unwrap().unwrap()
    };
    let first = bounce("2026-01-01T00:00:00Z", "m1");
    add(&first).await;
    let evaluated = add(&first).await;
    let known = evaluated.series(&scope, soft);
    assert_eq!(
        known,
        std::slice::from_ref(&first),
        "adding a bounce again changes nothing"
    );

    let second = bounce("2026-01-02T00:00:00Z", "m2");
    let newer = add(&second).await;
    let streak = entry("2026-01-02T00:00:00Z", "m2", true);
    let settle = async |row, outcome| store.settle_series(&jane, &scope, soft, row, outcome).await.unwrap();
    assert_eq!(settle(&evaluated, Some(&streak)).await, SeriesWrite::Overtaken);
    assert_eq!(settle(&newer, Some(&streak)).await, SeriesWrite::Written);

    let noon = delivered("2026-01-01T12:00:00Z", "m3");
    // The caller's row may be older than the table's.
    let voided = record(noon, evaluated.clone()).await;
    assert_eq!(voided.counted(&scope, soft), std::slice::from_ref(&second));
    assert_eq!(
        record(noon, voided.clone()).await,
        voided,
        "recording it again changes nothing"
    );
    assert_eq!(settle(&newer, None).await, SeriesWrite::Overtaken);
    assert_eq!(settle(&voided, None).await, SeriesWrite::Written);
    assert_eq!(
        settle(&voided, None).await,
        SeriesWrite::Written,
        "the SDK repeated the request because its response was lost"
    );
    let row = store.recipient(&jane).await.unwrap().unwrap();
    assert!(row.entries.is_empty());
    assert_eq!(
        row.series(&scope, soft),
        [first, second],
        "the voided bounce remains, because the delivered message may bounce later"
    );
    let unknown = address("no@row.example");
    let recorded = store
        .record_deliveries(&unknown, &scope, &[noon], Recipient::default())
        .await;
    assert_eq!(recorded.unwrap(), None);
}

#[tokio::test]
async fn a_delivery_whose_message_bounces_later_voids_nothing() {
    let (store, ..) = store::testing::fresh().await;
    let (jane, scope) = (address("jane@example.com"), Scope::Domain("example.org".into()));
    let soft = BounceSeries::Soft;
    let add = async |series, bounce: &SeriesBounce| {
        let added = store.add_bounce(&jane, &scope, series, bounce, at(NOW)).await;
        added.unwrap()
    };
    let first = bounce("2026-01-01T00:00:00Z", "m1");
    let row = add(soft, &first).await;
    let accepted = delivered("2026-01-02T00:00:00Z", "m2");
    let row = store.record_deliveries(&jane, &scope, &[accepted], row).await.unwrap();
    assert_eq!(row.unwrap().counted(&scope, soft), []);

    let earlier = add(soft, &bounce("2026-01-01T23:00:00Z", "m2")).await;
    assert_eq!(earlier.counted(&scope, soft), [], "delayed, and delivered afterwards");
    let returned = add(BounceSeries::Unconfirmed, &bounce("2026-01-02T00:05:00Z", "m2")).await;
    assert_eq!(
        returned.counted(&scope, soft).first(),
        Some(&first),
        "returned after it was accepted"
    );
}

#[tokio::test]
async fn a_release_voids_the_bounces_before_it() {
    let (store, ..) = store::testing::fresh().await;
    let (jane, scope) = (address("jane@example.com"), Scope::Domain("example.org".into()));
    let series = BounceSeries::Unconfirmed;
    let release = entry("2026-01-01T12:00:00Z", "manual-1", false);
    crate::support::record(&store, &scope, &store::SuppressionSource::Released, &release).await;
    let add = async |bounce: &SeriesBounce| store.add_bounce(&jane, &scope, series, bounce, at(NOW)).await.unwrap();
    add(&bounce("2026-01-01T00:00:00Z", "m1")).await;
    let after = bounce("2026-01-02T00:00:00Z", "m2");
    let row = add(&after).await;
    assert_eq!(row.counted(&scope, series), std::slice::from_ref(&after));
    let settled = store.settle_series(&jane, &scope, series, &row, None).await.unwrap();
    assert_eq!(settled, SeriesWrite::Written);
    let row = store.recipient(&jane).await.unwrap().unwrap();
    assert_eq!(
        row.series(&scope, series),
        [after],
        "the bounce before the release is removed"
    );
}

#[tokio::test]
async fn a_delivery_before_the_row_is_found_in_its_batch() {
    let (store, ..) = store::testing::fresh().await;
    let (jane, scope) = (address("jane@example.com"), Scope::Domain("example.org".into()));
    let mut batch = DeliveredBatch::new(scope.clone(), at("2026-01-01T10:59:59.500Z"));
    let newest = delivered("2026-01-01T10:59:59.500Z", "m2");
    batch.add(&jane, newest);
    batch.add(&jane, delivered("2026-01-01T10:20:00Z", "m1"));
    batch.add(&address("joe@example.com"), delivered("2026-01-01T10:10:00Z", "m3"));
    assert!(batch.accepts(&scope, at("2026-01-01T10:00:00Z")));
    assert!(!batch.accepts(&scope, at("2026-01-01T11:00:00Z")));
    store.put_deliveries(&batch, at("2027-01-01T00:00:00Z")).await.unwrap();

    let find = async |recipient: &str, from: &str, bounced: &str| {
        let span = (at(from), at("2026-01-01T12:00:00Z"));
        let holds = |delivered: &DeliveredMessage| !delivered.is_of(bounced);
        let found = store.newest_delivery(&address(recipient), &scope, span, holds).await;
        found.unwrap()
    };
    assert_eq!(find("JANE@example.com", "2026-01-01T08:30:00Z", "").await, Some(newest));
    assert_eq!(
        find("jane@example.com", "2026-01-01T08:30:00Z", "m2").await,
        Some(delivered("2026-01-01T10:20:00Z", "m1")),
        "the newest that holds"
    );
    assert_eq!(
        find("jane@example.com", "2026-01-01T10:59:59.500Z", "").await,
        None,
        "not after the start of the span"
    );
    assert_eq!(find("ann@example.com", "2026-01-01T08:30:00Z", "").await, None);
}
