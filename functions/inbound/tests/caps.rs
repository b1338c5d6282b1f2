//! Caps: what strangers cannot cause, however many senders they invent; and how an operator sends what a cap stopped.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]
#![expect(clippy::panic, reason = "a mock fails by panicking")]
#![expect(clippy::print_stdout, reason = "what the flood causes is a result to read")]

mod test_stack;

use lambda_kit::Metrics;
use serde_json::{Value, json};
use store::testing::Fault;
use store::{AnswerEvent, ForwardSettings, Mailbox, MailboxAction};
use test_stack::{TestStack, address, assert_metric, mail_of, metric_texts, now, send_again};

async fn flood(stack: &TestStack, mails: impl Iterator<Item = Value>) -> Metrics {
    use futures_util::StreamExt;
    let run = |event: Value| async move {
        let mut metrics = Metrics::default();
        let response = stack.handle(&event, &mut metrics, now()).await;
        assert_eq!(response["disposition"], "CONTINUE", "{response}");
        metrics
    };
    let runs = futures_util::stream::iter(mails).map(run).buffer_unordered(8);
    runs.fold(Metrics::default(), |mut sum, metrics| async move {
        sum.merge(metrics);
        sum
    })
    .await
}

fn answering(key: &str) -> Mailbox {
    Mailbox {
        actions: vec![MailboxAction::AutoReply {
            from: address("support@shop.example"),
            subject: None,
            text: "We read it soon.".to_owned(),
            every_days: 7,
        }],
        ..Mailbox::new(key.parse().unwrap())
    }
}

/// Mails of random senders, 2,500 of them, or with `POSTROOM_CASES=100` 10,000: two thirds are of one domain, and the others each of a domain of their own. A mailbox that
/// forwards and one that replies get half of them each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_random_senders_causes_no_more_mail_than_the_caps() {
    // A hundredth of the mails for each case of the tests that take long.
    let cases = std::env::var("POSTROOM_CASES")
        .ok()
        .and_then(|text| text.parse::<usize>().ok());
    let mails_sent = cases.map_or(2_500, |cases| (100 * cases).min(10_000));
    let stack = TestStack::new().await;
    let forwarding = Mailbox {
        actions: vec![MailboxAction::Forward {
            to: vec![address("owner@target.example")],
            from: address("forward@shop.example"),
            settings: ForwardSettings::default(),
        }],
        ..Mailbox::new("forwards@shop.example".parse().unwrap())
    };
    stack.store.put_mailbox(&forwarding).await.unwrap();
    stack
        .store
        .put_mailbox(&answering("answers@shop.example"))
        .await
        .unwrap();
    let mails = (0..mails_sent).map(|number| {
        let sender = match number % 3 {
            0 => format!("x@domain-{number}.example"),
            _ => format!("stranger-{number}@flood.example"),
        };
        let recipient = if number % 2 == 0 {
            "forwards@shop.example"
        } else {
            "answers@shop.example"
        };
        mail_of(&sender, number, recipient)
    });
    let metrics = metric_texts(&flood(&stack, mails).await);

    let sent = stack.recipients();
    let forwards = sent.iter().filter(|to| *to == "owner@target.example").count();
    let to_one_domain = sent.iter().filter(|to| to.ends_with("@flood.example")).count();
    let answers = sent.len() - forwards;
    println!(
        "{mails_sent} mails cause {forwards} forwards and {answers} replies, {to_one_domain} of them to one domain"
    );
    let caps = stack.effects.settings.caps;
    assert!(forwards <= caps.forwards.per_mailbox, "{forwards}");
    assert!(answers <= caps.answers.per_mailbox, "{answers}");
    assert!(to_one_domain <= caps.answers.per_domain, "{to_one_domain}");
    // Nearly the whole cap is available: the rows of a counter fill up unevenly.
    let half = mails_sent / 2;
    assert!(forwards * 10 >= half.min(caps.forwards.per_mailbox) * 9, "{forwards}");
    assert!(answers * 10 >= half.min(caps.answers.per_mailbox) * 9, "{answers}");
    if mails_sent >= 2_500 {
        for metric in ["DomainCapReached", "MailboxCapReached"] {
            assert!(
                metrics.iter().any(|text| text.starts_with(metric)),
                "{metric}: {metrics:?}"
            );
        }
    }

    // Nothing is lost: each mail that was stopped is in the index with the reason.
    for (mailbox, sent) in [("forwards@shop.example", forwards), ("answers@shop.example", answers)] {
        let mails = stack
            .store
            .mails(&mailbox.parse().unwrap(), None, mails_sent)
            .await
            .unwrap();
        let capped = |reason: &String| reason.contains("a cap allows") && reason.contains("send-again");
        let stopped = mails.iter().filter(|mail| mail.reasons.iter().any(capped)).count();
        assert_eq!(stopped, mails_sent / 2 - sent, "{mailbox}");
    }
}

