//! Mail that Postroom writes itself.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use inbound::mail::compose::{AutoReply, Notice, auto_reply, notice};
use inbound::mail::{AutomaticAction, Head, Limits, MailFacts};
use mail_parser::MessageParser;
use notification_model::EmailAddress;

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn facts(mail: &str) -> MailFacts {
    let limits = Limits::default();
    Head::parse(mail.as_bytes(), &limits)
        .unwrap()
        .facts(Some("jane@client.example"), &limits)
}

fn reply(about: &MailFacts, subject: Option<&str>, text: &str) -> Vec<u8> {
    auto_reply(&AutoReply {
        from: &address("\"Shop: help\" <info@shop.example>"),
        to: about.return_path.as_ref().unwrap(),
        subject,
        text,
        about,
        at: "2026-03-03T09:15:02Z".parse().unwrap(),
    })
}

const ASKED: &str = "From: Jane <jane@other.example>\nReply-To: jane@third.example\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe=0D=0ABcc:_x?=\n\
                     Message-ID: <m2@client.example>\nReferences: <m0@client.example> <m1@client.example>\n\nhello";

/// Nobody answers or bounces it, and its lines are as SES takes them.
fn check(mail: &[u8]) {
    let limits = Limits::default();
    let facts = Head::parse(mail, &limits)
        .unwrap()
        .facts(Some("info@shop.example"), &limits);
    assert!(facts.forbidden(AutomaticAction::Response, "x@y.example", &[]).is_some());
    assert!(facts.forbidden(AutomaticAction::Bounce, "x@y.example", &[]).is_some());
    let text = std::str::from_utf8(mail).unwrap();
    for line in text.split("\r\n") {
        assert!(
            line.len() <= 998 && line.bytes().all(|b| (b' '..=b'~').contains(&b)),
            "{line:?}"
        );
    }
}

#[test]
fn an_answer_is_threaded_automatic_and_for_the_return_path() {
    let answer = reply(&facts(ASKED), None, "We read your mail within a day.\n\nThe shop\n");
    check(&answer);
    insta::assert_snapshot!(String::from_utf8(answer).unwrap().replace("\r\n", "\n"));
}

#[test]
fn a_text_in_any_script_arrives() {
    let text = "Gr\u{fc}\u{df}e \u{1f389}\n.\n\n\u{4f60}\u{597d}\n";
    let answer = reply(&facts(ASKED), Some("Re: \u{4f60}\u{597d}\r\nBcc: x@y.example"), text);
    check(&answer);
    let parsed = MessageParser::default().parse(&answer).unwrap();
    assert_eq!(parsed.subject(), Some("Re: \u{4f60}\u{597d} Bcc: x@y.example"));
    assert_eq!(parsed.body_text(0).unwrap().replace("\r\n", "\n"), text.trim_end());
    assert!(parsed.bcc().is_none());
}

#[test]
fn an_answer_to_a_mail_without_anything_is_still_one() {
    let answer = reply(&facts("X: y\n\n"), None, "");
    check(&answer);
    let parsed = MessageParser::default().parse(&answer).unwrap();
    assert_eq!(parsed.subject(), Some("Auto: your mail"));
    assert!(parsed.in_reply_to().is_empty());
}

#[test]
fn a_notice_says_who_what_how_large_where_and_why() {
    let written = notice(&Notice {
        from: &address("forward@shop.example"),
        to: &[address("Owner <owner@target.example>")],
        mailbox: "info@shop.example",
        sender: "Jane\r\nBcc: x@y.example <jane@client.example>",
        subject: "The film",
        size: Some(41_234_567),
        location: Some("s3://mail-bucket/inbound/7f3k0s9d8f7g"),
        reason: "it is larger than SES sends",
        at: "2026-03-03T09:15:02Z".parse().unwrap(),
    });
    check(&written);
    insta::assert_snapshot!(String::from_utf8(written).unwrap().replace("\r\n", "\n"));
}
