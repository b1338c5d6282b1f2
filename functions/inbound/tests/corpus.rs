//! Awkward mails, each with what is read from its header, and the header it is forwarded with.
//!
//! A new case is a new file in `events/inbound/mail`. That the body is the original's, and that no rule of SES's is
//! broken, is asserted, not recorded.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::fmt::Write;

use inbound::mail::forward::rewrite;
use inbound::mail::report::{self, Arrival};
use inbound::mail::{AutomaticAction, Head, Limits, MailFacts};
use notification_model::{Event, SesMessage};
use proptest::prelude::*;

#[test]
fn every_mail_is_read_and_forwarded_as_recorded() {
    insta::with_settings!({ snapshot_path => "snapshots/corpus", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::glob!("../../../events/inbound/mail", "*.eml", |path| {
            let mail = std::fs::read(path).unwrap();
            insta::assert_snapshot!("mail", told(&mail));
        });
    });
}

fn told(mail: &[u8]) -> String {
    let limits = Limits::default();
    let mut out = String::new();
    match Head::parse(mail, &limits) {
        Ok(head) => out.push_str(&told_facts(&head.facts(None, &limits))),
        Err(error) => writeln!(out, "head: {error}").unwrap(),
    }
    match report::read(mail, &limits) {
        Ok(report) => {
            for text in notifications(&report) {
                let value: serde_json::Value = serde_json::from_str(&text).unwrap();
                writeln!(out, "\nreport: {value:#}").unwrap();
            }
        }
        Err(report::ReportError::NotAReport) => {}
        Err(error) => writeln!(out, "\nreport: {error}").unwrap(),
    }
    support::with_rewrite(|how| match rewrite(mail, how, &limits) {
        Ok(forward) => {
            support::check(mail, &forward);
            let header = String::from_utf8(forward.header)
                .unwrap()
                .replace("\r\n", "\n")
                .replace('\t', "<TAB>");
            writeln!(out, "\n{}", header.trim_end()).unwrap();
        }
        Err(error) => writeln!(out, "\nnot forwarded: {error}").unwrap(),
    });
    out
}

fn notifications(report: &report::Report) -> Vec<String> {
    let arrival = Arrival {
        message_id: "7f3k0s9d8f7g6h5j4k3l2m1n0",
        at: "2026-03-03T09:15:02Z".parse().unwrap(),
    };
    let texts = report.notifications(&arrival);
    for text in &texts {
        let SesMessage::Notification(one) = notification_model::parse(text).unwrap() else {
            unreachable!("not about sent mail")
        };
        assert!(matches!(one.event, Event::Bounce(_) | Event::Complaint(_)));
        assert!(one.mail.timestamp <= arrival.at);
    }
    texts
}

fn told_facts(facts: &MailFacts) -> String {
    let mut out = String::new();
    for author in &facts.from {
        let address = author.address.as_ref().map(|address| address.as_str());
        writeln!(out, "author: {:?} {address:?}", author.name.as_deref()).unwrap();
    }
    let reply_to: Vec<_> = facts.reply_to.iter().map(|address| address.as_str()).collect();
    writeln!(out, "reply to: {reply_to:?}").unwrap();
    writeln!(
        out,
        "return path: {:?}",
        facts.return_path.as_ref().map(|address| address.as_str())
    )
    .unwrap();
    writeln!(out, "subject: {:?}", facts.subject).unwrap();
    writeln!(
        out,
        "message id: {:?}, references: {:?}",
        facts.message_id, facts.references
    )
    .unwrap();
    writeln!(
        out,
        "date: {:?}, hops: {}, report: {:?}",
        facts.date, facts.hops, facts.report
    )
    .unwrap();
    for sign in &facts.signs {
        let forbidden: Vec<_> = [
            AutomaticAction::Response,
            AutomaticAction::Bounce,
            AutomaticAction::Forward,
        ]
        .into_iter()
        .filter(|enforcement| sign.forbids(*enforcement, support::MAILBOX))
        .collect();
        writeln!(out, "{sign}: no {forbidden:?}").unwrap();
    }
    out
}

fn corpus() -> Vec<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/inbound/mail");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
    paths.sort();
    assert!(paths.len() >= 45, "the corpus is gone");
    paths.into_iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// What spoils a mail: at a place, so many octets are replaced.
fn spoilt() -> impl Strategy<Value = Vec<u8>> {
    let mails = corpus();
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..4),
        prop::sample::select(vec![
            &b"\r\n"[..],
            b"\n",
            b"\r",
            b"\0",
            b"\r\n\r\n",
            b"\n ",
            b"\n\t",
            b":",
            b",",
            b"<",
            b">",
            b"\"",
            b"\\",
            b"(",
            b";",
            b"@",
            b"=?",
            b"?=",
            b"=?utf-8?q?=0d=0a?=",
            b"=?utf-8?b?DQo=?=",
            b"\xff",
            b"\xc3\xa9",
            b"\xe2\x80\xa8",
            b"\nX-SES-TENANT: x\n",
            b"\nFrom: x@y.example\n",
            b"\nBcc: v@y.example\r\n",
            b"\rSubject: x\r",
            b"--",
            b"boundary=",
            b"undisclosed-recipients:;",
        ])
        .prop_map(<[u8]>::to_vec),
    ];
    let cut = (any::<prop::sample::Index>(), 0_usize..30, piece);
    (prop::sample::select(mails), prop::collection::vec(cut, 1..12)).prop_map(|(mut mail, cuts)| {
        for (at, length, piece) in cuts {
            // Most of what matters happens in the header, at the beginning.
            let at = at.index(mail.len().clamp(1, 3000)).min(mail.len());
            let end = (at + length).min(mail.len());
            mail.splice(at..end, piece);
        }
        mail
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(1000), ..ProptestConfig::default() })]

    #[test]
    fn the_rules_hold_for_spoilt_mails(mail in spoilt()) {
        let limits = Limits::default();
        support::with_rewrite(|how| {
            let forward = rewrite(&mail, how, &limits).expect("within the limits");
            support::check(&mail, &forward);
        });
        if let Ok(report) = report::read(&mail, &limits) {
            notifications(&report);
        }
    }
}
