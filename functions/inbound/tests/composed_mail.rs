//! Mail that Postroom writes itself.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use inbound::mail::compose::{AutoReply, Notice, auto_reply, notice};
use inbound::mail::{AutomaticAction, HeaderBlock, Limits, MailFacts};
use mail_parser::MessageParser;
use notification_model::EmailAddress;

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn facts(mail: &str) -> MailFacts {
    let limits = Limits::default();
    let header = HeaderBlock::parse(mail.as_bytes(), &limits).unwrap();
    MailFacts::read(&header, Some("jane@client.example"), &limits)
}

fn compose_reply(about: &MailFacts, subject: Option<&str>, text: &str) -> Vec<u8> {
    auto_reply(&AutoReply {
        from: &address("\"Shop: help\" <info@shop.example>"),
        to: about.return_path.as_ref().unwrap(),
        subject,
        text,
        about,
        at: "2026-03-03T09:15:02Z".parse().unwrap(),
    })
}

const QUESTION: &str = "From: Jane <jane@other.example>\nReply-To: jane@third.example\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe=0D=0ABcc:_x?=\n\
                     Message-ID: <m2@client.example>\nReferences: <m0@client.example> <m1@client.example>\n\nhello";

/// Asserts that automatic replies to the mail and bounces of it are forbidden, and that SES accepts its lines.
fn assert_automatic(mail: &[u8]) {
    let limits = Limits::default();
    let header = HeaderBlock::parse(mail, &limits).unwrap();
    let facts = MailFacts::read(&header, Some("info@shop.example"), &limits);
    assert!(
        facts
            .forbidding_sign(AutomaticAction::AutoReply, "x@y.example", &[])
            .is_some()
    );
    assert!(
        facts
            .forbidding_sign(AutomaticAction::Bounce, "x@y.example", &[])
            .is_some()
    );
    let text = std::str::from_utf8(mail).unwrap();
    for line in text.split("\r\n") {
        assert!(
            line.len() <= 998 && line.bytes().all(|b| (b' '..=b'~').contains(&b)),
            "{line:?}"
        );
    }
}

#[test]
fn a_reply_is_automatic_in_the_thread_and_to_the_return_path() {
    let reply = compose_reply(&facts(QUESTION), None, "We read your mail within a day.\n\nThe shop\n");
    assert_automatic(&reply);
    insta::assert_snapshot!(String::from_utf8(reply).unwrap().replace("\r\n", "\n"), @r#"
    From: "Shop: help" <info@shop.example>
    To: jane@client.example
    Subject: =?UTF-8?B?QXV0bzogR3LDvMOfZSBCY2M6IHg=?=
    Date: Tue, 3 Mar 2026 09:15:02 +0000
    In-Reply-To: <m2@client.example>
    References: <m0@client.example> <m1@client.example> <m2@client.example>
    Auto-Submitted: auto-replied
    X-Auto-Response-Suppress: All
    MIME-Version: 1.0
    Content-Type: text/plain; charset=utf-8
    Content-Transfer-Encoding: 7bit

    We read your mail within a day.

    The shop
    "#);
}

#[test]
fn a_reply_can_have_text_in_any_script() {
    let text = "Gr\u{fc}\u{df}e \u{1f389}\n.\n\n\u{4f60}\u{597d}\n";
    let reply = compose_reply(&facts(QUESTION), Some("Re: \u{4f60}\u{597d}\r\nBcc: x@y.example"), text);
    assert_automatic(&reply);
    let parsed = MessageParser::default().parse(&reply).unwrap();
    assert_eq!(parsed.subject(), Some("Re: \u{4f60}\u{597d} Bcc: x@y.example"));
    assert_eq!(parsed.body_text(0).unwrap().replace("\r\n", "\n"), text.trim_end());
    assert!(parsed.bcc().is_none());
}

#[test]
fn a_mail_without_fields_can_be_replied_to() {
    let reply = compose_reply(&facts("X: y\n\n"), None, "");
    assert_automatic(&reply);
    let parsed = MessageParser::default().parse(&reply).unwrap();
    assert_eq!(parsed.subject(), Some("Auto: your mail"));
    assert!(parsed.in_reply_to().is_empty());
}

#[test]
fn a_notice_names_author_subject_size_location_and_reason() {
    let notice = notice(&Notice {
        from: &address("forward@shop.example"),
        to: &[address("Owner <owner@target.example>")],
        mailbox: "info@shop.example",
        recipients: &[address("info+news@shop.example")],
        sender: "Jane\r\nBcc: x@y.example <jane@client.example>",
        subject: "The film",
        size: Some(41_234_567),
        location: Some("s3://mail-bucket/inbound/7f3k0s9d8f7g"),
        reason: "the mail has 41234567 octets, more than 40000000",
        at: "2026-03-03T09:15:02Z".parse().unwrap(),
    });
    assert_automatic(&notice);
    insta::assert_snapshot!(String::from_utf8(notice).unwrap().replace("\r\n", "\n"), @r#"
    From: forward@shop.example
    To: "Owner" <owner@target.example>
    Subject: Not forwarded: The film
    Date: Tue, 3 Mar 2026 09:15:02 +0000
    X-Postroom-Forwarded: info@shop.example
    Auto-Submitted: auto-generated
    X-Auto-Response-Suppress: All
    MIME-Version: 1.0
    Content-Type: text/plain; charset=utf-8
    Content-Transfer-Encoding: 7bit

    A mail to info@shop.example was not forwarded to you: the mail has 41234567 octets, more than 40000000.

    From:    Jane Bcc: x@y.example <jane@client.example>
    To:      info+news@shop.example
    Subject: The film
    Size:    41.2 MB
    Mail:    s3://mail-bucket/inbound/7f3k0s9d8f7g
    "#);
}