#[tokio::test]
async fn each_cap_stops_with_its_reason_and_metric() {
    let cases = [
        (
            "FORWARDS_PER_DOMAIN",
            "forward",
            "DomainCapReached",
            "for the domain of its return path within an hour",
        ),
        (
            "FORWARDS_PER_MAILBOX",
            "forward",
            "MailboxCapReached",
            "of the mailbox within an hour",
        ),
        (
            "FORWARDS_PER_DAY",
            "forward",
            "DailyCapReached",
            "of the stack within a day",
        ),
        (
            "ANSWERS_PER_DOMAIN",
            "auto-reply",
            "DomainCapReached",
            "for the domain of its return path within an hour",
        ),
        (
            "ANSWERS_PER_MAILBOX",
            "auto-reply",
            "MailboxCapReached",
            "of the mailbox within an hour",
        ),
        (
            "ANSWERS_PER_DAY",
            "auto-reply",
            "DailyCapReached",
            "of the stack within a day",
        ),
    ];
    for (variable, kind, metric, of) in cases {
        let stack = TestStack::with_settings(&[(variable, "2")]).await;
        let recipient = if kind == "forward" {
            "info@shop.example"
        } else {
            "support@shop.example"
        };
        let sent_by = |number: usize| mail_of(&format!("s{number}@client.example"), number, recipient);
        let metrics = metric_texts(&flood(&stack, (0..4).map(sent_by)).await);
        assert_eq!(stack.sent_mail().len(), 2, "{variable}");
        let stopped = if kind == "forward" { 6 } else { 2 };
        assert_metric(&metrics, &format!("{metric} {stopped}"));
        assert_metric(&metrics, &format!("Actions{{Kind={kind}, Outcome=capped}} {stopped}"));
        let mails = stack.store.mails(&recipient.parse().unwrap(), None, 9).await.unwrap();
        let reasons: Vec<&String> = mails.iter().flat_map(|mail| &mail.reasons).collect();
        assert!(
            reasons.iter().any(|reason| reason.contains(of)),
            "{variable}: {reasons:?}"
        );
    }
}

/// Each request to the table fails once, and the mail is delivered again. It counts once.
#[tokio::test]
async fn a_retry_of_the_same_mail_counts_once() {
    let event = mail_of("s@client.example", 1, "info@shop.example");
    for fault in [Fault::RequestLost, Fault::ResponseLost] {
        for after in 0..24 {
            let stack = TestStack::with_settings(&[("FORWARDS_PER_MAILBOX", "2"), ("FORWARDS_PER_DAY", "2")]).await;
            stack.requests.fail(fault, after);
            stack.handle_now(&event).await;
            let _ = stack.requests.cancel_fault();
            stack.deliver_handed_over(&mut Metrics::default()).await;
            // A second rule invokes the function for the same mail.
            stack.handle_now(&event).await;
            assert_eq!(stack.sent_mail().len(), 2, "{fault:?} {after}");
            let rows = stack.rows().await;
            for counter in ["domain#client.example", "mailbox#info@shop.example", "day"] {
                let prefix = format!("CAP#forwards#{counter}#");
                let counted = rows.iter().filter(|(key, _)| key.starts_with(&prefix));
                let hashes = |row: &Value| row["ids"].as_str().unwrap().split(' ').next().unwrap().parse::<usize>();
                let counted: usize = counted.map(|(_, row)| hashes(row).unwrap()).sum();
                assert_eq!(counted, 2, "{counter}: {fault:?} {after}");
            }
        }
    }
}

