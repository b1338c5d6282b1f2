//! Hostile mail: processing time and memory are bounded.
//!
//! The bounds leave room for a slow machine and a build without optimisation. They detect time that grows with the square of
//! the input, and memory that grows with the number of parts.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod forward_rules;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use inbound::mail::forward::{ForwardError, rewrite};
use inbound::mail::report::{self, Arrival, ReportError};
use inbound::mail::{AutomaticAction, HeaderBlock, HeaderError, Limits, MailFacts};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The allocator counts the whole process, so the tests run one after another.
static EXCLUSIVE: Mutex<()> = Mutex::new(());

fn run_exclusively() -> MutexGuard<'static, ()> {
    EXCLUSIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

const MEGABYTE: usize = 1_000_000;

/// Reads the facts, the forward and the report of a mail. Asserts the bounds of time and memory.
fn process(name: &str, mail: &[u8]) -> Outcome {
    let limits = Limits::default();
    let (before, start) = (MEMORY.current_usage(), Instant::now());
    MEMORY.reset_peak_usage();
    let header = HeaderBlock::parse(mail, &limits).map(|header| MailFacts::read(&header, None, &limits));
    let forward = forward_rules::with_rewrite(|parameters| rewrite(mail, parameters, &limits));
    let report = report::read(mail, &limits).map(|report| {
        report.notifications(&Arrival {
            message_id: "m1",
            at: "2026-03-03T09:15:02Z".parse().unwrap(),
        })
    });
    let (duration, peak_bytes) = (start.elapsed(), MEMORY.peak_usage().saturating_sub(before));
    assert!(duration < Duration::from_secs(10), "{name} took {duration:?}");
    assert!(peak_bytes < 24 * MEGABYTE, "{name} took {peak_bytes} bytes");
    if let Ok(forward) = &forward {
        forward_rules::assert_forward_rules(mail, forward);
    }
    for text in report.iter().flatten() {
        notification_model::parse(text).unwrap();
    }
    Outcome {
        header: header.map(|_| ()),
        forward: forward.map(|_| ()),
        report: report.map(|notifications| notifications.len()),
    }
}

#[derive(Debug)]
struct Outcome {
    header: Result<(), HeaderError>,
    forward: Result<(), ForwardError>,
    report: Result<usize, ReportError>,
}

const TOP: &str = "From: jane@client.example\r\nTo: info@shop.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n";

fn with_type(content_type: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let mut mail = format!("{TOP}Content-Type: {content_type}\r\n\r\n").into_bytes();
    mail.extend_from_slice(body.as_ref());
    mail
}

#[test]
fn a_million_parts_need_no_more_memory() {
    let _guard = run_exclusively();
    let outcome = process(
        "a million parts",
        &with_type("multipart/mixed; boundary=x", "--x\r\n\r\n".repeat(1_000_000)),
    );
    outcome.forward.unwrap();
    assert_eq!(outcome.report, Err(ReportError::NotAReport));
    let report = with_type(
        "multipart/report; boundary=x; report-type=delivery-status",
        "--x\r\n\r\n".repeat(1_000_000),
    );
    assert_eq!(
        process("a report of a million parts", &report).report,
        Err(ReportError::NotAReport)
    );
}

#[test]
fn nested_parts_are_not_parsed() {
    let _guard = run_exclusively();
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(1_000_000);
    process("nested messages", &with_type("message/rfc822", &nested))
        .forward
        .unwrap();
    let multiparts: String = (0..200_000)
        .map(|n| format!("--{n}\r\nContent-Type: multipart/mixed; boundary={}\r\n\r\n", n + 1))
        .collect();
    process(
        "nested multiparts",
        &with_type("multipart/report; boundary=0", &multiparts),
    )
    .forward
    .unwrap();
    let in_report = format!(
        "--r\r\nContent-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\nAction: failed\r\n\r\n--r\r\nContent-Type: message/rfc822\r\n\r\n{}",
        &nested.get(..MEGABYTE * 8).unwrap()
    );
    assert_eq!(
        process(
            "nested messages in a report",
            &with_type("multipart/report; boundary=r", in_report)
        )
        .report,
        Ok(1)
    );
}

