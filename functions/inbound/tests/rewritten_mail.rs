//! The mails under `events/inbound/mail`: what is read from their headers, and how they are forwarded.
//!
//! `snapshots/mail.snap` has each mail: its facts, each header field that the forward adds or changes, and the names of the
//! dropped fields. `snapshots/forward@*.snap` have the whole header of some forwards. A new mail is a new file.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod forward_rules;

use inbound::mail::forward::{ForwardMark, Rewrite, rewrite};
use inbound::mail::report::{self, Arrival};
use inbound::mail::{AutomaticAction, HeaderBlock, Limits, MailFacts};
use notification_model::{Event, SesMessage};
use proptest::prelude::*;

const FOLDER: &str = "../../events/inbound/mail";

/// Mails whose forward is recorded as a whole.
const WHOLE_FORWARDS: [&str; 10] = [
    "bounce-ses",
    "duplicate-headers",
    "encoded-word-with-crlf",
    "gmail",
    "group-from",
    "mailing-list",
    "many-hops",
    "raw-utf8-headers",
    "resent-before",
    "steering-headers",
];

#[test]
fn each_mail_has_the_recorded_facts_and_forward() {
    let mut report = String::new();
    for (name, mail) in mails() {
        report.push_str(&format!("{name}\n"));
        for line in describe_mail(&mail) {
            report.push_str(&format!("  {line}\n"));
        }
    }
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("mail", report);
    });
}

#[test]
fn typical_mails_have_the_recorded_forward() {
    for name in WHOLE_FORWARDS {
        let mail = std::fs::read(format!("{FOLDER}/{name}.eml")).unwrap();
        let header = forward_header(&mail).unwrap();
        insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true, snapshot_suffix => name}, {
            insta::assert_snapshot!("forward", header.trim_end());
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(1000), ..ProptestConfig::default() })]

    #[test]
    fn forwards_of_damaged_mails_satisfy_the_rules(mail in damaged_mail()) {
        let limits = Limits::default();
        forward_rules::with_rewrite(|parameters| {
            let forward = rewrite(&mail, parameters, &limits).expect("the mail is within the limits");
            forward_rules::assert_forward_rules(&mail, &forward);
        });
        if let Ok(report) = report::read(&mail, &limits) {
            notifications(&report);
        }
    }
}

/// The value of a header field in the forward of a mail, in one line and decoded.
fn forwarded_field(name: &str, field: &str, mark: ForwardMark) -> Option<String> {
    let mail = std::fs::read(format!("{FOLDER}/{name}.eml")).unwrap();
    forward_rules::with_rewrite(|parameters| {
        let parameters = Rewrite { mark, ..*parameters };
        let forward = rewrite(&mail, &parameters, &Limits::default()).unwrap();
        forward_rules::assert_forward_rules(&mail, &forward);
        let whole = forward.to_vec();
        HeaderBlock::parse(&whole, &Limits::default()).unwrap().text(field)
    })
}

#[test]
fn awkward_header_fields_reach_the_reader() {
    let cases = [
        // The forward has the envelope recipient, and not what the sender claims about it.
        ("bcc-catch-all", "X-Original-To", Some("info+news@shop.example")),
        ("bcc-catch-all", "Envelope-To", None),
        ("bcc-catch-all", "Delivered-To", None),
        ("plain", "X-Original-To", Some("info+news@shop.example")),
        // SES rejects these parameters.
        ("parameter-without-value", "Content-Type", Some("text/plain")),
        (
            "parameter-with-spaces",
            "Content-Type",
            Some("application/pdf; name=\"our offer 2026.pdf\""),
        ),
        (
            "parameter-with-spaces",
            "Content-Disposition",
            Some("attachment; filename=\"our offer 2026.pdf\"; size=4"),
        ),
        // SES rejects these addresses in Reply-To.
        ("author-with-nonascii-local-part", "Reply-To", None),
        ("author-with-two-dots", "Reply-To", None),
        (
            "author-with-two-dots",
            "From",
            Some(
                "\"Keitai (taro..yamada at mobile.example) - a reply does not reach this address, write to it directly\" \
                 <forward@shop.example>",
            ),
        ),
        // The character set that the mail declares, for itself or for its first part.
        (
            "windows-1251-raw",
            "Subject",
            Some("\u{41f}\u{440}\u{438}\u{432}\u{435}\u{442}, \u{437}\u{430}\u{43a}\u{430}\u{437}"),
        ),
        (
            "windows-1251-raw-multipart",
            "Subject",
            Some("\u{41f}\u{440}\u{438}\u{432}\u{435}\u{442}, \u{437}\u{430}\u{43a}\u{430}\u{437}"),
        ),
    ];
    for (name, field, expected) in cases {
        let found = forwarded_field(name, field, ForwardMark::None);
        assert_eq!(found.as_deref(), expected, "{name}: {field}");
    }
}

