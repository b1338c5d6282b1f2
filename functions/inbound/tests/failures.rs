//! Failures: rejected requests, concurrent invocations, lost requests, a queue that does not accept work.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]
#![expect(clippy::panic, reason = "a mock fails by panicking")]

mod test_stack;

use lambda_kit::Metrics;
use serde_json::{Value, json};
use store::testing::Fault;
use store::{ForwardSettings, Mailbox, MailboxAction, MailboxKey};
use test_stack::{INBOUND_QUEUE, TOPIC, TestStack, address, assert_metric, event_for, event_with_id, now, read_event};

#[tokio::test]
async fn only_the_failed_address_is_retried() {
    let stack = TestStack::new().await;
    stack.fail("owner@target.example", "TooManyRequestsException");
    let (response, metrics) = stack.handle_now(&read_event("forward")).await;
    assert_eq!(response, json!({"disposition": "CONTINUE"}));
    assert_metric(&metrics, "Actions{Kind=forward, Outcome=failed} 1");
    assert_metric(&metrics, "HandedOver 1");
    assert_eq!(stack.recipients(), ["Second@target.example"]);
    assert_eq!(stack.messages().len(), 1);

    stack.succeed("owner@target.example");
    assert_eq!(stack.deliver_handed_over(&mut Metrics::default()).await, 0);
    assert_eq!(stack.recipients(), ["Second@target.example", "owner@target.example"]);
    assert_eq!(stack.messages().len(), 1);
}

#[tokio::test]
async fn a_notice_replaces_a_mail_that_ses_rejects() {
    let stack = TestStack::new().await;
    stack.fail("once:owner@target.example", "MessageRejected");
    let (_, metrics) = stack.handle_now(&read_event("forward")).await;
    assert_metric(&metrics, "Actions{Kind=forward, Outcome=notice-sent} 1");
    assert_metric(&metrics, "Actions{Kind=forward, Outcome=done} 1");
    let notice = String::from_utf8(stack.sent_mail()[1].mail.clone()).unwrap();
    for part in [
        "MessageRejected",
        "s3://postroom-mail/inbound/plain--1",
        "jane@client.example",
        "Order 4711",
    ] {
        assert!(notice.contains(part), "{part} in {notice}");
    }
    assert!(
        !notice.contains("where is my order"),
        "a notice does not contain the mail"
    );
}

#[tokio::test]
async fn a_mail_whose_notice_is_rejected_too_ends_in_the_dead_letter_queue() {
    let stack = TestStack::new().await;
    stack.fail("owner@target.example", "MessageRejected");
    let (_, metrics) = stack.handle_now(&read_event("forward")).await;
    assert_metric(&metrics, "Actions{Kind=forward, Outcome=failed} 1");
    assert_eq!(stack.deliver_handed_over(&mut Metrics::default()).await, 1);
}

#[tokio::test]
async fn a_notice_replaces_a_mail_beyond_the_limits() {
    for (limit, value, reason) in [
        ("FORWARD_BYTES", "1000", "1280 octets, more than 1000"),
        ("HEADER_FIELDS", "3", "more than 3 fields"),
        ("HEADER_BYTES", "100", "longer than 100 octets"),
    ] {
        let stack = TestStack::with_settings(&[(limit, value)]).await;
        let (response, metrics) = stack.handle_now(&read_event("forward")).await;
        assert_eq!(response, json!({"disposition": "CONTINUE"}));
        assert_metric(&metrics, "Actions{Kind=forward, Outcome=notice-sent} 2");
        let notice = String::from_utf8(stack.sent_mail()[0].mail.clone()).unwrap();
        let unfolded = notice.replace("\r\n", " ");
        assert!(unfolded.contains(reason), "{reason} in {notice}");
        assert!(notice.contains("s3://postroom-mail/inbound/plain--1"), "{notice}");
        let reads = stack.reads();
        assert_eq!(reads.len(), 1, "a mail that is too large is not read: {reads:?}");
    }
}

#[tokio::test]
async fn a_large_mail_is_read_once_and_forwarded_byte_for_byte() {
    let stack = TestStack::with_settings(&[("HEADER_BYTES", "2000")]).await;
    let mut mail = std::fs::read("../../events/inbound/mail/plain.eml").unwrap();
    let head = mail.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    mail.truncate(head);
    mail.extend((0..3_000_000u32).map(|i| (i % 251) as u8));
    stack.put_object("large--1", mail.clone());
    stack.handle_now(&event_with_id("forward", "large--1")).await;
    let sent = stack.sent_mail();
    assert_eq!(sent.len(), 2);
    for one in &sent {
        let body = one.mail.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        assert!(one.mail[body..] == mail[head..]);
    }
    let reads = stack.reads();
    let key = "postroom-mail/inbound/large--1";
    assert_eq!(reads, [format!("{key} bytes=0-2000"), format!("{key} whole")]);
}

