//! Hostile mail: bounded time, bounded memory, always a deliberate result.
//!
//! The bounds are generous, for a slow machine and a build without optimisation; what they catch is work that grows with
//! the square of the input, or memory that grows with the number of parts.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use inbound::mail::forward::{ForwardError, rewrite};
use inbound::mail::report::{self, Arrival, ReportError};
use inbound::mail::{AutomaticAction, Head, HeadError, Limits};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The allocator counts for the whole process, so the tests take turns.
static TURN: Mutex<()> = Mutex::new(());

fn my_turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

const MEGABYTE: usize = 1_000_000;

/// Runs the whole mail path on a mail: facts, forward, report. What it allocated at most, beside the mail itself.
fn survive(name: &str, mail: &[u8]) -> Outcome {
    let limits = Limits::default();
    let (before, start) = (MEMORY.current_usage(), Instant::now());
    MEMORY.reset_peak_usage();
    let head = Head::parse(mail, &limits).map(|head| head.facts(None, &limits));
    let forward = support::with_rewrite(|how| rewrite(mail, how, &limits));
    let report = report::read(mail, &limits).map(|report| {
        report.notifications(&Arrival {
            message_id: "m1",
            at: "2026-03-03T09:15:02Z".parse().unwrap(),
        })
    });
    let (took, most) = (start.elapsed(), MEMORY.peak_usage().saturating_sub(before));
    assert!(took < Duration::from_secs(10), "{name} took {took:?}");
    assert!(most < 24 * MEGABYTE, "{name} took {most} octets");
    if let Ok(forward) = &forward {
        support::check(mail, forward);
    }
    for text in report.iter().flatten() {
        notification_model::parse(text).unwrap();
    }
    Outcome {
        head: head.map(|_| ()),
        forward: forward.map(|_| ()),
        report: report.map(|all| all.len()),
    }
}

