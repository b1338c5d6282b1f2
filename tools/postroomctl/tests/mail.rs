//! `postroomctl mail`, against an embedded DynamoDB.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "support/sqs.rs"]
mod sqs;
mod support;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sqs::Sqs;
use store::{ClaimKey, IndexedMail, IndexedSubject, MailLocation, VerdictAction};
use support::Stack;

fn mail(id: &str, at: Timestamp) -> IndexedMail {
    IndexedMail {
        mailbox: "support@shop.example".parse().unwrap(),
        message_id: id.to_owned(),
        at,
        recipients: BTreeSet::from(["support+x@shop.example".to_owned()]),
        from: Some("jane@client.example".to_owned()),
        return_path: Some("bounces@client.example".to_owned()),
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

/// Two mails of a mailbox, five minutes apart.
async fn stack_with_two_mails() -> Stack {
    let stack = Stack::new().await;
    for (id, at) in [("older", "2026-03-03T09:15:01Z"), ("newer", "2026-03-03T09:20:01Z")] {
        let mail = mail(id, at.parse().unwrap());
        stack.effects.store.index_mail(&mail).await.unwrap();
    }
    stack
}

#[tokio::test]
async fn the_index_of_a_mailbox_lists_the_newest_mail_first() {
    let stack = stack_with_two_mails().await;
    insta::assert_snapshot!(
        "mail_list",
        stack.run_successfully("mail list support@shop.example").await
    );
    let before = stack
        .run_successfully("mail list support@shop.example --before 2026-03-03T09:15:02Z")
        .await;
    assert!(before.contains("older") && !before.contains("newer"), "{before}");
    assert_eq!(
        stack.run_successfully("mail list nobody@shop.example").await,
        "no mail in the index of nobody@shop.example\n"
    );
}

#[tokio::test]
async fn json_has_all_fields_of_a_mail() {
    let stack = stack_with_two_mails().await;
    let rows = stack
        .run("mail list support@shop.example --limit 1 --json")
        .await
        .json();
    assert_eq!(
        rows,
        json!([{
            "mailbox": "support@shop.example",
            "messageId": "newer",
            "at": "2026-03-03T09:20:01Z",
            "recipients": ["support+x@shop.example"],
            "from": "jane@client.example",
            "returnPath": "bounces@client.example",
            "subject": "Order \u{1b}[2J 7",
            "subjectHash": null,
            "verdicts": {"spam": "PASS"},
            "sizeBytes": 4711,
            "location": {"bucket": "mail-bucket", "key": "mail/newer"},
            "action": "tag",
            "reasons": ["dkim GRAY: tag, the default"],
            "expiresAt": "2026-03-04T09:20:01Z",
        }])
    );
}

#[tokio::test]
async fn a_mail_is_shown_with_its_actions() {
    let stack = stack_with_two_mails().await;
    let store = &stack.effects.store;
    let at: Timestamp = "2026-03-03T09:20:01Z".parse().unwrap();
    for (mailbox, target, is_done) in [
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
        if is_done {
            store.finish_claim(&claim, at, "sent as 0100-1").await.unwrap();
        }
    }
    insta::assert_snapshot!("mail_get", stack.run_successfully("mail get newer").await);
    let unknown = stack.run("mail get unknown").await;
    assert_eq!(
        (unknown.exit_code, unknown.stdout.as_str()),
        (1, "the index has no mail unknown\n")
    );
}

/// The message that the inbound function receives has the mail as the index has it, and the request.
#[tokio::test]
async fn a_mail_that_was_stopped_is_listed_and_sent_again() {
    let mut stack = stack_with_two_mails().await;
    let sqs = Sqs::new().await;
    stack.set_sqs_endpoint(sqs.endpoint.clone());
    let at: Timestamp = "2026-03-03T09:30:01Z".parse().unwrap();
    let stopped = IndexedMail {
        reasons: BTreeSet::from(["forward: not sent: a cap allows 1000 forwards".to_owned()]),
        verdicts: BTreeMap::from([
            ("spf".to_owned(), "PASS".to_owned()),
            ("dmarc".to_owned(), "FAIL".to_owned()),
            ("dmarcPolicy".to_owned(), "none".to_owned()),
        ]),
        ..mail("stopped", at)
    };
    stack.effects.store.index_mail(&stopped).await.unwrap();
    let listed = stack
        .run_successfully("mail list support@shop.example --not-sent")
        .await;
    assert!(listed.contains("stopped") && !listed.contains("newer"), "{listed}");

    let queue = sqs.url("inbound");
    let sent = stack
        .run_successfully(&format!("mail send-again stopped --queue {queue}"))
        .await;
    assert!(
        sent.contains("stopped: the inbound function sends the mail of support@shop.example"),
        "{sent}"
    );
    let bodies = sqs.bodies("inbound");
    let body: serde_json::Value = serde_json::from_str(&bodies[0]).unwrap();
    let notification_model::SesMessage::Received(received) = notification_model::parse(&bodies[0]).unwrap() else {
        panic!("{body}")
    };
    assert_eq!(received.mail.timestamp, at);
    assert_eq!(received.mail.source.as_deref(), Some("bounces@client.example"));
    assert_eq!(received.receipt.recipients[0].as_str(), "support+x@shop.example");
    assert_eq!(received.receipt.spf_verdict.unwrap().status.as_str(), "PASS");
    assert_eq!(received.receipt.dmarc_policy.unwrap().as_str(), "none");
    assert_eq!(body["sendAgain"]["repeat"], false);
    assert!(inbound::effects::SendAgain::read(&bodies[0]).is_some());

    let repeat =
        format!("mail send-again stopped newer --repeat --mailbox support@shop.example --queue {queue} --json");
    assert_eq!(stack.run(&repeat).await.json()["mails"].as_array().unwrap().len(), 2);
    assert!(sqs.bodies("inbound")[1].contains("\"repeat\":true"));
    for arguments in ["unknown", "stopped --mailbox other@shop.example"] {
        let outcome = stack.run(&format!("mail send-again {arguments} --queue {queue}")).await;
        assert_eq!(outcome.exit_code, 2, "{arguments}: {}", outcome.stderr);
        assert!(outcome.stderr.contains("not in the index"), "{}", outcome.stderr);
    }
    assert_eq!(sqs.bodies("inbound").len(), 3, "nothing is sent if a mail is unknown");
}
