//! The mail index, claims and sender limits, on an embedded DynamoDB.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use notification_model::EmailAddress;
use store::testing::{Fault, fresh};
use store::{
    ClaimKey, ClaimOutcome, IndexedMail, IndexedSubject, KeptSubject, MailLocation, SenderLimit, VerdictAction,
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn string_set(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn mail(id: &str, time: &str) -> IndexedMail {
    IndexedMail {
        mailbox: "sales@shop.example".parse().unwrap(),
        message_id: id.to_owned(),
        at: at(time),
        recipients: string_set(&["sales@shop.example"]),
        from: Some("jane@example.net".to_owned()),
        return_path: Some("bounces@example.net".to_owned()),
        subject: IndexedSubject::of("Order 7", KeptSubject::Text),
        verdicts: [("spam".to_owned(), "PASS".to_owned())].into(),
        size: Some(1234),
        location: Some(MailLocation {
            bucket: "mail".to_owned(),
            key: format!("in/{id}"),
        }),
        verdict_action: VerdictAction::Tag,
        reasons: string_set(&["spf GRAY: tag"]),
        expires_at: at("2026-05-01T00:00:00Z"),
    }
}

fn claim(target: &str) -> ClaimKey {
    ClaimKey {
        message_id: "m1".to_owned(),
        mailbox: "sales@shop.example".to_owned(),
        action: "forward",
        target: target.to_owned(),
    }
}

#[tokio::test]
async fn a_mail_has_one_row_and_later_writes_add_to_it() {
    let (store, _, _) = fresh().await;
    let older = mail("m1", "2026-03-02T12:00:00Z");
    let newer = mail("m2", "2026-03-02T13:00:00.5Z");
    for mail in [&newer, &older, &older] {
        store.index_mail(mail).await.unwrap();
    }
    // A second rule has another recipient, and an action was rejected.
    let addition = IndexedMail {
        recipients: string_set(&["sales+x@shop.example"]),
        reasons: string_set(&["forward: over the limit"]),
        subject: None,
        ..older.clone()
    };
    store.index_mail(&addition).await.unwrap();
    let merged = IndexedMail {
        recipients: string_set(&["sales@shop.example", "sales+x@shop.example"]),
        reasons: string_set(&["spf GRAY: tag", "forward: over the limit"]),
        ..older.clone()
    };
    let key = &older.mailbox;
    assert_eq!(
        store.mails(key, None, 9).await.unwrap(),
        [newer.clone(), merged.clone()]
    );
    assert_eq!(store.mails(key, None, 1).await.unwrap(), std::slice::from_ref(&newer));
    assert_eq!(
        store.mails(key, Some(newer.at), 9).await.unwrap(),
        std::slice::from_ref(&merged)
    );
    assert_eq!(store.mail_by_id("m1").await.unwrap(), [merged]);
    assert!(store.mail_by_id("m").await.unwrap().is_empty());
}

#[test]
fn the_index_keeps_the_subject_as_the_mailbox_configures() {
    let hash = IndexedSubject::of("Order 7", KeptSubject::Hash).unwrap();
    assert_eq!(
        hash,
        IndexedSubject::Hash("b4d22b9a95cbb7f8".to_owned()),
        "the hash must not change, because it is stored"
    );
    assert_ne!(Some(hash), IndexedSubject::of("Order 8", KeptSubject::Hash));
    assert_eq!(IndexedSubject::of("Order 7", KeptSubject::None), None);
}

#[tokio::test]
async fn a_claim_holds_until_it_is_done_released_or_expired() {
    let (store, _, _) = fresh().await;
    let (jane, joe) = (claim("jane@example.net"), claim("joe@example.net"));
    let end = at("2026-05-01T00:00:00Z");
    let claimed = async |key: &ClaimKey, now: &str| {
        let now = at(now);
        let expired_before = now - SignedDuration::from_secs(90);
        store.claim(key, now, expired_before, end).await.unwrap()
    };
    assert_eq!(claimed(&jane, "2026-03-02T12:00:00Z").await, ClaimOutcome::Claimed);
    assert_eq!(claimed(&jane, "2026-03-02T12:00:00Z").await, ClaimOutcome::InProgress);
    assert_eq!(claimed(&joe, "2026-03-02T12:00:00Z").await, ClaimOutcome::Claimed);
    assert_eq!(claimed(&jane, "2026-03-02T12:01:30Z").await, ClaimOutcome::InProgress);
    assert_eq!(
        claimed(&jane, "2026-03-02T12:01:31Z").await,
        ClaimOutcome::Claimed,
        "the claim has expired"
    );

    // A late release of the first claim does not release the second.
    store.release_claim(&jane, at("2026-03-02T12:00:00Z")).await.unwrap();
    assert_eq!(claimed(&jane, "2026-03-02T12:01:32Z").await, ClaimOutcome::InProgress);
    store.release_claim(&jane, at("2026-03-02T12:01:31Z")).await.unwrap();
    assert_eq!(claimed(&jane, "2026-03-02T12:01:32Z").await, ClaimOutcome::Claimed);

    store
        .finish_claim(&jane, at("2026-03-02T12:01:33Z"), "sent as 7")
        .await
        .unwrap();
    store.release_claim(&jane, at("2026-03-02T12:01:32Z")).await.unwrap();
    assert_eq!(claimed(&jane, "2026-04-02T12:00:00Z").await, ClaimOutcome::AlreadyDone);
    let claims = store.claims("m1").await.unwrap();
    let shown: Vec<_> = claims
        .iter()
        .map(|(key, outcome)| (key.as_str(), outcome.as_deref()))
        .collect();
    assert_eq!(
        shown,
        [
            ("sales@shop.example#forward#jane@example.net", Some("sent as 7")),
            ("sales@shop.example#forward#joe@example.net", None),
        ]
    );
}

#[tokio::test]
async fn a_claim_whose_response_was_lost_is_not_the_claim_of_another() {
    let (store, _, requests) = fresh().await;
    let (now, end) = (at("2026-03-02T12:00:00Z"), at("2026-05-01T00:00:00Z"));
    let key = claim("jane@example.net");
    let claimed = async || store.claim(&key, now, now, end).await.unwrap();
    requests.fail(Fault::InternalErrorAfterEffect, 0);
    assert_eq!(claimed().await, ClaimOutcome::Claimed);
    assert!(!requests.cancel_fault(), "the response was lost");
    assert_eq!(
        claimed().await,
        ClaimOutcome::InProgress,
        "another call at the same time"
    );
    requests.fail(Fault::InternalErrorAfterEffect, 0);
    assert_eq!(claimed().await, ClaimOutcome::InProgress);
}

#[tokio::test]
async fn of_concurrent_claims_one_succeeds() {
    let (store, _, _) = fresh().await;
    let now = at("2026-03-02T12:00:00Z");
    let key = claim("jane@example.net");
    let attempts = (0..8).map(|_| {
        let (store, key) = (store.clone(), key.clone());
        tokio::spawn(async move { store.claim(&key, now, now, now).await.unwrap() })
    });
    let mut claimed = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        claimed += usize::from(attempt.await.unwrap() == ClaimOutcome::Claimed);
    }
    assert_eq!(claimed, 1);
}

#[tokio::test]
async fn a_sender_gets_one_reply_within_the_period() {
    let (store, _, _) = fresh().await;
    let sales = "sales@shop.example".parse().unwrap();
    let jane = EmailAddress::parse("Jane@example.net").unwrap();
    let may_reply = async |id: &str, time: &str| {
        let now = at(time);
        let since = now - SignedDuration::from_hours(7 * 24);
        store.may_reply(&sales, &jane, id, now, since, now).await.unwrap()
    };
    assert!(may_reply("m1", "2026-03-02T12:00:00Z").await);
    assert!(may_reply("m1", "2026-03-02T12:00:00Z").await, "the same mail again");
    assert!(!may_reply("m2", "2026-03-02T12:05:00Z").await);
    assert!(!may_reply("m3", "2026-03-09T12:00:00Z").await);
    assert!(may_reply("m4", "2026-03-09T12:00:01Z").await);
    assert!(
        !may_reply("m2", "2026-03-02T12:05:00Z").await,
        "an older mail is not replied to later"
    );
}

#[tokio::test]
async fn a_limit_applies_to_each_sender_and_hour_and_counts_a_mail_once() {
    let (store, _, _) = fresh().await;
    let count = async |kind, sender: &str, id: &str, time: &str| {
        let counted = store.count_for_sender(kind, sender, id, at(time), 2);
        counted.await.unwrap()
    };
    use SenderLimit::{Forwards, Replies};
    let jane = "jane@example.net";
    for _ in 0..5 {
        assert!(count(Forwards, jane, "m1", "2026-03-02T12:00:00Z").await);
    }
    assert!(count(Forwards, jane, "m2", "2026-03-02T12:59:59Z").await);
    assert!(!count(Forwards, jane, "m3", "2026-03-02T12:59:59Z").await);
    assert!(
        count(Forwards, jane, "m2", "2026-03-02T12:59:59Z").await,
        "the mail is counted already"
    );
    assert!(count(Forwards, jane, "m3", "2026-03-02T13:00:00Z").await);
    assert!(count(Replies, jane, "m3", "2026-03-02T12:00:00Z").await);
    assert!(count(Forwards, "joe@example.net", "m3", "2026-03-02T12:00:00Z").await);
}
