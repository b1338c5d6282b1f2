//! The ledger against an embedded DynamoDB.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use ledger::testing::Fault;
use ledger::{
    Asker, Count, DeliveredBatch, Entry, EventCount, HistoryEntry, Ledger, Line, Origin, Scope, Sender, SenderBatch,
    SoftBounce, StreakWrite,
};
use notification_model::EmailAddress;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn entry(time: &str, id: &str, blocked: bool) -> Entry {
    Entry {
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

/// The origins that stand in the way of `asker`.
async fn blocked(ledger: &Ledger, who: &str, asker: &Asker) -> Vec<String> {
    let answers = ledger.check(&[address(who)], asker, at(NOW)).await.unwrap();
    answers[0]
        .blocks
        .iter()
        .map(|block| format!("{}|{}", block.scope, block.origin))
        .collect()
}

async fn record(ledger: &Ledger, scope: &Scope, origin: &Origin, entry: &Entry) -> bool {
    ledger
        .record(&address("jane@example.com"), scope, origin, entry, at(NOW))
        .await
        .unwrap()
}

#[tokio::test]
async fn the_newest_event_owns_a_register() {
    let (ledger, ..) = ledger::testing::fresh().await;
    let jane = address("jane@example.com");
    assert_eq!(ledger.recipient(&jane).await.unwrap(), None);

    let newer = entry("2026-01-02T00:00:00Z", "m2", true);
    assert!(record(&ledger, &Scope::Global, &Origin::Bounce, &newer).await);
    assert!(
        !record(&ledger, &Scope::Global, &Origin::Bounce, &newer).await,
        "the same again"
    );
    let older = entry("2026-01-01T00:00:00Z", "m9", true);
    assert!(
        !record(&ledger, &Scope::Global, &Origin::Bounce, &older).await,
        "an older one"
    );

    let row = ledger.recipient(&jane).await.unwrap().unwrap();
    assert_eq!(row.entries, BTreeMap::from([((Scope::Global, Origin::Bounce), newer)]));
}

#[tokio::test]
async fn a_tie_in_time_is_broken_by_the_id_in_any_order() {
    for ids in [["m1", "m2"], ["m2", "m1"]] {
        let (ledger, ..) = ledger::testing::fresh().await;
        for id in ids {
            record(
                &ledger,
                &Scope::Global,
                &Origin::Bounce,
                &entry("2026-01-01T00:00:00Z", id, true),
            )
            .await;
        }
        let row = ledger.recipient(&address("jane@example.com")).await.unwrap().unwrap();
        assert_eq!(row.entries[&(Scope::Global, Origin::Bounce)].id, "m2");
    }
}

#[tokio::test]
async fn scopes_keep_to_themselves() {
    let (ledger, ..) = ledger::testing::fresh().await;
    let complaint = entry("2026-01-01T00:00:00Z", "m1", true);
    record(&ledger, &Scope::Tenant("acme".into()), &Origin::Complaint, &complaint).await;

    let tenant = |name: &str| Asker {
        tenant: Some(name.to_owned()),
        ..Asker::default()
    };
    assert_eq!(
        blocked(&ledger, "JANE@example.com", &tenant("acme")).await,
        ["tenant:acme|complaint"]
    );
    assert!(blocked(&ledger, "jane@example.com", &tenant("other")).await.is_empty());
    assert!(blocked(&ledger, "jane@example.com", &Asker::default()).await.is_empty());

    record(&ledger, &Scope::Global, &Origin::Bounce, &complaint).await;
    assert_eq!(
        blocked(&ledger, "jane@example.com", &tenant("other")).await,
        ["global|bounce"]
    );
}

#[tokio::test]
async fn a_release_outlives_older_events_and_yields_to_newer_ones() {
    let (ledger, ..) = ledger::testing::fresh().await;
    let anyone = Asker::default();
    let release = entry("2026-01-10T00:00:00Z", "release", false);
    record(&ledger, &Scope::Global, &Origin::Released, &release).await;
    record(
        &ledger,
        &Scope::Global,
        &Origin::Bounce,
        &entry("2026-01-09T00:00:00Z", "replayed", true),
    )
    .await;
    assert!(blocked(&ledger, "jane@example.com", &anyone).await.is_empty());
    record(
        &ledger,
        &Scope::Global,
        &Origin::Bounce,
        &entry("2026-01-11T00:00:00Z", "new", true),
    )
    .await;
    assert_eq!(blocked(&ledger, "jane@example.com", &anyone).await, ["global|bounce"]);
}

#[tokio::test]
async fn an_expired_decision_blocks_no_more() {
    let (ledger, ..) = ledger::testing::fresh().await;
    let ended = Entry {
        until: Some(at(NOW) - SignedDuration::from_secs(1)),
        ..entry("2026-01-01T00:00:00Z", "m1", true)
    };
    record(&ledger, &Scope::Global, &Origin::SesList, &ended).await;
    assert!(blocked(&ledger, "jane@example.com", &Asker::default()).await.is_empty());
}

#[tokio::test]
async fn leaving_a_topic_concerns_that_topic_only() {
    let (ledger, ..) = ledger::testing::fresh().await;
    let scope = Scope::Domain("example.org".into());
    let left = entry("2026-01-01T00:00:00Z", "m1", true);
    record(&ledger, &scope, &Origin::Topic("news/weekly".into()), &left).await;
    let asker = |topic: Option<&str>| Asker {
        identity: Some("shop@Example.org".to_owned()),
        topic: topic.map(str::to_owned),
        ..Asker::default()
    };
    assert_eq!(
        blocked(&ledger, "jane@example.com", &asker(Some("news/weekly"))).await,
        ["domain:example.org|topic:news/weekly"]
    );
    assert!(
        blocked(&ledger, "jane@example.com", &asker(Some("news/daily")))
            .await
            .is_empty()
    );
    assert!(blocked(&ledger, "jane@example.com", &asker(None)).await.is_empty());

    record(&ledger, &scope, &Origin::List("news".into()), &left).await;
    for topic in ["news/daily", "news"] {
        let asked = blocked(&ledger, "jane@example.com", &asker(Some(topic))).await;
        assert_eq!(asked, ["domain:example.org|list:news"]);
    }
    assert!(
        blocked(&ledger, "jane@example.com", &asker(Some("newsroom")))
            .await
            .is_empty()
    );
    assert!(
        blocked(&ledger, "jane@example.com", &asker(None)).await.is_empty(),
        "a password reset"
    );
}

#[tokio::test]
async fn a_domain_sends_for_the_domains_below_it() {
    let (ledger, ..) = ledger::testing::fresh().await;
    let complaint = entry("2026-01-01T00:00:00Z", "m1", true);
    record(
        &ledger,
        &Scope::Domain("shop.example".into()),
        &Origin::Complaint,
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
        let asker = Asker {
            identity: Some(identity.to_owned()),
            ..Asker::default()
        };
        assert_eq!(
            blocked(&ledger, "jane@example.com", &asker).await.len(),
            expected,
            "{identity}"
        );
    }
}

#[tokio::test]
async fn a_release_outlives_a_later_manual_suppression() {
    let (ledger, ..) = ledger::testing::fresh().await;
    record(
        &ledger,
        &Scope::Global,
        &Origin::Bounce,
        &entry("2026-01-01T00:00:00Z", "m1", true),
    )
    .await;
    record(
        &ledger,
        &Scope::Global,
        &Origin::Released,
        &entry("2026-01-02T00:00:00Z", "r1", false),
    )
    .await;
    let for_a_week = Entry {
        until: Some(at("2026-01-10T00:00:00Z")),
        ..entry("2026-01-03T00:00:00Z", "p1", true)
    };
    record(&ledger, &Scope::Global, &Origin::Manual, &for_a_week).await;
    assert!(
        blocked(&ledger, "jane@example.com", &Asker::default()).await.is_empty(),
        "the week is over"
    );
}

#[tokio::test]
async fn a_check_is_one_request_per_hundred_addresses() {
    let (ledger, _, requests) = ledger::testing::fresh().await;
    record(
        &ledger,
        &Scope::Global,
        &Origin::Bounce,
        &entry("2026-01-01T00:00:00Z", "m1", true),
    )
    .await;
    let mut addresses: Vec<_> = (0..149).map(|n| address(&format!("user{n}@example.com"))).collect();
    addresses.push(address("Jane <JANE@Example.com>"));
    let _ = requests.take();
    let answers = ledger.check(&addresses, &Asker::default(), at(NOW)).await.unwrap();
    assert_eq!(requests.take(), BTreeMap::from([("BatchGetItem".to_owned(), 2)]));
    let suppressed: Vec<_> = answers.iter().filter(|answer| !answer.blocks.is_empty()).collect();
    assert_eq!(suppressed.len(), 1);
    assert_eq!(suppressed[0].address.key(), "jane@example.com");
    assert_eq!(answers.len(), 150);
}

#[tokio::test]
async fn history_is_written_once_and_lists_what_suppressed() {
    let (ledger, ..) = ledger::testing::fresh().await;
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
        ledger.append_history(&jane, line).await.unwrap();
    }
    assert_eq!(ledger.history(&jane).await.unwrap(), lines);
    assert!(ledger.history(&address("joe@example.com")).await.unwrap().is_empty());

    let list = async |scope: &Scope, from: &str, to: &str| {
        let listed = ledger.suppressed_between(scope, at(from), at(to), 10).await.unwrap();
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
    let (ledger, ..) = ledger::testing::fresh().await;
    let (jane, scope) = (address("jane@example.com"), Scope::Domain("example.org".into()));
    let first = soft("2026-01-01T00:00:00Z", "m1");
    ledger.add_soft_bounce(&jane, &scope, &first, at(NOW)).await.unwrap();
    let judged = ledger.add_soft_bounce(&jane, &scope, &first, at(NOW)).await.unwrap();
    assert_eq!(
        judged.soft_bounces[&scope],
        std::slice::from_ref(&first),
        "adding twice is harmless"
    );

    let second = soft("2026-01-02T00:00:00Z", "m2");
    let newer = ledger.add_soft_bounce(&jane, &scope, &second, at(NOW)).await.unwrap();
    let streak = entry("2026-01-02T00:00:00Z", "m2", true);
    let settle = async |judged, outcome| ledger.settle_streak(&jane, &scope, judged, outcome).await.unwrap();
    assert_eq!(settle(&judged, Some(&streak)).await, StreakWrite::Overtaken);
    assert_eq!(settle(&newer, Some(&streak)).await, StreakWrite::Written);

    let delivered = ledger
        .note_delivery(&jane, &scope, at("2026-01-01T12:00:00Z"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(delivered.live_soft_bounces(&scope), std::slice::from_ref(&second));
    assert_eq!(
        ledger
            .note_delivery(&jane, &scope, at("2026-01-01T11:00:00Z"))
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
    let row = ledger.recipient(&jane).await.unwrap().unwrap();
    assert_eq!(row.soft_bounces[&scope], [second], "the void one is dropped");
    assert!(row.entries.is_empty());
    assert_eq!(
        ledger
            .note_delivery(&address("no@row.example"), &scope, at(NOW))
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn a_delivery_before_the_row_is_found_in_its_batch() {
    let (ledger, ..) = ledger::testing::fresh().await;
    let (jane, scope) = (address("jane@example.com"), Scope::Domain("example.org".into()));
    let mut batch = DeliveredBatch::new(scope.clone(), at("2026-01-01T10:59:59.500Z"));
    batch.add(&jane, at("2026-01-01T10:59:59.500Z"));
    batch.add(&address("joe@example.com"), at("2026-01-01T10:10:00Z"));
    assert!(batch.takes(&scope, at("2026-01-01T10:00:00Z")));
    assert!(!batch.takes(&scope, at("2026-01-01T11:00:00Z")));
    ledger.put_deliveries(&batch, at("2027-01-01T00:00:00Z")).await.unwrap();

    let find = async |who: &str, from: &str, to: &str| {
        ledger
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

fn line(set: &str) -> Line {
    Line {
        configuration_set: Some(set.to_owned()),
        tenant: None,
    }
}

#[tokio::test]
async fn counting_twice_is_not_possible() {
    let (ledger, ..) = ledger::testing::fresh().await;
    let (now, expiry) = (at("2026-01-01T12:30:00Z"), at("2026-02-01T00:00:00Z"));
    let bounce = |line: Line, time: &str| EventCount {
        sender: sender("222233334444"),
        line,
        count: Count::Hard,
        at: at(time),
        message_id: "m1".to_owned(),
        recipient: Some(address("jane@example.com")),
    };
    // The same bounce from the identity's topic and the configuration set's, and an old one.
    for line in [line("campaigns"), Line::default(), Line::default()] {
        ledger
            .count_event(&bounce(line, "2026-01-01T12:00:00Z"), expiry)
            .await
            .unwrap();
    }
    ledger
        .count_event(
            &EventCount {
                message_id: "m0".into(),
                ..bounce(Line::default(), "2026-01-01T02:00:00Z")
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
                batch.add(Count::Delivery, &format!("m{n}"), "jane@example.com");
            }
            start += size;
            ledger.count_batch(&batch, expiry).await.unwrap();
        }
    }

    let rates = ledger.sender_rates(&sender("222233334444"), now).await.unwrap();
    let counts = |tally: &ledger::Tally| [Count::Hard, Count::Delivery, Count::Send].map(|count| tally.get(count));
    assert_eq!(counts(&rates.hour), [1, 10, 0]);
    assert_eq!(counts(&rates.day), [2, 10, 0]);
    assert_eq!(
        rates.hour.volume(),
        Some(11),
        "without Send events the outcomes tell the volume"
    );
    assert_eq!(rates.day.bounce_rate(), Some(2.0 / 12.0));
    assert_eq!(
        counts(&rates.day_by_line[&line("campaigns")]),
        [1, 10, 0],
        "the twin that knows the set decides"
    );
    assert_eq!(counts(&rates.day_by_line[&Line::default()]), [1, 0, 0]);

    let other = ledger.sender_rates(&sender("999999999999"), now).await.unwrap();
    assert_eq!(other.day.bounce_rate(), None, "nothing sent, no rate");
}

#[tokio::test]
async fn everyone_who_sent_today_is_listed_once() {
    let (ledger, _, requests) = ledger::testing::fresh().await;
    let now = at("2026-01-02T12:00:00Z");
    for (account, time) in [
        ("222233334444", "2026-01-02T11:00:00Z"),
        ("222233334444", "2026-01-02T11:30:00Z"),
        ("333344445555", "2026-01-01T13:00:00Z"),
        ("444455556666", "2025-12-30T13:00:00Z"),
    ] {
        let mut batch = SenderBatch::new(sender(account), Line::default(), at(time));
        batch.add(Count::Send, time, "jane@example.com");
        ledger.count_batch(&batch, at("2026-02-01T00:00:00Z")).await.unwrap();
    }
    let _ = requests.take();
    let senders = ledger.senders(now).await.unwrap();
    assert_eq!(senders, [sender("222233334444"), sender("333344445555")]);
    assert!(
        requests.take()["Query"] <= 27,
        "one query an hour, and one more for each sender found"
    );
}

#[tokio::test]
async fn a_sender_that_only_bounces_is_listed_by_one_row_an_hour() {
    let (ledger, client, requests) = ledger::testing::fresh().await;
    let expires_at = at("2026-02-01T00:00:00Z");
    let bounce = |message: &str, time: &str| EventCount {
        sender: sender("222233334444"),
        line: Line::default(),
        count: Count::Hard,
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
    let lost = ledger
        .count_event(&bounce("m0", "2026-01-02T11:00:00Z"), expires_at)
        .await;
    lost.unwrap_err();
    for message in ["m1", "m2", "m1"] {
        ledger
            .count_event(&bounce(message, "2026-01-02T11:00:00Z"), expires_at)
            .await
            .unwrap();
    }
    assert_eq!(listed().await, 1);
    let senders = ledger.senders(at("2026-01-02T12:00:00Z")).await.unwrap();
    assert_eq!(senders, [sender("222233334444")]);
    let rates = ledger
        .sender_rates(&senders[0], at("2026-01-02T11:30:00Z"))
        .await
        .unwrap();
    assert_eq!(rates.hour.get(Count::Hard), 2, "what is not listed counts too");

    ledger
        .count_event(&bounce("m3", "2026-01-02T12:00:00Z"), expires_at)
        .await
        .unwrap();
    assert_eq!(listed().await, 2, "each hour anew");
}

#[tokio::test]
async fn a_missing_table_is_an_error_that_says_so() {
    let (_, client, _) = ledger::testing::fresh().await;
    let error = Ledger::new(client, "elsewhere")
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