#[test]
fn forty_megabytes_are_forwarded_without_a_copy_and_a_larger_mail_is_an_error() {
    let _guard = run_exclusively();
    let limits = Limits::default();
    let fits = with_type("text/plain", vec![b'a'; 39_990_000]);
    process("40 MB", &fits).forward.unwrap();
    let too_large = with_type("text/plain", vec![b'a'; 40_000_000]);
    let error = process("more than 40 MB", &too_large).forward.unwrap_err();
    assert!(matches!(error, ForwardError::TooLarge { size, limit } if size > limit && limit == limits.forward_bytes));
    let report = with_type("multipart/report; boundary=r", vec![b'\n'; 40_000_000]);
    assert!(matches!(
        process("a report of 40 MB", &report).report,
        Err(ReportError::TooLarge { .. })
    ));
    let lines = with_type("multipart/report; boundary=r", vec![b'\n'; 9_000_000]);
    assert_eq!(
        process("nine million lines", &lines).report,
        Err(ReportError::NotAReport)
    );
}

#[test]
fn a_header_beyond_the_limits_is_an_error() {
    let _guard = run_exclusively();
    let limits = Limits::default();
    let many = format!("{}\r\nbody", "X: y\r\n".repeat(100_000));
    let outcome = process("100,000 headers", many.as_bytes());
    assert_eq!(
        outcome.header,
        Err(HeaderError::TooManyFields {
            limit: limits.header_fields
        })
    );
    let long_ones = format!("{}\r\nbody", format!("X: {}\r\n", "y".repeat(900)).repeat(900));
    assert_eq!(
        process("900 long headers", long_ones.as_bytes()).header,
        Err(HeaderError::TooLong {
            limit: limits.header_bytes
        })
    );
    let long = format!("X: {}\r\n\r\nbody", "y".repeat(40 * MEGABYTE));
    assert_eq!(
        process("one header of 40 MB", long.as_bytes()).header,
        Err(HeaderError::TooLong {
            limit: limits.header_bytes
        })
    );
    let endless = "X: y\r\n".repeat(10);
    assert_eq!(
        HeaderBlock::parse_beginning(endless.as_bytes(), &limits).err(),
        Some(HeaderError::Incomplete)
    );
    let exact = format!("X: {}\r\n\r\n", "y".repeat(limits.header_bytes - 7));
    HeaderBlock::parse(exact.as_bytes(), &limits).map(|_| ()).unwrap();
    let above = format!("X: {}\r\n\r\n", "y".repeat(limits.header_bytes - 6));
    assert_eq!(
        HeaderBlock::parse(above.as_bytes(), &limits).err(),
        Some(HeaderError::TooLong {
            limit: limits.header_bytes
        })
    );
}

#[test]
fn values_that_are_slow_to_decode_are_bounded() {
    let _guard = run_exclusively();
    let half = 500_000;
    let repeated = |piece: &str| piece.repeat(half / piece.len());
    let pieces = [
        ("open encoded words", "=?aa?q?"),
        ("open base64 words", "=?utf-8?b?QQ"),
        ("charsets without an end", "=?aa"),
        ("comments", "("),
        ("quotes", "\"\\"),
        ("angle brackets", "<"),
        ("at signs", "@"),
        ("commas", ","),
        ("groups", "a:;"),
        ("parameters", ";a*0*=b"),
        ("percent signs", "%0d%0a"),
        ("dates", "(1 Jan"),
        ("folds", "\r\n "),
        ("tiny addresses", "a@b.c,"),
        ("ids", "<a@b>"),
        ("eight-bit", "\u{e9}"),
        ("replacement of utf-7", "=?utf-7?q?+AGE-?= "),
    ];
    for (what, piece) in pieces {
        for field in [
            "From",
            "To",
            "Subject",
            "Content-Type",
            "References",
            "Date",
            "X-Other",
            "List-Unsubscribe",
            "Precedence",
        ] {
            let mail = format!("{field}: {}\r\n\r\nbody", repeated(piece));
            process(&format!("{what} in {field}"), mail.as_bytes()).forward.unwrap();
        }
    }
    let fields: String = (0..900)
        .map(|n| format!("X-{n}: {}\r\n", "=?aa?q?".repeat(70)))
        .collect();
    process("open encoded words in 900 fields", format!("{fields}\r\n").as_bytes())
        .forward
        .unwrap();
    let fields = format!("From: {}\r\n", "=?aa?q?".repeat(70)).repeat(900);
    process("900 times From", format!("{fields}\r\n").as_bytes())
        .forward
        .unwrap();
}