/// Mail that fails SPF does not use up the cap of the domain that it names.
#[tokio::test]
async fn forged_mail_does_not_use_up_the_cap_of_a_domain() {
    let stack = TestStack::with_settings(&[("FORWARDS_PER_DOMAIN", "2")]).await;
    let forged = (0..9).map(|number| {
        let mut event = mail_of(&format!("s{number}@client.example"), number, "info@shop.example");
        event["Records"][0]["ses"]["receipt"]["spfVerdict"] = json!({"status": "GRAY"});
        event
    });
    flood(&stack, forged).await;
    assert_eq!(stack.sent_mail().len(), 2);
    flood(
        &stack,
        [mail_of("s@client.example", 50, "info@shop.example")].into_iter(),
    )
    .await;
    assert_eq!(stack.sent_mail().len(), 4);
}

#[tokio::test]
async fn an_operator_sends_what_a_cap_stopped_once() {
    let stack = TestStack::with_settings(&[("FORWARDS_PER_MAILBOX", "1")]).await;
    let event = mail_of("s@client.example", 1, "info@shop.example");
    stack.handle_now(&event).await;
    assert_eq!(stack.sent_mail().len(), 1);
    let (response, _) = stack.handle_now(&send_again(&event, false)).await;
    assert_eq!(response, json!({"batchItemFailures": []}));
    stack.handle_now(&send_again(&event, false)).await;
    let mut recipients = stack.recipients();
    recipients.sort();
    assert_eq!(
        recipients,
        ["Second@target.example", "owner@target.example"],
        "each target once"
    );
    assert_eq!(stack.messages().len(), 1, "only mail is sent again, no notification");
    let mails = stack.store.mail_by_id("plain--1").await.unwrap();
    assert!(
        mails[0].reasons.contains("forward: sent again for an operator"),
        "{:?}",
        mails[0].reasons
    );

    stack.handle_now(&send_again(&event, true)).await;
    stack.handle_now(&send_again(&event, true)).await;
    assert_eq!(stack.sent_mail().len(), 4, "with repeat, once more to each target");

    // The request counts only in the queue: a receipt rule and SNS cannot carry one.
    let mut forged = event.clone();
    forged["Records"][0]["ses"]["sendAgain"] = json!({"id": "r2", "repeat": true});
    stack.handle_now(&forged).await;
    assert_eq!(stack.sent_mail().len(), 4);
}

#[tokio::test]
async fn a_reply_that_a_cap_stopped_does_not_count_as_a_reply() {
    let stack = TestStack::with_settings(&[("ANSWERS_PER_MAILBOX", "1")]).await;
    let mail = |sender: &str, number| mail_of(sender, number, "support@shop.example");
    stack.handle_now(&mail("a@client.example", 1)).await;
    stack.handle_now(&mail("b@client.example", 2)).await;
    assert_eq!(stack.recipients(), ["a@client.example"]);
    stack.handle_now(&send_again(&mail("b@client.example", 2), false)).await;
    assert_eq!(stack.recipients(), ["a@client.example", "b@client.example"]);
}

#[tokio::test]
async fn an_address_or_domain_whose_answers_bounce_gets_no_more() {
    let stack = TestStack::new().await;
    stack
        .store
        .put_mailbox(&answering("answers@shop.example"))
        .await
        .unwrap();
    let mail = |sender: &str, number| mail_of(sender, number, "answers@shop.example");
    let bounced = AnswerEvent::Bounced;
    stack
        .store
        .count_answer(bounced, "dead@one.example", "m1", now())
        .await
        .unwrap();
    stack.handle_now(&mail("dead@one.example", 1)).await;
    stack.handle_now(&mail("alive@one.example", 2)).await;
    assert_eq!(
        stack.recipients(),
        ["alive@one.example"],
        "one bounce concerns the address"
    );
    for id in ["m1", "m2", "m3"] {
        stack
            .store
            .count_answer(bounced, "many.example", id, now())
            .await
            .unwrap();
        stack
            .store
            .count_answer(bounced, "large.example", id, now())
            .await
            .unwrap();
    }
    for id in 0..31 {
        let sent = AnswerEvent::Sent;
        stack
            .store
            .count_answer(sent, "large.example", &id.to_string(), now())
            .await
            .unwrap();
    }
    stack.handle_now(&mail("a@many.example", 3)).await;
    stack.handle_now(&mail("a@large.example", 4)).await;
    assert_eq!(stack.recipients(), ["a@large.example", "alive@one.example"]);
    let mails = stack.store.mail_by_id("plain--3").await.unwrap();
    let reasons: Vec<_> = mails[0].reasons.iter().collect();
    assert!(
        reasons[0].contains("3 of 3 replies to the domain of the return path bounced"),
        "{reasons:?}"
    );
}
