//! What each sign of automatic mail forbids. The documentation of the mail module has the table.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use inbound::mail::{AutomaticAction, HeaderBlock, Limits, MailFacts};

const MAILBOX: &str = "info@shop.example";

/// The actions that a field forbids: `a` for auto-reply, `b` for bounce, `f` for forward.
fn forbidden(field: &str, envelope_from: &str) -> String {
    let mail = format!("From: Jane <jane@client.example>\r\n{field}\r\n\r\nbody");
    let limits = Limits::default();
    let header = HeaderBlock::parse(mail.as_bytes(), &limits).unwrap();
    let facts = MailFacts::read(&header, Some(envelope_from), &limits);
    [
        (AutomaticAction::AutoReply, 'a'),
        (AutomaticAction::Bounce, 'b'),
        (AutomaticAction::Forward, 'f'),
    ]
    .into_iter()
    .filter(|(action, _)| facts.forbidding_sign(*action, MAILBOX, &[]).is_some())
    .map(|(_, letter)| letter)
    .collect()
}

#[test]
fn a_field_forbids_the_documented_actions() {
    let cases = [
        ("X-Other: value", ""),
        ("Auto-Submitted: no", ""),
        ("Auto-Submitted: NO (a person wrote this)", ""),
        ("Auto-Submitted: auto-generated", "ab"),
        ("auto-submitted: auto-replied; owner-email=\"x@y.example\"", "ab"),
        ("Auto-Submitted:\r\n auto-notified", "ab"),
        ("Precedence: bulk", "a"),
        ("Precedence: LIST", "a"),
        ("Precedence: junk", "ab"),
        ("Precedence: auto_reply", "ab"),
        ("Precedence: first-class", ""),
        ("List-Id: <news.client.example>", "a"),
        ("List-Unsubscribe: <mailto:x@client.example>", "a"),
        ("Feedback-ID: 1:2:3:esp", "a"),
        ("X-Auto-Response-Suppress: None", ""),
        ("X-Auto-Response-Suppress: DR, RN, NRN", ""),
        ("X-Auto-Response-Suppress: OOF, AutoReply", "a"),
        ("X-Auto-Response-Suppress: All", "ab"),
        ("X-Auto-Response-Suppress: DR, NDR", "ab"),
        ("X-Autoreply: yes", "ab"),
        ("X-Autorespond: no", ""),
        ("X-Autorespond: away", "ab"),
        (
            "Content-Type: multipart/report; report-type=delivery-status; boundary=x",
            "ab",
        ),
        (
            "Content-Type: Multipart/Report; Report-Type=\"Feedback-Report\"; boundary=x",
            "ab",
        ),
        ("Content-Type: multipart/report; boundary=x", "ab"),
        ("Content-Type: multipart/mixed; boundary=x", ""),
        ("X-Postroom-Forwarded: other@shop.example", "ab"),
        ("X-Postroom-Forwarded: Info@Shop.Example", "abf"),
        ("X-POSTROOM-FORWARDED: info@shop.example", "abf"),
    ];
    for (field, expected) in cases {
        assert_eq!(forbidden(field, "jane@client.example"), expected, "{field}");
    }
    let forwards = ["X-Postroom-Forwarded: x@elsewhere.example"; 5].join("\r\n");
    assert_eq!(forbidden(&forwards, "jane@client.example"), "abf");
    assert_eq!(forbidden(&["Received: x"; 50].join("\r\n"), "jane@client.example"), "");
    assert_eq!(
        forbidden(&["Received: x"; 51].join("\r\n"), "jane@client.example"),
        "abf"
    );
}

#[test]
fn an_envelope_sender_forbids_the_documented_actions() {
    let cases = [
        ("jane@client.example", ""),
        ("", "ab"),
        ("<>", "ab"),
        ("MAILER-DAEMON@client.example", "ab"),
        ("postmaster@client.example", "ab"),
        ("No-Reply@client.example", "a"),
        ("do_not_reply@client.example", "a"),
        ("bounces+1-jane=shop.example@client.example", "a"),
        ("bounce@client.example", "a"),
        ("owner-list@client.example", "a"),
        ("list-request@client.example", "a"),
        ("list-bounces@client.example", "a"),
        ("listserv@client.example", "a"),
        ("bouncer@client.example", ""),
        ("ownership@client.example", ""),
        ("nora.eply@client.example", ""),
    ];
    for (envelope, expected) in cases {
        assert_eq!(forbidden("X: y", envelope), expected, "{envelope}");
    }
}

#[test]
fn without_an_envelope_sender_the_first_return_path_field_is_used() {
    let limits = Limits::default();
    let facts_of = |mail: &str| {
        let header = HeaderBlock::parse(mail.as_bytes(), &limits).unwrap();
        let facts = MailFacts::read(&header, None, &limits);
        (
            facts.return_path.as_ref().map(|address| address.as_str().to_owned()),
            facts.forbidding_sign(AutomaticAction::Bounce, MAILBOX, &[]).is_some(),
        )
    };
    assert_eq!(
        facts_of("Return-Path: <>\nReturn-Path: <x@y.example>\n\n"),
        (None, true)
    );
    assert_eq!(
        facts_of("Return-Path: <x@y.example>\n\n"),
        (Some("x@y.example".to_owned()), false)
    );
    assert_eq!(facts_of("Subject: x\n\n"), (None, false));
}
