//! What happens when things go wrong: somebody refuses, invocations meet, requests get lost, the queue is full.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]
#![expect(clippy::panic, reason = "a mock has no other way to object")]

mod world;

use lambda_kit::Metrics;
use serde_json::{Value, json};
use store::testing::Fault;
use store::{Mailbox, MailboxAction, MailboxKey, VerdictRules};
use world::{INBOUND, TOPIC, World, address, counted, event, now};

/// The mail of an event under another id.
fn renamed(name: &str, id: &str) -> Value {
    let mut event = event(name);
    event["Records"][0]["ses"]["mail"]["messageId"] = json!(id);
    event
}

fn to(recipients: &[&str]) -> Value {
    let mut event = event("forward");
    event["Records"][0]["ses"]["receipt"]["recipients"] = json!(recipients);
    event
}

async fn handle(world: &World, event: &Value) -> (Value, Vec<String>) {
    let mut metrics = Metrics::default();
    let answer = world.handle(event, &mut metrics, now()).await;
    (answer, counted(&metrics))
}

fn has(metrics: &[String], line: &str) -> bool {
    metrics
        .iter()
        .any(|one| one.split(' ').collect::<Vec<_>>().join(" ") == line)
}

#[tokio::test]
async fn only_the_refused_address_is_tried_again() {
    let world = World::furnished().await;
    world.refuse("owner@target.example", "TooManyRequestsException");
    let (answer, metrics) = handle(&world, &event("forward")).await;
    assert_eq!(answer, json!({"disposition": "CONTINUE"}));
    assert!(has(&metrics, "Kind=forward Outcome=failed Actions=1"), "{metrics:?}");
    assert!(has(&metrics, "HandedOver=1"), "{metrics:?}");
    assert_eq!(world.recipients(), ["Second@target.example"]);
    assert_eq!(world.told().len(), 1);

    world.admit("owner@target.example");
    assert_eq!(world.work_off(&mut Metrics::default()).await, 0);
    assert_eq!(world.recipients(), ["Second@target.example", "owner@target.example"]);
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn a_mail_that_ses_does_not_send_goes_as_a_notice() {
    let world = World::furnished().await;
    world.refuse("once:owner@target.example", "MessageRejected");
    let (_, metrics) = handle(&world, &event("forward")).await;
    assert!(has(&metrics, "Kind=forward Outcome=notice Actions=1"), "{metrics:?}");
    assert!(has(&metrics, "Kind=forward Outcome=done Actions=1"), "{metrics:?}");
    let notice = String::from_utf8(world.sent()[1].mail.clone()).unwrap();
    for part in [
        "MessageRejected",
        "s3://postroom-mail/inbound/plain--1",
        "jane@client.example",
        "Order 4711",
    ] {
        assert!(notice.contains(part), "{part} in {notice}");
    }
    assert!(!notice.contains("where is my order"), "not the mail itself");
}

#[tokio::test]
async fn a_sender_that_is_not_verified_ends_in_the_dead_letter_queue() {
    let world = World::furnished().await;
    world.refuse("owner@target.example", "MessageRejected");
    let (_, metrics) = handle(&world, &event("forward")).await;
    assert!(has(&metrics, "Kind=forward Outcome=failed Actions=1"), "{metrics:?}");
    assert_eq!(world.work_off(&mut Metrics::default()).await, 1);
}

#[tokio::test]
async fn what_cannot_be_forwarded_is_announced() {
    for (limit, value, reason) in [
        ("FORWARD_BYTES", "1000", "1280 octets, more than 1000"),
        ("HEADER_FIELDS", "3", "more than 3 fields"),
        ("HEADER_BYTES", "100", "longer than 100 octets"),
    ] {
        let world = World::furnished_with(&[(limit, value)]).await;
        let (answer, metrics) = handle(&world, &event("forward")).await;
        assert_eq!(answer, json!({"disposition": "CONTINUE"}));
        assert!(
            has(&metrics, "Kind=forward Outcome=notice Actions=2"),
            "{limit} {metrics:?}"
        );
        let notice = String::from_utf8(world.sent()[0].mail.clone()).unwrap();
        let unfolded = notice.replace("\r\n", " ");
        assert!(unfolded.contains(reason), "{reason} in {notice}");
        assert!(notice.contains("s3://postroom-mail/inbound/plain--1"), "{notice}");
        let whole = world.given.lock().unwrap().reads.clone();
        assert_eq!(whole.len(), 1, "what is too large is not read: {whole:?}");
    }
}

#[tokio::test]
async fn a_large_mail_is_read_in_one_piece_once_and_sent_byte_for_byte() {
    let world = World::furnished_with(&[("HEADER_BYTES", "2000")]).await;
    let mut mail = std::fs::read("../../events/inbound/mail/plain.eml").unwrap();
    let head = mail.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    mail.truncate(head);
    mail.extend((0..3_000_000u32).map(|i| (i % 251) as u8));
    world.put_object("large--1", mail.clone());
    handle(&world, &renamed("forward", "large--1")).await;
    let sent = world.sent();
    assert_eq!(sent.len(), 2);
    for one in &sent {
        let body = one.mail.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        assert!(one.mail[body..] == mail[head..]);
    }
    let reads = world.given.lock().unwrap().reads.clone();
    let key = "postroom-mail/inbound/large--1";
    assert_eq!(reads, [format!("{key} bytes=0-2000"), format!("{key} whole")]);
}

#[tokio::test]
async fn invocations_of_several_rules_do_everything_once() {
    let world = World::furnished().await;
    let event = event("sign-none");
    let (mut a, mut b, mut c) = <(Metrics, Metrics, Metrics)>::default();
    futures_util::join!(
        world.handle(&event, &mut a, now()),
        world.handle(&event, &mut b, now()),
        world.handle(&event, &mut c, now()),
    );
    assert_eq!(world.work_off(&mut Metrics::default()).await, 0);
    assert_eq!(
        world.recipients(),
        ["Second@target.example", "jane@client.example", "owner@target.example"]
    );
    assert_eq!(world.told().len(), 2);
}

#[tokio::test]
async fn another_rule_brings_another_recipient() {
    let world = World::furnished().await;
    handle(&world, &to(&["info+a@shop.example"])).await;
    handle(&world, &to(&["info+b@shop.example", "old@shop.example"])).await;
    assert_eq!(world.recipients().len(), 2, "one mailbox, one forward to each");
    let mails = world
        .store
        .mails(&"info@shop.example".parse().unwrap(), None, 9)
        .await
        .unwrap();
    let recipients: Vec<_> = mails[0].recipients.iter().map(String::as_str).collect();
    assert_eq!(recipients, ["info+a@shop.example", "info+b@shop.example"]);
    let bounced: Vec<_> = world.told().into_iter().filter(|told| told.0 == "bounced").collect();
    assert_eq!(bounced.len(), 1);
}

/// One request of the store fails; whatever it was, the queue makes up for it, and nobody gets anything twice.
#[tokio::test]
async fn every_lost_request_is_made_good() {
    let event = event("sign-none");
    let told = async |fault: Option<(Fault, usize)>| {
        let world = World::furnished().await;
        if let Some((fault, after)) = fault {
            world.requests.fail(fault, after);
        }
        let (_, _) = handle(&world, &event).await;
        assert_eq!(world.work_off(&mut Metrics::default()).await, 0, "{fault:?}");
        let struck = !world.requests.cancel_fault();
        let requests: usize = world.requests.take().values().sum();
        (world.recipients(), world.told(), struck, requests)
    };
    let (sent, said, _, requests) = told(None).await;
    assert_eq!((sent.len(), said.len()), (3, 2));
    let mut faults = 0;
    for fault in [Fault::RequestLost, Fault::ResponseLost] {
        for after in 0..requests {
            let (found, heard, struck, _) = told(Some((fault, after))).await;
            assert_eq!(found, sent, "{fault:?} {after}");
            assert_eq!(heard, said, "{fault:?} {after}");
            faults += usize::from(struck);
        }
    }
    assert_eq!(faults, 2 * requests);
}

#[tokio::test]
async fn a_run_that_died_after_it_began_is_taken_over_when_its_claim_has_lapsed() {
    let world = World::furnished().await;
    let claim = store::ClaimKey {
        message_id: "plain--1".to_owned(),
        mailbox: "info@shop.example".to_owned(),
        action: "forward",
        target: "owner@target.example".to_owned(),
    };
    world.store.claim(&claim, now(), now(), now()).await.unwrap();
    let (answer, metrics) = handle(&world, &event("forward")).await;
    assert_eq!(answer, json!({"disposition": "CONTINUE"}));
    assert!(has(&metrics, "Kind=forward Outcome=busy Actions=1"), "{metrics:?}");
    assert!(has(&metrics, "Kind=busy RecordFailures=1"), "{metrics:?}");
    assert_eq!(world.recipients(), ["Second@target.example"]);
    assert_eq!(world.work_off(&mut Metrics::default()).await, 0);
    assert_eq!(world.recipients(), ["Second@target.example", "owner@target.example"]);
}

#[tokio::test]
async fn a_sender_gets_only_so_much_forwarded() {
    let world = World::furnished_with(&[("FORWARDS_PER_SENDER", "2")]).await;
    for id in ["plain--1", "plain--2", "plain--3", "plain--1"] {
        handle(&world, &renamed("forward", id)).await;
    }
    assert_eq!(world.recipients().len(), 4);
    let mails = world.store.mail_by_id("plain--3").await.unwrap();
    let reasons: Vec<_> = mails[0].reasons.iter().collect();
    assert_eq!(
        reasons,
        ["forward: not forwarded: more than 2 mails of this sender in an hour"]
    );

    // A forger does not use up the share of whom he pretends to be.
    let world = World::furnished_with(&[("FORWARDS_PER_SENDER", "2")]).await;
    for id in ["plain--1", "plain--2", "plain--3"] {
        handle(&world, &renamed("verdict-gray", id)).await;
    }
    handle(&world, &renamed("forward", "plain--4")).await;
    assert_eq!(world.recipients().len(), 6);
}

#[tokio::test]
async fn a_sender_gets_one_answer_a_period_and_few_in_an_hour() {
    let world = World::furnished_with(&[("ANSWERS_PER_SENDER", "2")]).await;
    handle(&world, &event("answer")).await;
    let mut second = event("answer").to_string();
    second = second.replace("answer--1", "answer--2");
    handle(&world, &serde_json::from_str(&second).unwrap()).await;
    assert_eq!(world.recipients(), ["jane@client.example"]);
    let mails = world.store.mail_by_id("answer--2").await.unwrap();
    assert!(
        mails[0]
            .reasons
            .contains("auto-reply: not answered: the sender got an answer within 7 days")
    );

    for id in ["plain--1", "plain--2", "plain--3"] {
        let mut bounce = to(&["old@shop.example"]);
        bounce["Records"][0]["ses"]["mail"]["messageId"] = json!(id);
        handle(&world, &bounce).await;
    }
    assert_eq!(world.told().len(), 1, "one answer and one bounce");
}

#[tokio::test]
async fn whoever_waits_is_answered_though_the_work_is_lost() {
    let world = World::furnished().await;
    world.refuse(INBOUND, "InternalFailure");
    world.refuse("s3", "SlowDown");
    let (answer, metrics) = handle(&world, &event("forward")).await;
    assert_eq!(answer, json!({"disposition": "CONTINUE"}));
    assert!(has(&metrics, "HandOverFailures=1"), "{metrics:?}");
    let (answer, _) = handle(&world, &event("verdict-spam-fail")).await;
    assert_eq!(answer, json!({"disposition": "STOP_RULE_SET"}));
    for asynchronous in ["carrier-lambda-event", "carrier-sns-s3", "carrier-sqs-from-sns"] {
        let (answer, _) = handle(&world, &event(asynchronous)).await;
        assert_eq!(answer, json!({"error": "1 of 1 records failed"}), "{asynchronous}");
    }
}

#[tokio::test]
async fn a_panic_is_answered_by_the_verdicts_and_handed_over() {
    let world = World::furnished().await;
    let (answer, metrics) = handle(&world, &renamed("verdict-spam-fail", "panic--1")).await;
    assert_eq!(answer, json!({"disposition": "STOP_RULE_SET"}));
    assert!(has(&metrics, "Kind=panic RecordFailures=1"), "{metrics:?}");
    assert!(has(&metrics, "HandedOver=1"), "{metrics:?}");
}

#[tokio::test]
async fn what_cannot_be_read_gets_the_configured_disposition() {
    let world = World::furnished_with(&[("FALLBACK_DISPOSITION", "STOP_RULE")]).await;
    let (answer, _) = handle(&world, &event("bad-without-receipt")).await;
    assert_eq!(answer, json!({"disposition": "STOP_RULE"}));
    let broken = json!({"Records": [{"eventSource": "aws:ses", "ses": {"mail": {}}}]});
    let (answer, metrics) = handle(&world, &broken).await;
    assert_eq!(answer, json!({"disposition": "STOP_RULE"}));
    assert!(has(&metrics, "Kind=bad_envelope RecordFailures=1"), "{metrics:?}");
    let waiting = world.given.lock().unwrap().waiting.clone();
    assert_eq!(
        serde_json::from_str::<Value>(&waiting[1]).unwrap(),
        broken["Records"][0]
    );
}

#[tokio::test]
async fn an_object_that_comes_later_is_found_later() {
    let world = World::furnished().await;
    handle(&world, &renamed("forward", "missing--1")).await;
    assert!(world.sent().is_empty());
    let mail = std::fs::read("../../events/inbound/mail/plain.eml").unwrap();
    world.put_object("missing--1", mail);
    assert_eq!(world.work_off(&mut Metrics::default()).await, 0);
    assert_eq!(world.recipients().len(), 2);
}

#[tokio::test]
async fn a_target_that_refuses_keeps_nobody_else_waiting() {
    let world = World::furnished().await;
    world.refuse(TOPIC, "NotFound");
    let (_, metrics) = handle(&world, &event("forward")).await;
    assert!(has(&metrics, "Kind=forward Outcome=done Actions=2"), "{metrics:?}");
    assert!(has(&metrics, "Kind=notify Outcome=failed Actions=1"), "{metrics:?}");
    assert!(has(&metrics, "Kind=store Outcome=done Actions=1"), "{metrics:?}");
}

/// SES may have sent it: whoever comes next waits until the claim has lapsed.
#[tokio::test]
async fn an_unclear_answer_is_not_asked_again_at_once() {
    let world = World::furnished().await;
    world.refuse("owner@target.example", "InternalServiceError");
    handle(&world, &event("forward")).await;
    world.admit("owner@target.example");
    let (_, metrics) = handle(&world, &event("forward")).await;
    assert!(has(&metrics, "Kind=forward Outcome=busy Actions=1"), "{metrics:?}");
    assert_eq!(world.recipients(), ["Second@target.example"]);
    assert_eq!(world.work_off(&mut Metrics::default()).await, 0);
    assert_eq!(world.recipients(), ["Second@target.example", "owner@target.example"]);
}

#[tokio::test]
async fn without_a_place_to_read_the_mail_nothing_is_sent_blindly() {
    let world = World::furnished_with(&[("MAIL_BUCKET", ""), ("FEEDBACK_TOPIC_ARN", "")]).await;
    let (_, metrics) = handle(&world, &event("forward-with-truncated-headers")).await;
    assert!(has(&metrics, "Kind=forward Outcome=failed Actions=2"), "{metrics:?}");
    let mut all = event("sign-none").to_string();
    // The header is cut, and there is no content.
    all = all.replace(r#"\"headersTruncated\": false"#, r#"\"headersTruncated\": true"#);
    all = all.replace(r#"\"content\":"#, r#"\"contents\":"#);
    let (_, metrics) = handle(&world, &serde_json::from_str(&all).unwrap()).await;
    for kind in ["auto-reply", "bounce"] {
        assert!(
            has(&metrics, &format!("Kind={kind} Outcome=failed Actions=1")),
            "{metrics:?}"
        );
    }
    assert!(world.sent().is_empty());
    assert!(
        world.told().iter().all(|told| told.0 == "published"),
        "the notifications"
    );
    assert_eq!(world.work_off(&mut Metrics::default()).await, 2, "people hear of it");
}

/// `*` is the catch-all mailbox of every Postroom, and the next one would take its forward for a loop.
#[tokio::test]
async fn the_forward_of_a_catch_all_names_the_domain_it_came_to() {
    let world = World::furnished().await;
    let mailbox = Mailbox {
        key: MailboxKey::CatchAll,
        verdicts: VerdictRules::default(),
        actions: vec![MailboxAction::Forward {
            to: vec![address("owner@target.example")],
            from: address("sales@shop.example"),
        }],
    };
    world.store.put_mailbox(&mailbox).await.unwrap();
    handle(&world, &to(&["jane@elsewhere.example"])).await;
    let forward = String::from_utf8(world.sent()[0].mail.clone()).unwrap();
    assert!(
        forward.contains("X-Postroom-Forwarded: elsewhere.example\r\n"),
        "{forward}"
    );
}

/// SES takes one bounce a second: a hundred of them would end in the dead-letter queue, and hit one return path.
#[tokio::test]
async fn one_mail_to_many_recipients_is_not_bounced_for_each_of_them() {
    let world = World::furnished_with(&[("ANSWERS_PER_SENDER", "2")]).await;
    let mailbox = Mailbox {
        key: "gone.example".parse().unwrap(),
        verdicts: VerdictRules::default(),
        actions: vec![MailboxAction::Bounce {
            sender: address("postmaster@shop.example"),
            message: "Nobody here".to_owned(),
            status_code: "5.1.1".to_owned(),
        }],
    };
    world.store.put_mailbox(&mailbox).await.unwrap();
    let (_, metrics) = handle(&world, &to(&["a@gone.example", "b@gone.example", "c@gone.example"])).await;
    assert!(has(&metrics, "Kind=bounce Outcome=done Actions=2"), "{metrics:?}");
    assert!(has(&metrics, "Kind=bounce Outcome=refused Actions=1"), "{metrics:?}");
}

/// The author's domain has no DMARC, so anyone can write as her; only she writes from her servers.
#[tokio::test]
async fn a_forger_does_not_use_up_the_share_of_an_author_without_dmarc() {
    let world = World::furnished_with(&[("FORWARDS_PER_SENDER", "1")]).await;
    let mail = |id: &str, spf: &str, source: &str| {
        let mut event = renamed("forward", id);
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
        handle(&world, forgery).await;
    }
    let before = world.sent().len();
    handle(&world, &mail("plain--4", "PASS", "jane@client.example")).await;
    assert!(world.sent().len() > before, "hers is forwarded");
}