#[test]
fn octets_in_an_unknown_character_set_are_kept() {
    let mail = std::fs::read(format!("{FOLDER}/unknown-8bit-subject.eml")).unwrap();
    let header = forward_header(&mail).unwrap();
    let words = "=?unknown-8bit?Q?=CF=F0=E8=E2=E5=F2=2C_=E7=E0=EA=E0=E7?=";
    assert!(header.contains(&format!("Subject: {words}")), "{header}");
    assert!(header.contains("name*=unknown-8bit''%E7.txt"), "{header}");
}

#[test]
fn a_mark_is_in_the_name_or_in_the_subject() {
    let field = |field: &str, mark| forwarded_field("plain", field, mark).unwrap();
    assert!(field("From", ForwardMark::Name).starts_with("\"[DMARC failed] Jane Doe (jane at client.example)\""));
    assert_eq!(field("Subject", ForwardMark::Name), "Order 4711");
    assert_eq!(field("Subject", ForwardMark::Subject), "[DMARC failed] Order 4711");
    assert!(!field("From", ForwardMark::Subject).contains("DMARC"));
    assert!(!field("From", ForwardMark::None).contains("DMARC"));
    let without_subject = forwarded_field("empty-body", "Subject", ForwardMark::Subject);
    assert!(without_subject.is_some_and(|subject| subject.starts_with("[DMARC failed]")));
}

/// The mails in the folder, by name.
fn mails() -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(FOLDER).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .collect();
    files.sort();
    assert!(files.len() >= 45, "mails are missing");
    let read = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read(path).unwrap())
    };
    files.into_iter().map(read).collect()
}

fn describe_mail(mail: &[u8]) -> Vec<String> {
    let limits = Limits::default();
    let mut lines = match HeaderBlock::parse(mail, &limits) {
        Ok(header) => describe_facts(&MailFacts::read(&header, None, &limits)),
        Err(error) => vec![format!("header error: {error}")],
    };
    match report::read(mail, &limits) {
        Ok(report) => lines.extend(
            notifications(&report)
                .iter()
                .map(|text| format!("notification: {text}")),
        ),
        Err(report::ReportError::NotAReport) => {}
        Err(error) => lines.push(format!("report error: {error}")),
    }
    match forward_header(mail) {
        Ok(header) => lines.extend(describe_changes(mail, &header)),
        Err(error) => lines.push(format!("not forwarded: {error}")),
    }
    lines
}

fn describe_facts(facts: &MailFacts) -> Vec<String> {
    let authors: Vec<_> = facts
        .from
        .iter()
        .map(|author| {
            let address = author.address.as_ref().map_or("no address", |address| address.as_str());
            format!("{:?} {address}", author.name.as_deref().unwrap_or_default())
        })
        .collect();
    let reply_to: Vec<_> = facts.reply_to.iter().map(|address| address.as_str()).collect();
    let return_path = facts.return_path.as_ref().map_or("none", |address| address.as_str());
    let date = facts.date.map_or_else(|| "none".to_owned(), |date| date.to_string());
    let received_fields = facts.received_fields;
    let mut lines = vec![
        format!(
            "from: {}; reply to: {}; return path: {return_path}",
            authors.join(", "),
            reply_to.join(", ")
        ),
        format!("subject: {}", shorten(facts.subject.as_deref().unwrap_or("none"))),
        format!("date: {date}; received fields: {received_fields}"),
        format!(
            "message id: {}; references: [{}]",
            facts.message_id.as_deref().unwrap_or("none"),
            facts.references.join(" ")
        ),
    ];
    lines.extend(facts.report.map(|report| format!("report: {report:?}")));
    for sign in &facts.signs {
        let actions = [
            AutomaticAction::AutoReply,
            AutomaticAction::Bounce,
            AutomaticAction::Forward,
        ];
        let forbidden = actions
            .into_iter()
            .filter(|action| sign.forbids(*action, forward_rules::MAILBOX));
        lines.push(format!("sign: {sign}; forbids {:?}", forbidden.collect::<Vec<_>>()));
    }
    lines
}

