//! Routes, registered identities and digests against an embedded DynamoDB.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use notification_model::{AccountId, Identity};
use store::testing::Fault;
use store::{DigestClaim, DigestKey, Redaction, RegisteredIdentity, Route, RouteFilter, RouteKey, SenderMatch, Target};

const OWNER: &str = "111122223333";
const DELEGATE: &str = "222233334444";

fn account(text: &str) -> AccountId {
    text.parse().unwrap()
}

fn senders(owner: Option<&str>, sender: Option<&str>, identity: Option<&str>) -> SenderMatch {
    SenderMatch {
        owner: owner.map(account),
        account: sender.map(account),
        identity: identity.map(Identity::from),
    }
}

fn route(name: &str, senders: &SenderMatch, target: Target) -> Route {
    Route {
        name: name.to_owned(),
        senders: senders.clone(),
        filter: RouteFilter::default(),
        target,
        redaction: Redaction::None,
    }
}

#[tokio::test]
async fn routes_are_read_as_they_were_written() {
    let (store, _, requests) = store::testing::fresh().await;
    let about = senders(Some(OWNER), Some(DELEGATE), Some("Shop.Example"));
    let key = RouteKey::new(about.clone()).unwrap();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let narrow = Route {
        filter: RouteFilter {
            configuration_sets: names(&["campaigns"]),
            tenants: names(&["acme", "beta"]),
            events: names(&["Bounce", "Rendering Failure"]),
        },
        redaction: Redaction::Standard,
        ..route("narrow", &about, Target::Email("ops@shop.example".to_owned()))
    };
    let wide = route(
        "wide",
        &about,
        Target::Topic("arn:aws:sns:eu-west-1:222233334444:feedback".to_owned()),
    );
    let routes = vec![narrow, wide];
    store.put_routes(&key, &routes).await.unwrap();

    let owners = RouteKey::new(senders(Some(OWNER), None, None)).unwrap();
    let queue = route(
        "owner",
        owners.sender_match(),
        Target::Queue("arn:aws:sqs:eu-west-1:111122223333:q".to_owned()),
    );
    store.put_routes(&owners, std::slice::from_ref(&queue)).await.unwrap();

    let _ = requests.take();
    let candidates = RouteKey::candidates(
        &account(OWNER),
        &account(DELEGATE),
        &Identity::from("news@shop.example"),
    );
    assert_eq!(candidates.len(), 7);
    let found = store.routes_for(&candidates).await.unwrap();
    assert_eq!(
        found.into_values().flatten().collect::<BTreeSet<_>>(),
        routes.iter().chain([&queue]).cloned().collect()
    );
    assert_eq!(requests.take(), [("BatchGetItem".to_owned(), 1)].into());

    assert_eq!(store.all_routes().await.unwrap().len(), 3);
    store.put_routes(&key, &[]).await.unwrap();
    assert_eq!(store.all_routes().await.unwrap(), [queue]);
    store.delete_routes(&owners).await.unwrap();
    assert!(store.all_routes().await.unwrap().is_empty());
}

#[test]
fn senders_without_owner_and_account_are_rejected() {
    let cases = [
        (
            senders(None, None, None),
            "expected an owner, a sending account, or both",
        ),
        (
            senders(None, Some(DELEGATE), Some("shop.example")),
            "expected an owner beside the identity",
        ),
        (
            senders(None, None, Some("shop.example")),
            "expected an owner beside the identity",
        ),
    ];
    for (senders, expected) in cases {
        assert_eq!(RouteKey::new(senders).unwrap_err().to_string(), expected);
    }
}

#[test]
fn keys_and_targets_parse_as_they_are_written() {
    let hash = senders(Some(OWNER), None, Some("odd#name@shop.example"));
    for senders in [
        hash,
        senders(None, Some(DELEGATE), None),
        senders(Some(OWNER), Some(DELEGATE), Some("a.example")),
    ] {
        let key = RouteKey::new(senders).unwrap();
        assert_eq!(key.to_string().parse::<RouteKey>().unwrap(), key);
    }
    for text in [
        "topic:arn:aws:sns:eu-west-1:111122223333:t",
        "queue:q",
        "bus:b",
        "email:a@b.example",
    ] {
        assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
    }
    for text in ["", "topic", "topic:", "https:x"] {
        assert!(text.parse::<Target>().is_err(), "{text}");
    }
}

#[tokio::test]
async fn a_route_is_not_written_under_the_key_of_other_senders() {
    let (store, ..) = store::testing::fresh().await;
    let key = RouteKey::new(senders(Some(OWNER), None, None)).unwrap();
    let stray = route(
        "stray",
        &senders(None, Some(DELEGATE), None),
        Target::Bus("b".to_owned()),
    );
    let error = store.put_routes(&key, &[stray]).await.unwrap_err().to_string();
    assert!(
        error.contains("route stray is about other senders than 111122223333#*#*"),
        "{error}"
    );

    let address = RouteKey::new(senders(Some(OWNER), None, Some("jane@shop.example"))).unwrap();
    let stray = route("stray", key.sender_match(), Target::Bus("b".to_owned()));
    let error = store.put_routes(&address, &[stray]).await.unwrap_err().to_string();
    assert!(
        error.ends_with("than 111122223333#*#...@shop.example"),
        "the error has no mail address, because it is logged: {error}"
    );
}

