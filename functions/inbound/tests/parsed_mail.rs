//! Parsed mail for programs: what a notification has, and the bounds for hostile mail.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]
#![expect(clippy::panic, reason = "a mock fails by panicking")]

mod test_stack;

use std::time::{Duration, Instant};

use inbound::mail::Limits;
use inbound::mail::parsed::{ParseMailError, parse};
use lambda_kit::Metrics;
use serde_json::{Value, json};
use store::{Mailbox, MailboxAction, NotifyContent, NotifyTarget};
use test_stack::{QUEUE, TestStack, event_for, event_with_id};

const TOP: &str = "From: jane@client.example\r\nTo: orders@shop.example\r\nSubject: =?utf-8?Q?Bestellung_=C3=BC?=\r\nMIME-Version: 1.0\r\n";

async fn stack() -> TestStack {
    let stack = TestStack::new().await;
    let mailbox = Mailbox {
        actions: vec![MailboxAction::Notify {
            target: NotifyTarget::Queue(QUEUE.to_owned()),
            content: NotifyContent::Parsed,
        }],
        ..Mailbox::new("orders@shop.example".parse().unwrap())
    };
    stack.store.put_mailbox(&mailbox).await.unwrap();
    stack
}

/// The notification about a mail.
async fn notification(stack: &TestStack, mail: Vec<u8>) -> Value {
    stack.put_object("order--1", mail);
    let mut event = event_with_id("forward", "order--1");
    event["Records"][0]["ses"]["receipt"]["recipients"] = json!(["orders@shop.example"]);
    stack.handle_now(&event).await;
    let messages = stack.messages();
    let [(kind, _, message)] = messages.as_slice() else {
        panic!("{messages:?}")
    };
    assert_eq!(*kind, "queued");
    assert!(
        message.to_string().len() < 256 * 1024,
        "{} octets",
        message.to_string().len()
    );
    message.clone()
}

fn order(text: &str) -> Vec<u8> {
    let mail = format!(
        "{TOP}Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Hello</p>\r\n--b--\r\n\
         --a\r\nContent-Type: application/pdf; name=\"../order.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"../order.pdf\"\r\n\r\nJVBERi0xLjQ=\r\n--a--\r\n"
    );
    mail.into_bytes()
}

#[tokio::test]
async fn a_notification_has_text_html_headers_and_attachments() {
    let stack = stack().await;
    let message = notification(&stack, order("Hello")).await;
    assert_eq!(
        (&message["type"], &message["version"]),
        (&json!("MailReceived"), &json!(1))
    );
    let mail = &message["mail"];
    assert_eq!(mail["text"], json!({"content": "Hello"}));
    assert_eq!(mail["html"], json!({"content": "<p>Hello</p>"}));
    assert_eq!(
        mail["headers"][2],
        json!({"name": "Subject", "value": "Bestellung \u{fc}"})
    );
    assert_eq!(
        (&mail["headersTruncated"], &mail["attachmentsOmitted"]),
        (&json!(false), &json!(0))
    );
    let location = json!({"bucket": "postroom-mail", "key": "parsed/order--1/attachment-1"});
    let attachment = json!({
        "name": "../order.pdf", "type": "application/pdf", "contentId": null, "sizeBytes": 8, "location": location,
    });
    assert_eq!(mail["attachments"], json!([attachment]));
    assert_eq!(stack.services().objects["parsed/order--1/attachment-1"], b"%PDF-1.4");
}

#[tokio::test]
async fn a_long_text_is_an_object_and_headers_are_bounded() {
    let stack = stack().await;
    let text = "\u{1}x".repeat(100_000);
    let mut mail = order(&text);
    let fields: String = (0..200)
        .map(|number| format!("X-Field-{number}: {}\r\n", "y".repeat(900)))
        .collect();
    mail.splice(0..0, fields.into_bytes());
    let message = notification(&stack, mail).await;
    let location = json!({"bucket": "postroom-mail", "key": "parsed/order--1/text"});
    assert_eq!(
        message["mail"]["text"],
        json!({"sizeBytes": text.len(), "location": location})
    );
    assert_eq!(stack.services().objects["parsed/order--1/text"], text.as_bytes());
    assert_eq!(message["mail"]["headersTruncated"], json!(true));
}

