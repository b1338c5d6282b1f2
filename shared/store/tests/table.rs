//! The store against an embedded DynamoDB.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use notification_model::EmailAddress;
use store::testing::Fault;
use store::{
    DeliveredBatch, EventKind, HistoryEntry, Scope, Sender, SenderBatch, SenderContext, SenderEvent, SendingStream,
    SoftBounce, Store, StreakWrite, SuppressionEntry, SuppressionSource,
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn entry(time: &str, id: &str, blocked: bool) -> SuppressionEntry {
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

const NOW: &str = "2026-02-01T00:00:00Z";

/// The origins that stand in the way of `context`.
async fn blocked(store: &Store, who: &str, context: &SenderContext) -> Vec<String> {
    let answers = store.check(&[address(who)], context, at(NOW)).await.unwrap();
    answers[0]
        .blocks
        .iter()
        .map(|block| format!("{}|{}", block.scope, block.source))
        .collect()
}

async fn record(store: &Store, scope: &Scope, source: &SuppressionSource, entry: &SuppressionEntry) -> bool {
    store
        .record(&address("jane@example.com"), scope, source, entry, at(NOW))
        .await
        .unwrap()
}

#[tokio::test]
async fn the_newest_event_owns_a_register() {
    let (store, ..) = store::testing::fresh().await;
    let jane = address("jane@example.com");
    assert_eq!(store.recipient(&jane).await.unwrap(), None);

    let newer = entry("2026-01-02T00:00:00Z", "m2", true);
    assert!(record(&store, &Scope::Global, &SuppressionSource::Bounce, &newer).await);
    assert!(
        !record(&store, &Scope::Global, &SuppressionSource::Bounce, &newer).await,
        "the same again"
    );
    let older = entry("2026-01-01T00:00:00Z", "m9", true);
    assert!(
        !record(&store, &Scope::Global, &SuppressionSource::Bounce, &older).await,
        "an older one"
    );

    let row = store.recipient(&jane).await.unwrap().unwrap();
    assert_eq!(
        row.entries,
        BTreeMap::from([((Scope::Global, SuppressionSource::Bounce), newer)])
    );
}

#[tokio::test]
async fn a_tie_in_time_is_broken_by_the_id_in_any_order() {
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

#[tokio::test]
async fn scopes_keep_to_themselves() {
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
        blocked(&store, "JANE@example.com", &tenant("acme")).await,
        ["tenant:acme|complaint"]
    );
    assert!(blocked(&store, "jane@example.com", &tenant("other")).await.is_empty());
    assert!(
        blocked(&store, "jane@example.com", &SenderContext::default())
            .await
            .is_empty()
    );

    record(&store, &Scope::Global, &SuppressionSource::Bounce, &complaint).await;
    assert_eq!(
        blocked(&store, "jane@example.com", &tenant("other")).await,
        ["global|bounce"]
    );
}

#[tokio::test]
async fn a_release_outlives_older_events_and_yields_to_newer_ones() {
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
    assert!(blocked(&store, "jane@example.com", &anyone).await.is_empty());
    record(
        &store,
        &Scope::Global,
        &SuppressionSource::Bounce,
        &entry("2026-01-11T00:00:00Z", "new", true),
    )
    .await;
    assert_eq!(blocked(&store, "jane@example.com", &anyone).await, ["global|bounce"]);
}

#[tokio::test]
async fn an_expired_decision_blocks_no_more() {
    let (store, ..) = store::testing::fresh().await;
    let ended = SuppressionEntry {
        until: Some(at(NOW) - SignedDuration::from_secs(1)),
        ..entry("2026-01-01T00:00:00Z", "m1", true)
    };
    record(&store, &Scope::Global, &SuppressionSource::SesList, &ended).await;
    assert!(
        blocked(&store, "jane@example.com", &SenderContext::default())
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn leaving_a_topic_concerns_that_topic_only() {
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
        blocked(&store, "jane@example.com", &context(Some("news/weekly"))).await,
        ["domain:example.org|topic:news/weekly"]
    );
    assert!(
        blocked(&store, "jane@example.com", &context(Some("news/daily")))
            .await
            .is_empty()
    );
    assert!(blocked(&store, "jane@example.com", &context(None)).await.is_empty());

    record(&store, &scope, &SuppressionSource::List("news".into()), &left).await;
    for topic in ["news/daily", "news"] {
        let asked = blocked(&store, "jane@example.com", &context(Some(topic))).await;
        assert_eq!(asked, ["domain:example.org|list:news"]);
    }
    assert!(
        blocked(&store, "jane@example.com", &context(Some("newsroom")))
            .await
            .is_empty()
    );
    assert!(
        blocked(&store, "jane@example.com", &context(None)).await.is_empty(),
        "a password reset"
    );
}

#[tokio::test]
async fn a_domain_sends_for_the_domains_below_it() {
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
            blocked(&store, "jane@example.com", &context).await.len(),
            expected,
            "{identity}"
        );
    }
}

#[tokio::test]
async fn a_release_outlives_a_later_manual_suppression() {
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
        blocked(&store, "jane@example.com", &SenderContext::default())
            .await
            .is_empty(),
        "the week is over"
    );
}