#[tokio::test]
async fn concurrent_invocations_take_each_action_once() {
    let stack = TestStack::new().await;
    let event = read_event("sign-none");
    let (mut a, mut b, mut c) = <(Metrics, Metrics, Metrics)>::default();
    futures_util::join!(
        stack.handle(&event, &mut a, now()),
        stack.handle(&event, &mut b, now()),
        stack.handle(&event, &mut c, now()),
    );
    assert_eq!(stack.deliver_handed_over(&mut Metrics::default()).await, 0);
    assert_eq!(
        stack.recipients(),
        ["Second@target.example", "jane@client.example", "owner@target.example"]
    );
    assert_eq!(stack.messages().len(), 2);
}

#[tokio::test]
async fn a_second_rule_adds_its_recipients() {
    let stack = TestStack::new().await;
    stack.handle_now(&event_for(&["info+a@shop.example"])).await;
    stack
        .handle_now(&event_for(&["info+b@shop.example", "old@shop.example"]))
        .await;
    assert_eq!(stack.recipients().len(), 2, "one forward to each target of the mailbox");
    let mails = stack
        .store
        .mails(&"info@shop.example".parse().unwrap(), None, 9)
        .await
        .unwrap();
    let recipients: Vec<_> = mails[0].recipients.iter().map(String::as_str).collect();
    assert_eq!(recipients, ["info+a@shop.example", "info+b@shop.example"]);
    let bounced: Vec<_> = stack
        .messages()
        .into_iter()
        .filter(|(kind, ..)| *kind == "bounced")
        .collect();
    assert_eq!(bounced.len(), 1);
}

/// Each request to the table fails once. A retry from the queue completes the work, and no mail is sent twice.
#[tokio::test]
async fn a_retry_completes_the_work_after_any_lost_request() {
    let event = read_event("sign-none");
    let run = async |fault: Option<(Fault, usize)>| {
        let stack = TestStack::new().await;
        if let Some((fault, after)) = fault {
            stack.requests.fail(fault, after);
        }
        stack.handle_now(&event).await;
        assert_eq!(stack.deliver_handed_over(&mut Metrics::default()).await, 0, "{fault:?}");
        let occurred = !stack.requests.cancel_fault();
        let requests: usize = stack.requests.take().values().sum();
        (stack.recipients(), stack.messages(), occurred, requests)
    };
    let (recipients, messages, _, requests) = run(None).await;
    assert_eq!((recipients.len(), messages.len()), (3, 2));
    let mut faults = 0;
    for fault in [Fault::RequestLost, Fault::ResponseLost] {
        for after in 0..requests {
            let (found_recipients, found_messages, occurred, _) = run(Some((fault, after))).await;
            assert_eq!(found_recipients, recipients, "{fault:?} {after}");
            assert_eq!(found_messages, messages, "{fault:?} {after}");
            faults += usize::from(occurred);
        }
    }
    assert_eq!(faults, 2 * requests);
}

#[tokio::test]
async fn an_action_of_an_ended_invocation_is_retried_when_its_claim_has_expired() {
    let stack = TestStack::new().await;
    let claim = store::ClaimKey {
        message_id: "plain--1".to_owned(),
        mailbox: "info@shop.example".to_owned(),
        action: "forward",
        target: "owner@target.example".to_owned(),
    };
    stack.store.claim(&claim, now(), now(), now()).await.unwrap();
    let (response, metrics) = stack.handle_now(&read_event("forward")).await;
    assert_eq!(response, json!({"disposition": "CONTINUE"}));
    assert_metric(&metrics, "Actions{Kind=forward, Outcome=in-progress} 1");
    assert_metric(&metrics, "RecordFailures{Kind=in-progress} 1");
    assert_eq!(stack.recipients(), ["Second@target.example"]);
    assert_eq!(stack.deliver_handed_over(&mut Metrics::default()).await, 0);
    assert_eq!(stack.recipients(), ["Second@target.example", "owner@target.example"]);
}

#[tokio::test]
async fn a_waiting_rule_gets_a_disposition_even_if_the_hand_over_fails() {
    let stack = TestStack::new().await;
    stack.fail(INBOUND_QUEUE, "InternalFailure");
    stack.fail("s3", "SlowDown");
    let (response, metrics) = stack.handle_now(&read_event("forward")).await;
    assert_eq!(response, json!({"disposition": "CONTINUE"}));
    assert_metric(&metrics, "HandOverFailures 1");
    let (response, _) = stack.handle_now(&read_event("verdict-spam-fail")).await;
    assert_eq!(response, json!({"disposition": "STOP_RULE_SET"}));
    for name in ["carrier-lambda-event", "carrier-sns-s3"] {
        let (response, _) = stack.handle_now(&read_event(name)).await;
        assert_eq!(response, json!({"error": "1 of 1 records failed"}), "{name}");
    }
    let queued = read_event("carrier-sqs-from-sns");
    let (response, _) = stack.handle_now(&queued).await;
    let id = &queued["Records"][0]["messageId"];
    assert_eq!(response, json!({"batchItemFailures": [{"itemIdentifier": id}]}));
}

#[tokio::test]
async fn after_a_panic_the_verdicts_decide_and_the_work_is_handed_over() {
    let stack = TestStack::new().await;
    let (response, metrics) = stack.handle_now(&event_with_id("verdict-spam-fail", "panic--1")).await;
    assert_eq!(response, json!({"disposition": "STOP_RULE_SET"}));
    assert_metric(&metrics, "RecordFailures{Kind=panic} 1");
    assert_metric(&metrics, "HandedOver 1");
}

