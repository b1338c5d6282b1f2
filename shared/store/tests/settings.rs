//! Last notifications and proofs of topics against an embedded DynamoDB.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use jiff::{SignedDuration, Timestamp};
use notification_model::Channel;
use store::testing::Fault;
use store::{AppliedSettings, ProofSubject, SeenNotification, SesResource, Store, TopicProof};

const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:feedback";

fn start() -> Timestamp {
    "2026-03-02T08:20:00Z".parse().unwrap()
}

fn resource(text: &str) -> SesResource {
    text.parse().unwrap()
}

fn seen(channel: Channel, event_type: &str, seconds: i64) -> SeenNotification {
    SeenNotification {
        resource: resource("111122223333/identity/shop.example"),
        channel,
        event_type: event_type.to_owned(),
        at: start() + SignedDuration::from_secs(seconds),
    }
}

/// A store of another process on the same table.
fn other_process(client: &aws_sdk_dynamodb::Client) -> Store {
    Store::new(client.clone(), "postroom")
}

#[test]
fn a_resource_reads_as_it_is_shown() {
    for text in [
        "111122223333/identity/shop.example",
        "111122223333/identity/news@shop.example",
        "111122223333/configuration-set/campaigns",
    ] {
        assert_eq!(resource(text).to_string(), text);
    }
    for text in [
        "",
        "shop.example",
        "111122223333/tenant/a",
        "1/identity/a",
        "111122223333/identity/",
    ] {
        assert!(text.parse::<SesResource>().is_err(), "{text}");
    }
}

#[tokio::test]
async fn the_last_notification_of_each_channel_and_type_is_kept_to_five_minutes() {
    let (store, client, _) = store::testing::fresh().await;
    let shop = resource("111122223333/identity/shop.example");
    assert!(
        store
            .last_notifications(std::slice::from_ref(&shop))
            .await
            .unwrap()
            .is_empty()
    );
    for one in [
        seen(Channel::Identity, "Bounce", 10),
        seen(Channel::ConfigurationSet, "Bounce", 1000),
        seen(Channel::ConfigurationSet, "Send", 299),
    ] {
        store.record_seen(&one).await.unwrap();
    }
    // Another process, later and earlier.
    let other = other_process(&client);
    other
        .record_seen(&seen(Channel::Identity, "Bounce", 700))
        .await
        .unwrap();
    other_process(&client)
        .record_seen(&seen(Channel::Identity, "Bounce", 350))
        .await
        .unwrap();
    let all = store.all_last_notifications().await.unwrap();
    let last = all.get(&shop).unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(last.notifications["Bounce"], start() + SignedDuration::from_secs(600));
    assert_eq!(last.events["Send"], start());
    assert_eq!(last.last("Bounce"), Some(start() + SignedDuration::from_secs(900)));
    assert_eq!(last.last("Complaint"), None);
    assert_eq!(last.last_of_any_type(), last.last("Bounce"));
}

#[tokio::test]
async fn a_process_writes_once_in_five_minutes_and_again_after_a_failure() {
    let (store, _, requests) = store::testing::fresh().await;
    let _ = requests.take();
    for seconds in [0, 1, 299, 5] {
        store
            .record_seen(&seen(Channel::Identity, "Bounce", seconds))
            .await
            .unwrap();
    }
    store
        .clone()
        .record_seen(&seen(Channel::Identity, "Bounce", 8))
        .await
        .unwrap();
    assert_eq!(requests.take()["UpdateItem"], 1);
    store
        .record_seen(&seen(Channel::Identity, "Bounce", 300))
        .await
        .unwrap();
    store
        .record_seen(&seen(Channel::Identity, "Complaint", 0))
        .await
        .unwrap();
    assert_eq!(requests.take()["UpdateItem"], 2);
    for (fault, event_type) in [(Fault::RequestLost, "Delivery"), (Fault::ResponseLost, "Send")] {
        requests.fail(fault, 0);
        let next = seen(Channel::Identity, event_type, 0);
        assert!(store.record_seen(&next).await.is_err(), "{fault:?}");
        store.record_seen(&next).await.unwrap();
        assert_eq!(requests.take()["UpdateItem"], 2, "{fault:?}: the write is repeated");
        store
            .record_seen(&seen(Channel::Identity, event_type, 299))
            .await
            .unwrap();
        assert_eq!(requests.take().get("UpdateItem"), None);
    }
}

#[tokio::test]
async fn proofs_are_kept_by_topic_identity_and_type_with_their_newest_time() {
    let (store, ..) = store::testing::fresh().await;
    let of = |identity: &str, kind: &str| ProofSubject::Notification {
        identity: identity.into(),
        notification_type: kind.to_owned(),
    };
    let proof = |subject: ProofSubject, seconds| TopicProof {
        topic_arn: TOPIC.to_owned(),
        subject,
        at: start() + SignedDuration::from_secs(seconds),
    };
    let bounce = of("shop.example", "Bounce");
    let proofs = [
        proof(bounce.clone(), 7),
        proof(of("shop.example", "Complaint"), 9),
        proof(of("jörg@shop.example", "Bounce"), 9),
        proof(ProofSubject::EventDestination, 11),
        // An older one, again.
        proof(bounce.clone(), 3),
    ];
    for one in &proofs {
        store.record_topic_proof(one).await.unwrap();
    }
    let mut found = store.topic_proofs(TOPIC).await.unwrap();
    let mut expected = proofs[..4].to_vec();
    found.sort_by(|a, b| a.subject.cmp(&b.subject));
    expected.sort_by(|a, b| a.subject.cmp(&b.subject));
    assert_eq!(found, expected);
    let at = store.topic_proven_at(TOPIC, &bounce).await.unwrap();
    assert_eq!(at, Some(start() + SignedDuration::from_secs(7)));
    assert_eq!(
        store
            .topic_proven_at(TOPIC, &of("example.com", "Bounce"))
            .await
            .unwrap(),
        None
    );
    assert!(
        store
            .topic_proofs("arn:aws:sns:us-east-1:111122223333:other")
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn applied_settings_are_listed_replaced_and_deleted() {
    let (store, ..) = store::testing::fresh().await;
    let row = |object: &str, pending: Option<&str>| AppliedSettings {
        object: object.to_owned(),
        applied: "{}".to_owned(),
        pending: pending.map(str::to_owned),
        at: "2026-03-01T12:00:00Z".parse().unwrap(),
    };
    let (shop, set) = (
        row("identity shop.example", Some("{\"a\":1}")),
        row("configuration-set a", None),
    );
    for row in [&shop, &set] {
        store.put_applied_settings(row).await.unwrap();
    }
    assert_eq!(store.applied_settings().await.unwrap(), [set.clone(), shop]);
    let finished = row("identity shop.example", None);
    store.put_applied_settings(&finished).await.unwrap();
    assert_eq!(store.applied_settings().await.unwrap(), [set, finished.clone()]);
    store.delete_applied_settings("configuration-set a").await.unwrap();
    assert_eq!(store.applied_settings().await.unwrap(), [finished]);
}
