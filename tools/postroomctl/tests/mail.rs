//! What people find out about mail that arrived.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use store::{ClaimKey, IndexedMail, IndexedSubject, MailLocation, VerdictAction};
use support::Operator;

fn mail(id: &str, at: Timestamp) -> IndexedMail {
    IndexedMail {
        mailbox: "support@shop.example".parse().unwrap(),
        message_id: id.to_owned(),
        at,
        recipients: BTreeSet::from(["support+x@shop.example".to_owned()]),
        from: Some("jane@client.example".to_owned()),
        subject: Some(IndexedSubject::Text("Order \u{1b}[2J 7".to_owned())),
        verdicts: BTreeMap::from([("spam".to_owned(), "PASS".to_owned())]),
        size: Some(4711),
        location: Some(MailLocation {
            bucket: "mail-bucket".to_owned(),
            key: format!("mail/{id}"),
        }),
        verdict_action: VerdictAction::Tag,
        reasons: BTreeSet::from(["dkim GRAY: tag, the default".to_owned()]),
        expires_at: at + SignedDuration::from_hours(24),
    }
}

#[tokio::test]
async fn the_index_tells_what_came_and_what_was_done() {
    let operator = Operator::new().await;
    let store = &operator.effects.store;
    let at: Timestamp = "2026-03-03T09:15:01Z".parse().unwrap();
    for (id, minutes) in [("older", 0), ("newer", 5)] {
        let mail = mail(id, at + SignedDuration::from_mins(minutes));
        store.index_mail(&mail).await.unwrap();
    }
    for (mailbox, target, done) in [
        ("support@shop.example", "desk@client.example", true),
        ("a#b@shop.example", "desk@client.example", false),
        ("shop.example", "a#b@client.example", true),
    ] {
        let claim = ClaimKey {
            message_id: "newer".to_owned(),
            mailbox: mailbox.to_owned(),
            action: "forward",
            target: target.to_owned(),
        };
        store
            .claim(&claim, at, at, at + SignedDuration::from_hours(1))
            .await
            .unwrap();
        if done {
            store.finish_claim(&claim, at, "sent as 0100-1").await.unwrap();
        }
    }

    let list = operator.types("mail list support@shop.example").await;
    insta::assert_snapshot!("mail_list", list.out);
    let one = operator.types("mail list support@shop.example --limit 1 --json").await;
    insta::assert_snapshot!("mail_list_json", one.out);
    let before = operator
        .types("mail list support@shop.example --before 2026-03-03T09:15:02Z")
        .await;
    assert!(
        before.out.contains("older") && !before.out.contains("newer"),
        "{}",
        before.out
    );
    let got = operator.types("mail get newer").await;
    insta::assert_snapshot!("mail_get", got.out);
    assert_eq!(got.code, 0);
    let none = operator.types("mail get never").await;
    assert_eq!((none.code, none.out.as_str()), (1, "the index has no mail never\n"));
    let nobody = operator.types("mail list nobody@shop.example").await;
    assert_eq!(
        (nobody.code, nobody.out.as_str()),
        (0, "no mail in the index of nobody@shop.example\n")
    );
}
