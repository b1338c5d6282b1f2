//! Every sign of automatic mail, and what it forbids: the table of the mail module, case by case.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use inbound::mail::{AutomaticAction, Head, Limits};

const MAILBOX: &str = "info@shop.example";

/// What a field forbids, as letters: `a`nswer, `b`ounce, `f`orward.
fn forbidden(field: &str, envelope_from: &str) -> String {
    let mail = format!("From: Jane <jane@client.example>\r\n{field}\r\n\r\nbody");
    let limits = Limits::default();
    let facts = Head::parse(mail.as_bytes(), &limits)
        .unwrap()
        .facts(Some(envelope_from), &limits);
    [
        (AutomaticAction::Response, 'a'),
        (AutomaticAction::Bounce, 'b'),
        (AutomaticAction::Forward, 'f'),
    ]
    .into_iter()
    .filter(|(enforcement, _)| facts.forbidden(*enforcement, MAILBOX, &[]).is_some())
    .map(|(_, letter)| letter)
    .collect()
}

#[test]
fn every_sign_forbids_what_the_table_says() {
    let cases = [
        ("X-Nothing: special", ""),
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
    let hops = ["X-Postroom-Forwarded: x@elsewhere.example"; 5].join("\r\n");
    assert_eq!(forbidden(&hops, "jane@client.example"), "abf");
    assert_eq!(forbidden(&["Received: x"; 50].join("\r\n"), "jane@client.example"), "");
    assert_eq!(
        forbidden(&["Received: x"; 51].join("\r\n"), "jane@client.example"),
        "abf"
    );
}

#[test]
fn the_envelope_sender_is_a_sign_too() {
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
fn without_an_envelope_the_return_path_that_ses_wrote_counts() {
    let limits = Limits::default();
    let of = |mail: &str| {
        let facts = Head::parse(mail.as_bytes(), &limits).unwrap().facts(None, &limits);
        (
            facts.return_path.as_ref().map(|address| address.as_str().to_owned()),
            facts.forbidden(AutomaticAction::Bounce, MAILBOX, &[]).is_some(),
        )
    };
    assert_eq!(of("Return-Path: <>\nReturn-Path: <x@y.example>\n\n"), (None, true));
    assert_eq!(
        of("Return-Path: <x@y.example>\n\n"),
        (Some("x@y.example".to_owned()), false)
    );
    assert_eq!(of("Subject: x\n\n"), (None, false));
}
