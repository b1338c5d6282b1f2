//! Forward targets that complain or whose mail bounces: forwarding never stops silently.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]
#![expect(clippy::panic, reason = "a mock fails by panicking")]

mod test_stack;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use lambda_kit::Metrics;
use store::{
    ForwardSettings, Mailbox, MailboxAction, NotifyTarget, OwnerTarget, Scope, SuppressionEntry, SuppressionSource,
    WhenSuppressed,
};
use test_stack::{QUEUE, TOPIC, TestStack, address, assert_metric, mail_of, metric_texts, now, read_event, send_again};

fn suppression(reason: &str, id: &str) -> SuppressionEntry {
    SuppressionEntry {
        at: "2026-03-02T08:16:00Z".parse().unwrap(),
        id: id.to_owned(),
        blocked: true,
        until: None,
        reason: reason.to_owned(),
        address: "owner@target.example".to_owned(),
        evidence: BTreeMap::new(),
    }
}

async fn with_mailbox(when_suppressed: WhenSuppressed, owner: Option<OwnerTarget>) -> TestStack {
    let stack = TestStack::new().await;
    let forward = MailboxAction::Forward {
        to: vec![address("owner@target.example"), address("second@target.example")],
        from: address("forward@shop.example"),
        settings: ForwardSettings {
            when_suppressed,
            ..ForwardSettings::default()
        },
    };
    let mailbox = Mailbox {
        actions: vec![forward],
        owner,
        ..Mailbox::new("sales@shop.example".parse().unwrap())
    };
    stack.store.put_mailbox(&mailbox).await.unwrap();
    stack
}

async fn complain(stack: &TestStack, scope: &str) {
    let scope: Scope = scope.parse().unwrap();
    let entry = suppression("complaint, reported as abuse", "forward-1");
    let target = address("owner@target.example");
    let source = SuppressionSource::Complaint;
    stack
        .store
        .record_suppression(&target, &scope, &source, &entry, now())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_complaint_of_a_forward_target_never_stops_forwarding_silently() {
    let owner = || Some(OwnerTarget::Email(address("boss@shop.example")));
    for (setting, forwards) in [(WhenSuppressed::Continue, 4), (WhenSuppressed::Stop, 2)] {
        let stack = with_mailbox(setting, owner()).await;
        complain(&stack, "forward:sales@shop.example").await;
        let mut metrics = Metrics::default();
        for number in [1, 2, 1] {
            let event = mail_of("s@client.example", number, "sales@shop.example");
            stack.handle(&event, &mut metrics, now()).await;
        }
        let recipients = stack.recipients();
        let to_owner = recipients.iter().filter(|to| *to == "boss@shop.example").count();
        assert_eq!(to_owner, 1, "the owner is notified once: {recipients:?}");
        assert_eq!(recipients.len() - to_owner, forwards, "{setting:?}: {recipients:?}");
        assert_metric(&metric_texts(&metrics), "SuppressedForwardTargets 3");
        let notice = stack
            .sent_mail()
            .into_iter()
            .find(|mail| mail.to == ["boss@shop.example"])
            .unwrap();
        let text = String::from_utf8(notice.mail).unwrap();
        for part in [
            "sales@shop.example",
            "owner@target.example",
            "reported as abuse",
            "Auto-Submitted: auto-generated",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert_eq!(text.contains("send-again"), setting == WhenSuppressed::Stop, "{text}");
        if setting == WhenSuppressed::Stop {
            let mails = stack.store.mail_by_id("plain--2").await.unwrap();
            assert!(
                mails[0]
                    .reasons
                    .iter()
                    .any(|reason| reason.contains("forward: not sent: the target is suppressed"))
            );
            // After a release, the mail that was kept is sent.
            let release = SuppressionEntry {
                at: now(),
                blocked: false,
                ..suppression("a mistake", "manual")
            };
            let scope = "forward:sales@shop.example".parse().unwrap();
            let target = address("owner@target.example");
            let source = SuppressionSource::Released;
            stack
                .store
                .record_suppression(&target, &scope, &source, &release, now())
                .await
                .unwrap();
            stack
                .handle_now(&send_again(
                    &mail_of("s@client.example", 2, "sales@shop.example"),
                    false,
                ))
                .await;
            assert_eq!(
                stack
                    .recipients()
                    .iter()
                    .filter(|to| *to == "owner@target.example")
                    .count(),
                1
            );
        }
    }
}

#[tokio::test]
async fn an_owner_can_be_a_topic_or_a_queue() {
    for (target, kind) in [
        (NotifyTarget::Topic(TOPIC.to_owned()), "published"),
        (NotifyTarget::Queue(QUEUE.to_owned()), "queued"),
    ] {
        let stack = with_mailbox(WhenSuppressed::Stop, Some(OwnerTarget::Notify(target))).await;
        complain(&stack, "forward:sales@shop.example").await;
        stack
            .handle_now(&mail_of("s@client.example", 1, "sales@shop.example"))
            .await;
        let messages = stack.messages();
        let [(found, _, text)] = messages.as_slice() else {
            panic!("{messages:?}")
        };
        assert_eq!(*found, kind);
        assert_eq!(text["type"], "ForwardTargetSuppressed");
        assert_eq!(text["target"], "owner@target.example");
        assert_eq!(text["forwarding"], "stopped");
    }
}

#[tokio::test]
async fn suppressions_for_other_mail_do_not_concern_forwards_but_a_dead_address_does() {
    let stack = with_mailbox(WhenSuppressed::Continue, None).await;
    complain(&stack, "domain:shop.example").await;
    complain(&stack, "forward:info@shop.example").await;
    stack
        .handle_now(&mail_of("s@client.example", 1, "sales@shop.example"))
        .await;
    assert_eq!(stack.recipients().len(), 2);
    complain(&stack, "global").await;
    let (_, metrics) = stack
        .handle_now(&mail_of("s@client.example", 2, "sales@shop.example"))
        .await;
    assert_eq!(stack.recipients().len(), 3);
    assert_metric(&metrics, "SuppressedForwardTargets 1");
}

#[tokio::test]
async fn every_forward_and_reply_is_recorded_for_the_feedback_function() {
    let stack = TestStack::new().await;
    stack
        .handle_now(&mail_of("s@client.example", 1, "info@shop.example"))
        .await;
    stack.handle_now(&read_event("auto-reply")).await;
    let rows = stack.rows().await;
    let sent: Vec<_> = rows.iter().filter(|(key, _)| key.starts_with("SENT#out-")).collect();
    assert_eq!(sent.len(), 3, "{rows:?}");
    for (key, row) in sent {
        let expires = row["expiresAt"].as_i64().unwrap();
        assert_eq!(expires, (now() + SignedDuration::from_hours(720)).as_second(), "{key}");
        let id = key.split(['#', ' ']).nth(1).unwrap();
        assert!(stack.store.sent_mail(id).await.unwrap().is_some());
    }
}