#[tokio::test]
async fn a_check_is_one_request_per_hundred_addresses() {
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
    let answers = store
        .check(&addresses, &SenderContext::default(), at(NOW))
        .await
        .unwrap();
    assert_eq!(requests.take(), BTreeMap::from([("BatchGetItem".to_owned(), 2)]));
    let suppressed: Vec<_> = answers.iter().filter(|answer| !answer.blocks.is_empty()).collect();
    assert_eq!(suppressed.len(), 1);
    assert_eq!(suppressed[0].address.key(), "jane@example.com");
    assert_eq!(answers.len(), 150);
}

#[tokio::test]
async fn history_is_written_once_and_lists_what_suppressed() {
    let (store, ..) = store::testing::fresh().await;
    let jane = address("jane@example.com");
    let line = |time: &str, suppresses: bool| HistoryEntry {
        at: at(time),
        id: "m1".to_owned(),
        kind: "hard".to_owned(),
        reason: "hard bounce".to_owned(),
        scope: Scope::Global,
        suppresses,
        evidence: BTreeMap::from([("status".to_owned(), "5.1.1".to_owned())]),
        expires_at: Some(at("2027-01-01T00:00:00Z")),
    };
    let lines = [line("2026-01-01T00:00:00Z", false), line("2026-01-02T00:00:00Z", true)];
    for line in lines.iter().rev().chain(&lines) {
        store.append_history(&jane, line).await.unwrap();
    }
    assert_eq!(store.history(&jane).await.unwrap(), lines);
    assert!(store.history(&address("joe@example.com")).await.unwrap().is_empty());

    let list = async |scope: &Scope, from: &str, to: &str| {
        let listed = store.suppressed_between(scope, at(from), at(to), 10).await.unwrap();
        listed.into_iter().map(|one| one.address).collect::<Vec<_>>()
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

fn soft(time: &str, id: &str) -> SoftBounce {
    SoftBounce {
        at: at(time),
        message_id: id.to_owned(),
    }
}

#[tokio::test]
async fn a_streak_is_settled_only_as_it_was_judged() {
    let (store, ..) = store::testing::fresh().await;
    let (jane, scope) = (address("jane@example.com"), Scope::Domain("example.org".into()));
    let first = soft("2026-01-01T00:00:00Z", "m1");
    store.add_soft_bounce(&jane, &scope, &first, at(NOW)).await.unwrap();
    let judged = store.add_soft_bounce(&jane, &scope, &first, at(NOW)).await.unwrap();
    assert_eq!(
        judged.soft_bounces[&scope],
        std::slice::from_ref(&first),
        "adding twice is harmless"
    );

    let second = soft("2026-01-02T00:00:00Z", "m2");
    let newer = store.add_soft_bounce(&jane, &scope, &second, at(NOW)).await.unwrap();
    let streak = entry("2026-01-02T00:00:00Z", "m2", true);
    let settle = async |judged, outcome| store.settle_streak(&jane, &scope, judged, outcome).await.unwrap();
    assert_eq!(settle(&judged, Some(&streak)).await, StreakWrite::Overtaken);
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
        "no news, and the row as it is"
    );
    assert_eq!(settle(&newer, None).await, StreakWrite::Overtaken);
    assert_eq!(settle(&delivered, None).await, StreakWrite::Written);
    assert_eq!(
        settle(&delivered, None).await,
        StreakWrite::Written,
        "the answer got lost, and the SDK tried again"
    );
    let row = store.recipient(&jane).await.unwrap().unwrap();
    assert_eq!(row.soft_bounces[&scope], [second], "the void one is dropped");
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
    assert!(batch.takes(&scope, at("2026-01-01T10:00:00Z")));
    assert!(!batch.takes(&scope, at("2026-01-01T11:00:00Z")));
    store.put_deliveries(&batch, at("2027-01-01T00:00:00Z")).await.unwrap();

    let find = async |who: &str, from: &str, to: &str| {
        store
            .newest_delivery(&address(who), &scope, at(from), at(to))
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
        "not newer"
    );
    assert_eq!(
        find("ann@example.com", "2026-01-01T08:30:00Z", "2026-01-01T12:00:00Z").await,
        None
    );
}

fn sender(account: &str) -> Sender {
    Sender {
        owner: "111122223333".to_owned(),
        account: account.to_owned(),
        identity: "example.org".to_owned(),
    }
}

fn line(set: &str) -> SendingStream {
    SendingStream {
        configuration_set: Some(set.to_owned()),
        tenant: None,
    }
}

#[tokio::test]
async fn counting_twice_is_not_possible() {
    let (store, ..) = store::testing::fresh().await;
    let (now, expiry) = (at("2026-01-01T12:30:00Z"), at("2026-02-01T00:00:00Z"));
    let bounce = |stream: SendingStream, time: &str| SenderEvent {
        sender: sender("222233334444"),
        stream,
        kind: EventKind::Hard,
        at: at(time),
        message_id: "m1".to_owned(),
        recipient: Some(address("jane@example.com")),
    };
    // The same bounce from the identity's topic and the configuration set's, and an old one.
    for line in [line("campaigns"), SendingStream::default(), SendingStream::default()] {
        store
            .count_event(&bounce(line, "2026-01-01T12:00:00Z"), expiry)
            .await
            .unwrap();
    }
    store
        .count_event(
            &SenderEvent {
                message_id: "m0".into(),
                ..bounce(SendingStream::default(), "2026-01-01T02:00:00Z")
            },
            expiry,
        )
        .await
        .unwrap();

    // Ten deliveries, batched one way and, after a redelivery, another.
    for sizes in [[10, 0], [4, 6], [0, 10]] {
        let mut start = 0;
        for size in sizes {
            let mut batch = SenderBatch::new(sender("222233334444"), line("campaigns"), at("2026-01-01T12:01:00Z"));
            for n in start..start + size {
                batch.add(EventKind::Delivery, &format!("m{n}"), "jane@example.com");
            }
            start += size;
            store.count_batch(&batch, expiry).await.unwrap();
        }
    }

    let rates = store.sender_rates(&sender("222233334444"), now).await.unwrap();
    let counts = |tally: &store::EventCounts| {
        [EventKind::Hard, EventKind::Delivery, EventKind::Send].map(|count| tally.get(count))
    };
    assert_eq!(counts(&rates.hour), [1, 10, 0]);
    assert_eq!(counts(&rates.day), [2, 10, 0]);
    assert_eq!(
        rates.hour.volume(),
        Some(11),
        "without Send events the outcomes tell the volume"
    );
    assert_eq!(rates.day.bounce_rate(), Some(2.0 / 12.0));
    assert_eq!(
        counts(&rates.day_by_stream[&line("campaigns")]),
        [1, 10, 0],
        "the twin that knows the set decides"
    );
    assert_eq!(counts(&rates.day_by_stream[&SendingStream::default()]), [1, 0, 0]);

    let other = store.sender_rates(&sender("999999999999"), now).await.unwrap();
    assert_eq!(other.day.bounce_rate(), None, "nothing sent, no rate");
}

#[tokio::test]
async fn everyone_who_sent_today_is_listed_once() {
    let (store, _, requests) = store::testing::fresh().await;
    let now = at("2026-01-02T12:00:00Z");
    for (account, time) in [
        ("222233334444", "2026-01-02T11:00:00Z"),
        ("222233334444", "2026-01-02T11:30:00Z"),
        ("333344445555", "2026-01-01T13:00:00Z"),
        ("444455556666", "2025-12-30T13:00:00Z"),
    ] {
        let mut batch = SenderBatch::new(sender(account), SendingStream::default(), at(time));
        batch.add(EventKind::Send, time, "jane@example.com");
        store.count_batch(&batch, at("2026-02-01T00:00:00Z")).await.unwrap();
    }
    let _ = requests.take();
    let senders = store.senders(now).await.unwrap();
    assert_eq!(senders, [sender("222233334444"), sender("333344445555")]);
    assert!(
        requests.take()["Query"] <= 27,
        "one query an hour, and one more for each sender found"
    );
}

#[tokio::test]
async fn a_sender_that_only_bounces_is_listed_by_one_row_an_hour() {
    let (store, client, requests) = store::testing::fresh().await;
    let expires_at = at("2026-02-01T00:00:00Z");
    let bounce = |message: &str, time: &str| SenderEvent {
        sender: sender("222233334444"),
        stream: SendingStream::default(),
        kind: EventKind::Hard,
        message_id: message.to_owned(),
        recipient: None,
        at: at(time),
    };
    let listed = async || {
        let rows = client
            .scan()
            .table_name("postroom")
            .index_name("listing")
            .send()
            .await
            .unwrap();
        rows.count()
    };
    requests.fail(Fault::Lost, 0);
    let lost = store
        .count_event(&bounce("m0", "2026-01-02T11:00:00Z"), expires_at)
        .await;
    lost.unwrap_err();
    for message in ["m1", "m2", "m1"] {
        store
            .count_event(&bounce(message, "2026-01-02T11:00:00Z"), expires_at)
            .await
            .unwrap();
    }
    assert_eq!(listed().await, 1);
    let senders = store.senders(at("2026-01-02T12:00:00Z")).await.unwrap();
    assert_eq!(senders, [sender("222233334444")]);
    let rates = store
        .sender_rates(&senders[0], at("2026-01-02T11:30:00Z"))
        .await
        .unwrap();
    assert_eq!(rates.hour.get(EventKind::Hard), 2, "what is not listed counts too");

    store
        .count_event(&bounce("m3", "2026-01-02T12:00:00Z"), expires_at)
        .await
        .unwrap();
    assert_eq!(listed().await, 2, "each hour anew");
}

#[tokio::test]
async fn a_missing_table_is_an_error_that_says_so() {
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

#[test]
fn rows_are_made_of_plain_types() {
    // The documented reading rule is meant for other languages: it needs no more than these.
    let wanted = HashMap::from([("global", Scope::Global), ("tenant:a", Scope::Tenant("a".into()))]);
    for (text, scope) in wanted {
        assert_eq!(scope.to_string(), text);
        assert_eq!(text.parse(), Ok(scope));
    }
    assert!("planet".parse::<Scope>().is_err());
}
