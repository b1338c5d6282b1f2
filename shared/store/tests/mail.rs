//! The index, claims, answers and caps, on an embedded DynamoDB.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use notification_model::EmailAddress;
use store::testing::fresh;
use store::{ClaimKey, ClaimOutcome, IndexedMail, IndexedSubject, KeptSubject, MailLocation, SenderCap, VerdictAction};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn words(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn mail(id: &str, time: &str) -> IndexedMail {
    IndexedMail {
        mailbox: "sales@shop.example".parse().unwrap(),
        message_id: id.to_owned(),
        at: at(time),
        recipients: words(&["sales@shop.example"]),
        from: Some("jane@example.net".to_owned()),
        subject: IndexedSubject::of("Order 7", KeptSubject::Text),
        verdicts: [("spam".to_owned(), "PASS".to_owned())].into(),
        size: Some(1234),
        location: Some(MailLocation {
            bucket: "mail".to_owned(),
            key: format!("in/{id}"),
        }),
        action: VerdictAction::Tag,
        reasons: words(&["spf GRAY: tag"]),
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
async fn a_mail_is_indexed_once_and_notes_add_up() {
    let (store, _, _) = fresh().await;
    let older = mail("m1", "2026-03-02T12:00:00Z");
    let newer = mail("m2", "2026-03-02T13:00:00.5Z");
    for mail in [&newer, &older, &older] {
        store.index_mail(mail).await.unwrap();
    }
    // Another rule told of another recipient, and something was not done.
    let note = IndexedMail {
        recipients: words(&["sales+x@shop.example"]),
        reasons: words(&["forward: over the cap"]),
        subject: None,
        ..older.clone()
    };
    store.index_mail(&note).await.unwrap();
    let merged = IndexedMail {
        recipients: words(&["sales@shop.example", "sales+x@shop.example"]),
        reasons: words(&["spf GRAY: tag", "forward: over the cap"]),
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
fn a_kept_subject_is_what_the_mailbox_allows() {
    let hash = IndexedSubject::of("Order 7", KeptSubject::Hash).unwrap();
    assert_eq!(
        hash,
        IndexedSubject::Hash("b4d22b9a95cbb7f8".to_owned()),
        "it is stored"
    );
    assert_ne!(Some(hash), IndexedSubject::of("Order 8", KeptSubject::Hash));
    assert_eq!(IndexedSubject::of("Order 7", KeptSubject::None), None);
}

#[tokio::test]
async fn an_action_is_claimed_by_one_until_it_is_done_given_back_or_lapsed() {
    let (store, _, _) = fresh().await;
    let (jane, joe) = (claim("jane@example.net"), claim("joe@example.net"));
    let end = at("2026-05-01T00:00:00Z");
    let claimed = async |key: &ClaimKey, now: &str| {
        let now = at(now);
        let lapsed = now - SignedDuration::from_secs(90);
        store.claim(key, now, lapsed, end).await.unwrap()
    };
    assert_eq!(claimed(&jane, "2026-03-02T12:00:00Z").await, ClaimOutcome::Ours);
    assert_eq!(claimed(&jane, "2026-03-02T12:00:00Z").await, ClaimOutcome::Busy);
    assert_eq!(claimed(&joe, "2026-03-02T12:00:00Z").await, ClaimOutcome::Ours);
    assert_eq!(claimed(&jane, "2026-03-02T12:01:30Z").await, ClaimOutcome::Busy);
    assert_eq!(
        claimed(&jane, "2026-03-02T12:01:31Z").await,
        ClaimOutcome::Ours,
        "lapsed"
    );

    // The first owner is back late, and must not take the second one's claim away.
    store.release_claim(&jane, at("2026-03-02T12:00:00Z")).await.unwrap();
    assert_eq!(claimed(&jane, "2026-03-02T12:01:32Z").await, ClaimOutcome::Busy);
    store.release_claim(&jane, at("2026-03-02T12:01:31Z")).await.unwrap();
    assert_eq!(claimed(&jane, "2026-03-02T12:01:32Z").await, ClaimOutcome::Ours);

    store
        .finish_claim(&jane, at("2026-03-02T12:01:33Z"), "sent as 7")
        .await
        .unwrap();
    store.release_claim(&jane, at("2026-03-02T12:01:32Z")).await.unwrap();
    assert_eq!(claimed(&jane, "2026-04-02T12:00:00Z").await, ClaimOutcome::Done);
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
async fn of_two_at_a_time_one_gets_the_claim() {
    let (store, _, _) = fresh().await;
    let now = at("2026-03-02T12:00:00Z");
    let key = claim("jane@example.net");
    let tries = (0..8).map(|_| {
        let (store, key) = (store.clone(), key.clone());
        tokio::spawn(async move { store.claim(&key, now, now, now).await.unwrap() })
    });
    let mut ours = 0;
    for one in tries.collect::<Vec<_>>() {
        ours += usize::from(one.await.unwrap() == ClaimOutcome::Ours);
    }
    assert_eq!(ours, 1);
}

#[tokio::test]
async fn a_sender_gets_one_answer_a_period() {
    let (store, _, _) = fresh().await;
    let sales = "sales@shop.example".parse().unwrap();
    let jane = EmailAddress::parse("Jane@example.net").unwrap();
    let may = async |id: &str, time: &str| {
        let now = at(time);
        let since = now - SignedDuration::from_hours(7 * 24);
        store.may_reply(&sales, &jane, id, now, since, now).await.unwrap()
    };
    assert!(may("m1", "2026-03-02T12:00:00Z").await);
    assert!(may("m1", "2026-03-02T12:00:00Z").await, "the same mail again");
    assert!(!may("m2", "2026-03-02T12:05:00Z").await);
    assert!(!may("m3", "2026-03-09T12:00:00Z").await);
    assert!(may("m4", "2026-03-09T12:00:01Z").await);
    assert!(!may("m2", "2026-03-02T12:05:00Z").await, "an old mail, late");
}

#[tokio::test]
async fn a_sender_gets_so_much_an_hour_and_a_mail_counts_once() {
    let (store, _, _) = fresh().await;
    let count = async |what, sender: &str, id: &str, time: &str| {
        let counted = store.count_for_sender(what, sender, id, at(time), 2);
        counted.await.unwrap()
    };
    use SenderCap::{Answers, Forwards};
    let jane = "jane@example.net";
    for _ in 0..5 {
        assert!(count(Forwards, jane, "m1", "2026-03-02T12:00:00Z").await);
    }
    assert!(count(Forwards, jane, "m2", "2026-03-02T12:59:59Z").await);
    assert!(!count(Forwards, jane, "m3", "2026-03-02T12:59:59Z").await);
    assert!(
        count(Forwards, jane, "m2", "2026-03-02T12:59:59Z").await,
        "counted before"
    );
    assert!(count(Forwards, jane, "m3", "2026-03-02T13:00:00Z").await);
    assert!(count(Answers, jane, "m3", "2026-03-02T12:00:00Z").await);
    assert!(count(Forwards, "joe@example.net", "m3", "2026-03-02T12:00:00Z").await);
}