#[test]
fn encodings_that_expand_are_bounded() {
    let _guard = run_exclusively();
    // Base64 and quoted-printable content, and content with many lines or groups.
    let status = |encoding: &str, content: &str| {
        with_type(
            "multipart/report; boundary=r; report-type=delivery-status",
            format!(
                "--r\r\nContent-Type: message/delivery-status\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{content}\r\n--r--\r\n"
            ),
        )
    };
    for (name, mail) in [
        (
            "quoted-printable bomb",
            status("quoted-printable", &"=\r\n".repeat(3_000_000)),
        ),
        ("base64 bomb", status("base64", &"QUFB".repeat(2_000_000))),
        (
            "groups",
            status(
                "7bit",
                &"Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\n\r\n".repeat(100_000),
            ),
        ),
        ("lines that are no fields", status("7bit", &"x\r\n".repeat(3_000_000))),
        ("empty lines", status("7bit", &"\r\n".repeat(4_000_000))),
        ("bare CRs", status("7bit", &"\r".repeat(8_000_000))),
    ] {
        process(name, &mail);
    }
}

#[test]
fn line_ends_and_nul_in_a_value_do_not_add_fields() {
    let _guard = run_exclusively();
    let limits = Limits::default();
    for separator in [
        "\r",
        "\0",
        "\r\0\n",
        "\u{b}",
        "\u{c}",
        "\u{85}",
        "\u{2028}",
        "\n\r",
        "\r\r\n",
        "=?utf-8?q?=0d=0a?=",
        "=?utf-8?b?DQo=?=",
    ] {
        for field in [
            "Subject",
            "From",
            "To",
            "Reply-To",
            "Content-Type",
            "Message-ID",
            "References",
            "List-Id",
            "X-Any",
        ] {
            let mail = format!(
                "From: jane@client.example\r\n{field}: one{separator}Bcc: v@other.example{separator}X-SES-TENANT: t\r\n\r\nbody"
            );
            forward_rules::with_rewrite(|parameters| {
                let forward = rewrite(mail.as_bytes(), parameters, &limits).unwrap();
                // If the character ends the block, the rest is body.
                forward_rules::assert_forward_rules(mail.as_bytes(), &forward);
            });
        }
    }
}

#[test]
fn mail_from_the_mailbox_itself_gets_no_reply_or_bounce() {
    let _guard = run_exclusively();
    let limits = Limits::default();
    let mail = b"From: Shop <INFO@Shop.Example>\r\nTo: info@shop.example\r\n\r\nhello";
    let header = HeaderBlock::parse(mail, &limits).unwrap();
    let facts = MailFacts::read(&header, Some("other@shop.example"), &limits);
    let own = forward_rules::address("info@shop.example");
    assert!(
        facts
            .forbidding_sign(AutomaticAction::AutoReply, forward_rules::MAILBOX, &[&own])
            .is_some()
    );
    assert!(
        facts
            .forbidding_sign(AutomaticAction::Bounce, forward_rules::MAILBOX, &[&own])
            .is_some()
    );
    assert!(
        facts
            .forbidding_sign(AutomaticAction::Forward, forward_rules::MAILBOX, &[&own])
            .is_none()
    );
    assert!(
        facts
            .forbidding_sign(AutomaticAction::AutoReply, forward_rules::MAILBOX, &[])
            .is_none()
    );
}