#[derive(Debug)]
struct Outcome {
    head: Result<(), HeadError>,
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
fn a_million_parts_are_bytes_like_others() {
    let _turn = my_turn();
    let outcome = survive(
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
        survive("a report of a million parts", &report).report,
        Err(ReportError::NotAReport)
    );
}

#[test]
fn parts_nested_a_million_deep_are_not_descended_into() {
    let _turn = my_turn();
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(1_000_000);
    survive("nested messages", &with_type("message/rfc822", &nested))
        .forward
        .unwrap();
    let multiparts: String = (0..200_000)
        .map(|n| format!("--{n}\r\nContent-Type: multipart/mixed; boundary={}\r\n\r\n", n + 1))
        .collect();
    survive(
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
        survive(
            "nested messages in a report",
            &with_type("multipart/report; boundary=r", in_report)
        )
        .report,
        Ok(1)
    );
}

#[test]
fn forty_megabytes_are_forwarded_without_a_copy_and_more_is_refused() {
    let _turn = my_turn();
    let limits = Limits::default();
    let fits = with_type("text/plain", vec![b'a'; 39_990_000]);
    survive("40 MB", &fits).forward.unwrap();
    let too_large = with_type("text/plain", vec![b'a'; 40_000_000]);
    let refused = survive("more than 40 MB", &too_large).forward.unwrap_err();
    assert!(matches!(refused, ForwardError::TooLarge { size, limit } if size > limit && limit == limits.forward_bytes));
    let report = with_type("multipart/report; boundary=r", vec![b'\n'; 40_000_000]);
    assert!(matches!(
        survive("a report of 40 MB", &report).report,
        Err(ReportError::TooLarge { .. })
    ));
    let lines = with_type("multipart/report; boundary=r", vec![b'\n'; 9_000_000]);
    assert_eq!(
        survive("nine million lines", &lines).report,
        Err(ReportError::NotAReport)
    );
}

#[test]
fn a_header_beyond_the_limits_is_refused() {
    let _turn = my_turn();
    let limits = Limits::default();
    let many = format!("{}\r\nbody", "X: y\r\n".repeat(100_000));
    let outcome = survive("100,000 headers", many.as_bytes());
    assert_eq!(
        outcome.head,
        Err(HeadError::TooManyFields {
            limit: limits.header_fields
        })
    );
    let long_ones = format!("{}\r\nbody", format!("X: {}\r\n", "y".repeat(900)).repeat(900));
    assert_eq!(
        survive("900 long headers", long_ones.as_bytes()).head,
        Err(HeadError::TooLong {
            limit: limits.header_bytes
        })
    );
    let long = format!("X: {}\r\n\r\nbody", "y".repeat(40 * MEGABYTE));
    assert_eq!(
        survive("one header of 40 MB", long.as_bytes()).head,
        Err(HeadError::TooLong {
            limit: limits.header_bytes
        })
    );
    let endless = "X: y\r\n".repeat(10);
    assert_eq!(
        Head::parse_beginning(endless.as_bytes(), &limits).err(),
        Some(HeadError::Incomplete)
    );
    let exact = format!("X: {}\r\n\r\n", "y".repeat(limits.header_bytes - 7));
    Head::parse(exact.as_bytes(), &limits).map(|_| ()).unwrap();
    let above = format!("X: {}\r\n\r\n", "y".repeat(limits.header_bytes - 6));
    assert_eq!(
        Head::parse(above.as_bytes(), &limits).err(),
        Some(HeadError::TooLong {
            limit: limits.header_bytes
        })
    );
}

#[test]
fn what_a_decoder_reads_again_and_again_is_bounded() {
    let _turn = my_turn();
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
            survive(&format!("{what} in {field}"), mail.as_bytes()).forward.unwrap();
        }
    }
    let fields: String = (0..900)
        .map(|n| format!("X-{n}: {}\r\n", "=?aa?q?".repeat(70)))
        .collect();
    survive("open encoded words in 900 fields", format!("{fields}\r\n").as_bytes())
        .forward
        .unwrap();
    let fields = format!("From: {}\r\n", "=?aa?q?".repeat(70)).repeat(900);
    survive("900 times From", format!("{fields}\r\n").as_bytes())
        .forward
        .unwrap();
}

#[test]
fn encodings_that_blow_up_do_not() {
    let _turn = my_turn();
    // One octet of a charset that becomes many, and soft breaks that become nothing.
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
        survive(name, &mail);
    }
}

#[test]
fn tricks_with_line_ends_and_nul_reach_nobody() {
    let _turn = my_turn();
    let limits = Limits::default();
    for trick in [
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
                "From: jane@client.example\r\n{field}: one{trick}Bcc: v@other.example{trick}X-SES-TENANT: t\r\n\r\nbody"
            );
            support::with_rewrite(|how| {
                let forward = rewrite(mail.as_bytes(), how, &limits).unwrap();
                // Where the trick ends the block, what follows is body, and stays there.
                support::check(mail.as_bytes(), &forward);
            });
        }
    }
}

#[test]
fn mail_from_ourselves_is_never_answered() {
    let _turn = my_turn();
    let limits = Limits::default();
    let mail = b"From: Shop <INFO@Shop.Example>\r\nTo: info@shop.example\r\n\r\nhello";
    let facts = Head::parse(mail, &limits)
        .unwrap()
        .facts(Some("other@shop.example"), &limits);
    let own = support::address("info@shop.example");
    assert!(
        facts
            .forbidden(AutomaticAction::Response, support::MAILBOX, &[&own])
            .is_some()
    );
    assert!(
        facts
            .forbidden(AutomaticAction::Bounce, support::MAILBOX, &[&own])
            .is_some()
    );
    assert!(
        facts
            .forbidden(AutomaticAction::Forward, support::MAILBOX, &[&own])
            .is_none()
    );
    assert!(
        facts
            .forbidden(AutomaticAction::Response, support::MAILBOX, &[])
            .is_none()
    );
}