/// The header block of the forward, after the rules were checked.
fn forward_header(mail: &[u8]) -> Result<String, String> {
    forward_rules::with_rewrite(|parameters| {
        let forward = rewrite(mail, parameters, &Limits::default()).map_err(|error| error.to_string())?;
        forward_rules::assert_forward_rules(mail, &forward);
        let header = String::from_utf8(forward.header).unwrap();
        Ok(header.replace("\r\n", "\n").replace('\t', "<TAB>"))
    })
}

/// The fields that the forward adds or changes, and the names of the original fields that it drops. Fields that are the same in
/// every forward are left out, and long values are shortened.
fn describe_changes(mail: &[u8], forward: &str) -> Vec<String> {
    const IN_EVERY_FORWARD: [&str; 6] = [
        "X-Postroom-Forwarded: info@shop.example",
        "X-Postroom-Verdicts: spam=PASS; virus=PASS; spf=PASS; dkim=GRAY; dmarc=PASS",
        "Resent-From: forward@shop.example",
        "Resent-To: owner@target.example",
        "Resent-Date: Tue, 3 Mar 2026 09:15:02 +0000",
        "Resent-Message-ID: <7f3k0s9d8f7g6h5j4k3l2m1n0.forward@shop.example>",
    ];
    let limits = Limits::default();
    let Ok(original) = HeaderBlock::parse(mail, &limits) else {
        return vec![];
    };
    let field_text = |name: &str, value: &[u8]| {
        let value = String::from_utf8_lossy(value)
            .replace("\r\n", "\n")
            .replace('\t', "<TAB>");
        format!("{name}:{value}")
    };
    let original: Vec<String> = original
        .fields()
        .iter()
        .map(|field| field_text(field.name(), field.raw_value()))
        .collect();
    let forward = HeaderBlock::parse(forward.as_bytes(), &limits).unwrap();
    let forward: Vec<String> = forward
        .fields()
        .iter()
        .map(|field| field_text(field.name(), field.raw_value()))
        .collect();
    let is_new = |field: &&String| !original.contains(field) && !IN_EVERY_FORWARD.contains(&field.as_str());
    let added = forward
        .iter()
        .filter(is_new)
        .map(|field| format!("+ {}", shorten(field)));
    let name = |field: &String| field.split(':').next().unwrap_or_default().to_owned();
    let kept: Vec<String> = forward.iter().map(|field| name(field).to_ascii_lowercase()).collect();
    let dropped: Vec<String> = original
        .iter()
        .map(name)
        .filter(|name| !kept.contains(&name.to_ascii_lowercase()))
        .collect();
    let dropped = (!dropped.is_empty()).then(|| shorten(&format!("dropped: {}", dropped.join(", "))));
    added.chain(dropped).collect()
}

/// A text in one line. The middle of a long text is left out.
fn shorten(text: &str) -> String {
    let line = text
        .escape_debug()
        .to_string()
        .replace("\\\"", "\"")
        .replace("\\'", "'");
    let length = line.chars().count();
    if length <= 300 {
        return line;
    }
    let first: String = line.chars().take(220).collect();
    let last: String = line.chars().skip(length - 60).collect();
    format!("{first} ... {last} ({length} characters)")
}

/// The notifications of a report. Asserts that they are valid.
fn notifications(report: &report::Report) -> Vec<String> {
    let arrival = Arrival {
        message_id: "7f3k0s9d8f7g6h5j4k3l2m1n0",
        at: "2026-03-03T09:15:02Z".parse().unwrap(),
    };
    let texts = report.notifications(&arrival);
    for text in &texts {
        let SesMessage::Notification(notification) = notification_model::parse(text).unwrap() else {
            unreachable!("a report gives notifications about sent mail")
        };
        assert!(matches!(notification.event, Event::Bounce(_) | Event::Complaint(_)));
        assert!(notification.mail.timestamp <= arrival.at);
    }
    texts
}

/// A mail in which some octets are replaced, mostly in the header.
fn damaged_mail() -> impl Strategy<Value = Vec<u8>> {
    let mails: Vec<Vec<u8>> = mails().into_iter().map(|(_, mail)| mail).collect();
    let replacement = prop_oneof![
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
    let damage = (any::<prop::sample::Index>(), 0_usize..30, replacement);
    let damages = prop::collection::vec(damage, 1..12);
    (prop::sample::select(mails), damages).prop_map(|(mut mail, damages)| {
        for (at, length, replacement) in damages {
            let at = at.index(mail.len().clamp(1, 3000)).min(mail.len());
            let end = (at + length).min(mail.len());
            mail.splice(at..end, replacement);
        }
        mail
    })
}