#[tokio::test]
async fn an_unreadable_event_gets_the_fallback_disposition() {
    let stack = TestStack::with_settings(&[("FALLBACK_DISPOSITION", "STOP_RULE")]).await;
    let (response, _) = stack.handle_now(&read_event("bad-without-receipt")).await;
    assert_eq!(response, json!({"disposition": "STOP_RULE"}));
    let broken = json!({"Records": [{"eventSource": "aws:ses", "ses": {"mail": {}}}]});
    let (response, metrics) = stack.handle_now(&broken).await;
    assert_eq!(response, json!({"disposition": "STOP_RULE"}));
    assert_metric(&metrics, "RecordFailures{Kind=bad_envelope} 1");
    let handed_over = stack.services().handed_over.clone();
    assert_eq!(
        serde_json::from_str::<Value>(&handed_over[1]).unwrap(),
        broken["Records"][0]
    );
}

#[tokio::test]
async fn a_retry_finds_an_object_that_was_missing() {
    let stack = TestStack::new().await;
    stack.handle_now(&event_with_id("forward", "missing--1")).await;
    assert!(stack.sent_mail().is_empty());
    let mail = std::fs::read("../../events/inbound/mail/plain.eml").unwrap();
    stack.put_object("missing--1", mail);
    assert_eq!(stack.deliver_handed_over(&mut Metrics::default()).await, 0);
    assert_eq!(stack.recipients().len(), 2);
}

#[tokio::test]
async fn a_failed_target_does_not_prevent_other_actions() {
    let stack = TestStack::new().await;
    stack.fail(TOPIC, "NotFound");
    let (_, metrics) = stack.handle_now(&read_event("forward")).await;
    assert_metric(&metrics, "Actions{Kind=forward, Outcome=done} 2");
    assert_metric(&metrics, "Actions{Kind=notify, Outcome=failed} 1");
    assert_metric(&metrics, "Actions{Kind=store, Outcome=done} 1");
}

/// SES may have sent the mail, so the claim is kept until it expires.
#[tokio::test]
async fn an_unknown_result_is_not_retried_before_the_claim_expires() {
    let stack = TestStack::new().await;
    stack.fail("owner@target.example", "InternalServiceError");
    stack.handle_now(&read_event("forward")).await;
    stack.succeed("owner@target.example");
    let (_, metrics) = stack.handle_now(&read_event("forward")).await;
    assert_metric(&metrics, "Actions{Kind=forward, Outcome=in-progress} 1");
    assert_eq!(stack.recipients(), ["Second@target.example"]);
    assert_eq!(stack.deliver_handed_over(&mut Metrics::default()).await, 0);
    assert_eq!(stack.recipients(), ["Second@target.example", "owner@target.example"]);
}

#[tokio::test]
async fn without_the_header_no_mail_is_sent() {
    let stack = TestStack::with_settings(&[("MAIL_BUCKET", ""), ("FEEDBACK_TOPIC_ARN", "")]).await;
    let (_, metrics) = stack.handle_now(&read_event("forward-with-truncated-headers")).await;
    assert_metric(&metrics, "Actions{Kind=forward, Outcome=failed} 2");
    let mut all = read_event("sign-none").to_string();
    // The headers in the event are truncated, and the mail is not in it.
    all = all.replace(r#"\"headersTruncated\": false"#, r#"\"headersTruncated\": true"#);
    all = all.replace(r#"\"content\":"#, r#"\"contents\":"#);
    let (_, metrics) = stack.handle_now(&serde_json::from_str(&all).unwrap()).await;
    for kind in ["auto-reply", "bounce"] {
        assert_metric(&metrics, &format!("Actions{{Kind={kind}, Outcome=failed}} 1"));
    }
    assert!(stack.sent_mail().is_empty());
    assert!(
        stack.messages().iter().all(|(kind, ..)| *kind == "published"),
        "only notifications"
    );
    assert_eq!(stack.deliver_handed_over(&mut Metrics::default()).await, 2);
}

/// Every Postroom stack can have a mailbox `*`. Another stack would take a forward by `*` for a loop.
#[tokio::test]
async fn the_loop_header_of_a_catch_all_mailbox_names_the_domain() {
    let stack = TestStack::new().await;
    let mailbox = Mailbox {
        actions: vec![MailboxAction::Forward {
            to: vec![address("owner@target.example")],
            from: address("sales@shop.example"),
            settings: ForwardSettings::default(),
        }],
        ..Mailbox::new(MailboxKey::CatchAll)
    };
    stack.store.put_mailbox(&mailbox).await.unwrap();
    stack.handle_now(&event_for(&["jane@elsewhere.example"])).await;
    let forward = String::from_utf8(stack.sent_mail()[0].mail.clone()).unwrap();
    assert!(
        forward.contains("X-Postroom-Forwarded: elsewhere.example\r\n"),
        "{forward}"
    );
}