#[tokio::test]
async fn a_route_that_cannot_be_read_is_an_error() {
    let (store, client, _) = store::testing::fresh().await;
    let key = RouteKey::new(senders(Some(OWNER), None, None)).unwrap();
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let unreadable = [
        (
            vec![
                ("name", text("n")),
                ("target", text("https:x")),
                ("redaction", text("none")),
            ],
            "route 1: expected a target",
        ),
        (
            vec![
                ("name", text("n")),
                ("target", text("bus:b")),
                ("redaction", text("some")),
            ],
            "route 1: expected the redaction",
        ),
        (
            vec![
                ("name", text("n")),
                ("target", text("bus:b")),
                ("redaction", text("none")),
                ("events", text("Bounce")),
            ],
            "route 1: expected conditions",
        ),
    ];
    for (fields, expected) in unreadable {
        let map = fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        client
            .put_item()
            .table_name("postroom")
            .item("pk", text("ROUTE#111122223333#*#*"))
            .item("sk", text("TARGETS"))
            .item("routes", AttributeValue::L(vec![AttributeValue::M(map)]))
            .send()
            .await
            .unwrap();
        let error = store
            .routes_for(std::slice::from_ref(&key))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn identities_are_registered_per_account() {
    let (store, ..) = store::testing::fresh().await;
    let registered = [RegisteredIdentity {
        identity: "shop.example".into(),
        owner: account(OWNER),
    }];
    store
        .register_identities(&account(DELEGATE), &registered)
        .await
        .unwrap();
    let found = store
        .registered_identities(&[account(DELEGATE), account(OWNER)])
        .await
        .unwrap();
    assert_eq!(found, [(account(DELEGATE), registered.to_vec())].into());
    assert_eq!(store.all_registered_identities().await.unwrap(), found);

    store.register_identities(&account(DELEGATE), &[]).await.unwrap();
    assert!(store.all_registered_identities().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_digest_is_claimed_by_one_invocation_and_sent_once() {
    let (store, _, requests) = store::testing::fresh().await;
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let digest = DigestKey {
        address: "ops@shop.example".to_owned(),
        window: at("2026-03-02T08:00:00Z"),
    };
    let expires_at = at("2026-03-16T08:00:00Z");
    assert!(store.open_digest(&digest, expires_at).await.unwrap());
    assert!(
        store.open_digest(&digest, expires_at).await.unwrap(),
        "an open digest stays open"
    );
    for id in ["a", "b", "a"] {
        store
            .add_digest_item(&digest, id, &format!("item {id}"), expires_at)
            .await
            .unwrap();
    }
    assert!(store.due_digests(at("2026-03-02T07:59:59Z")).await.unwrap().is_empty());
    assert_eq!(
        store.due_digests(digest.window).await.unwrap(),
        std::slice::from_ref(&digest)
    );

    let now = at("2026-03-02T09:05:00Z");
    let expired_before = now - SignedDuration::from_mins(15);
    let claim = async |expired_before| store.claim_digest(&digest, now, expired_before).await.unwrap();
    requests.fail(Fault::InternalErrorAfterEffect, 0);
    assert_eq!(claim(expired_before).await, DigestClaim::Claimed, "its own claim");
    assert_eq!(
        claim(expired_before).await,
        DigestClaim::InProgress,
        "claimed by another invocation"
    );
    assert_eq!(
        claim(now + SignedDuration::from_secs(1)).await,
        DigestClaim::Claimed,
        "the claim has expired"
    );
    assert!(
        !store.open_digest(&digest, expires_at).await.unwrap(),
        "the digest is claimed"
    );

    let mut items = Vec::new();
    store
        .digest_items(&digest, |item| items.push(item.to_owned()))
        .await
        .unwrap();
    assert_eq!(items, ["item a", "item b"]);

    store.mark_digest_sent(&digest, now).await.unwrap();
    assert!(store.due_digests(now).await.unwrap().is_empty());
    let later = now + SignedDuration::from_hours(1);
    assert_eq!(
        store.claim_digest(&digest, later, later).await.unwrap(),
        DigestClaim::Sent
    );
}

#[tokio::test]
async fn a_rejected_digest_is_not_due_and_can_be_claimed_again() {
    let (store, ..) = store::testing::fresh().await;
    let now: Timestamp = "2026-03-02T09:05:00Z".parse().unwrap();
    let digest = DigestKey {
        address: "ops@shop.example".to_owned(),
        window: now,
    };
    let claim = async || store.claim_digest(&digest, now, now).await.unwrap();
    assert_eq!(claim().await, DigestClaim::Missing);
    assert!(store.open_digest(&digest, now).await.unwrap());
    assert_eq!(claim().await, DigestClaim::Claimed);
    store.mark_digest_rejected(&digest, now).await.unwrap();
    assert!(store.due_digests(now).await.unwrap().is_empty());
    assert!(
        !store.open_digest(&digest, now).await.unwrap(),
        "an item would not be in the mail"
    );
    assert_eq!(claim().await, DigestClaim::Claimed);
    store.mark_digest_sent(&digest, now).await.unwrap();
    assert_eq!(claim().await, DigestClaim::Sent);
}