#[tokio::test]
async fn a_mail_beyond_the_limits_has_the_reason_instead() {
    let stack = stack().await;
    let parts = "--a\r\n\r\nx\r\n".repeat(300);
    let mail = format!("{TOP}Content-Type: multipart/mixed; boundary=a\r\n\r\n{parts}--a--\r\n");
    let message = notification(&stack, mail.into_bytes()).await;
    assert_eq!(message["mail"], Value::Null);
    assert_eq!(
        message["mailProblem"],
        "the mail has more than 200 parts, or they are nested too deeply"
    );
}

#[tokio::test]
async fn a_part_that_cannot_be_stored_is_retried() {
    let stack = stack().await;
    stack.fail("s3-put", "SlowDown");
    stack.put_object("plain--1", order("Hello"));
    let (_, _) = stack.handle_now(&event_for(&["orders@shop.example"])).await;
    assert!(stack.messages().is_empty());
    stack.succeed("s3-put");
    assert_eq!(stack.deliver_handed_over(&mut Metrics::default()).await, 0);
    assert_eq!(stack.messages().len(), 1);
}

/// The parser keeps each part in memory and releases nested messages recursively, so the tree is limited before it is built.
#[test]
fn hostile_trees_are_rejected_in_time() {
    let limits = Limits::default();
    let nested = |line: &str| {
        let head = format!("{TOP}{line}\r\n\r\n");
        format!("{head}{}", format!("{line}\r\n\r\n").repeat(500_000)).into_bytes()
    };
    let open = "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n".repeat(300_000);
    let mails = [
        ("nested messages", nested("Content-Type: message/rfc822")),
        ("nested messages, folded", nested("Content-Type:\r\n message/RFC822")),
        ("nested global messages", nested("content-type: MESSAGE/global")),
        (
            "nested multiparts",
            format!("{TOP}Content-Type: multipart/mixed; boundary=b\r\n\r\n{open}").into_bytes(),
        ),
        (
            "nested digests",
            format!(
                "{TOP}Content-Type: multipart/digest; boundary=b\r\n\r\n{}",
                "--b\r\n\r\n".repeat(1_000_000)
            )
            .into_bytes(),
        ),
        (
            "a million parts",
            format!(
                "{TOP}Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
                "--b\r\n\r\n".repeat(1_000_000)
            )
            .into_bytes(),
        ),
        (
            "missing boundaries",
            nested("Content-Type: multipart/mixed; boundary=missing"),
        ),
    ];
    for (name, mail) in mails {
        let start = Instant::now();
        let result = parse(&mail, &limits).map(|_| ());
        assert_eq!(result, Err(ParseMailError::TooManyParts { limit: 200 }), "{name}");
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{name}: {:?}",
            start.elapsed()
        );
    }
    // The most that is parsed: many nested parts and long lines.
    let line = "Content-Type: multipart/mixed; boundary=missing\r\n\r\n";
    let most = format!("{TOP}{}{}", line.repeat(99), "x".repeat(30_000_000));
    let start = Instant::now();
    let _ = parse(most.as_bytes(), &limits);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn every_unusual_mail_is_parsed_or_rejected() {
    let limits = Limits::default();
    let mut parsed = 0;
    for file in std::fs::read_dir("../../events/inbound/mail").unwrap() {
        let mail = std::fs::read(file.unwrap().path()).unwrap();
        if let Ok(content) = parse(&mail, &limits) {
            parsed += 1;
            let size: usize = content
                .attachments
                .iter()
                .map(|attachment| attachment.content.len())
                .sum();
            assert!(size <= 2 * mail.len());
        }
    }
    assert!(parsed > 50, "{parsed}");
}
