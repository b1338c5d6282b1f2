//! Counts of events and the list of senders, with an embedded DynamoDB.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use jiff::Timestamp;
use notification_model::EmailAddress;
use store::testing::Fault;
use store::{EventCounts, EventKind, Sender, SenderBatch, SenderEvent, SendingStream};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn sender(account: &str) -> Sender {
    Sender {
        owner: "111122223333".to_owned(),
        account: account.to_owned(),
        identity: "example.org".to_owned(),
    }
}

fn stream(configuration_set: &str) -> SendingStream {
    SendingStream {
        configuration_set: Some(configuration_set.to_owned()),
        tenant: None,
    }
}

#[tokio::test]
async fn an_event_that_is_reported_again_counts_once() {
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
    // The same bounce from the topics of the identity and of the configuration set, and an older bounce.
    for stream in [stream("campaigns"), SendingStream::default(), SendingStream::default()] {
        store
            .count_event(&bounce(stream, "2026-01-01T12:00:00Z"), expiry)
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

    // Ten deliveries, each delivered again in other batches.
    for sizes in [[10, 0], [4, 6], [0, 10]] {
        let mut start = 0;
        for size in sizes {
            let mut batch = SenderBatch::new(sender("222233334444"), stream("campaigns"), at("2026-01-01T12:01:00Z"));
            for n in start..start + size {
                batch.add(EventKind::Delivery, &format!("m{n}"), "jane@example.com");
            }
            start += size;
            store.count_batch(&batch, expiry).await.unwrap();
        }
    }

    let rates = store.sender_rates(&sender("222233334444"), now).await.unwrap();
    let counts =
        |counts: &EventCounts| [EventKind::Hard, EventKind::Delivery, EventKind::Send].map(|kind| counts.get(kind));
    assert_eq!(counts(&rates.hour), [1, 10, 0]);
    assert_eq!(counts(&rates.day), [2, 10, 0]);
    assert_eq!(
        rates.hour.volume(),
        Some(11),
        "without Send events the volume is the sum of deliveries and bounces"
    );
    assert_eq!(rates.day.bounce_rate(), Some(2.0 / 12.0));
    assert_eq!(
        counts(&rates.day_by_stream[&stream("campaigns")]),
        [1, 10, 0],
        "the most specific sending stream is used"
    );
    assert_eq!(counts(&rates.day_by_stream[&SendingStream::default()]), [1, 0, 0]);

    let other = store.sender_rates(&sender("999999999999"), now).await.unwrap();
    assert_eq!(other.day.bounce_rate(), None, "there is no rate without a volume");
}

#[tokio::test]
async fn each_sender_of_the_last_24_hours_is_listed_once() {
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
        "one query for each hour, and one for each sender found"
    );
}

#[tokio::test]
async fn a_sender_with_bounces_only_has_one_index_entry_an_hour() {
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
    requests.fail(Fault::RequestLost, 0);
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
    assert_eq!(
        rates.hour.get(EventKind::Hard),
        2,
        "a row without an index entry counts too"
    );

    store
        .count_event(&bounce("m3", "2026-01-02T12:00:00Z"), expires_at)
        .await
        .unwrap();
    assert_eq!(listed().await, 2, "one index entry for each hour");
}
