//! Limits of the mail that one sender can cause.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]
#![expect(clippy::panic, reason = "a mock fails by panicking")]

mod test_stack;

use serde_json::json;
use store::{Mailbox, MailboxAction};
use test_stack::{TestStack, address, assert_metric, event_for, event_with_id, read_event};

#[tokio::test]
async fn forwards_of_a_sender_are_limited() {
    let stack = TestStack::with_settings(&[("FORWARDS_PER_SENDER", "2")]).await;
    for id in ["plain--1", "plain--2", "plain--3", "plain--1"] {
        stack.handle_now(&event_with_id("forward", id)).await;
    }
    assert_eq!(stack.recipients().len(), 4);
    let mails = stack.store.mail_by_id("plain--3").await.unwrap();
    let reasons: Vec<_> = mails[0].reasons.iter().collect();
    assert_eq!(
        reasons,
        ["forward: not sent: the sender has more than 2 forwards within an hour"]
    );

    // Forged mail does not count against the limit of the sender it names.
    let stack = TestStack::with_settings(&[("FORWARDS_PER_SENDER", "2")]).await;
    for id in ["plain--1", "plain--2", "plain--3"] {
        stack.handle_now(&event_with_id("verdict-gray", id)).await;
    }
    stack.handle_now(&event_with_id("forward", "plain--4")).await;
    assert_eq!(stack.recipients().len(), 6);
}

#[tokio::test]
async fn replies_to_a_sender_are_limited_by_period_and_by_hour() {
    let stack = TestStack::with_settings(&[("ANSWERS_PER_SENDER", "2")]).await;
    stack.handle_now(&read_event("auto-reply")).await;
    let mut second = read_event("auto-reply").to_string();
    second = second.replace("answer--1", "answer--2");
    stack.handle_now(&serde_json::from_str(&second).unwrap()).await;
    assert_eq!(stack.recipients(), ["jane@client.example"]);
    let mails = stack.store.mail_by_id("answer--2").await.unwrap();
    assert!(
        mails[0]
            .reasons
            .contains("auto-reply: not sent: the sender got a reply within 7 days")
    );

    for id in ["plain--1", "plain--2", "plain--3"] {
        let mut bounce = event_for(&["old@shop.example"]);
        bounce["Records"][0]["ses"]["mail"]["messageId"] = json!(id);
        stack.handle_now(&bounce).await;
    }
    assert_eq!(stack.messages().len(), 1, "one reply and one bounce");
}

/// SES accepts one bounce per second, so 100 bounces of one mail would end in the dead-letter queue.
#[tokio::test]
async fn bounces_of_one_mail_are_limited() {
    let stack = TestStack::with_settings(&[("ANSWERS_PER_SENDER", "2")]).await;
    let mailbox = Mailbox {
        actions: vec![MailboxAction::Bounce {
            sender: address("postmaster@shop.example"),
            message: "Unknown address".to_owned(),
            status_code: "5.1.1".to_owned(),
        }],
        ..Mailbox::new("gone.example".parse().unwrap())
    };
    stack.store.put_mailbox(&mailbox).await.unwrap();
    let (_, metrics) = stack
        .handle_now(&event_for(&["a@gone.example", "b@gone.example", "c@gone.example"]))
        .await;
    assert_metric(&metrics, "Actions{Kind=bounce, Outcome=done} 2");
    assert_metric(&metrics, "Actions{Kind=bounce, Outcome=rejected} 1");
}

/// Without DMARC, anyone can forge the author. SPF shows which mail comes from the author's servers.
#[tokio::test]
async fn forged_mail_does_not_count_against_an_author_without_dmarc() {
    let stack = TestStack::with_settings(&[("FORWARDS_PER_SENDER", "1")]).await;
    let mail = |id: &str, spf: &str, source: &str| {
        let mut event = event_with_id("forward", id);
        let ses = &mut event["Records"][0]["ses"];
        ses["mail"]["source"] = json!(source);
        ses["receipt"]["dmarcVerdict"] = json!({"status": "GRAY"});
        ses["receipt"]["spfVerdict"] = json!({"status": spf});
        event
    };
    let forgeries = [
        mail("plain--1", "GRAY", "jane@client.example"),
        mail("plain--2", "PASS", "x@evil.example"),
        mail("plain--3", "PASS", "x@evil.example"),
    ];
    for forgery in &forgeries {
        stack.handle_now(forgery).await;
    }
    let before = stack.sent_mail().len();
    stack.handle_now(&mail("plain--4", "PASS", "jane@client.example")).await;
    assert!(stack.sent_mail().len() > before, "the confirmed mail is forwarded");
}
