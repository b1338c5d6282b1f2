//! The rules that every forward satisfies, whatever the original mail is. They share no code with the function.

use inbound::mail::forward::{Forward, ForwardMark, Rewrite};
use inbound::mail::{AutomaticAction, HeaderBlock, Limits, MailFacts};
use mail_parser::MessageParser;
use notification_model::EmailAddress;

pub(crate) const MAILBOX: &str = "info@shop.example";
pub(crate) const VERIFIED: &str = "forward@shop.example";

pub(crate) fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

/// Calls a function with the parameters of a forward.
pub(crate) fn with_rewrite<T>(f: impl FnOnce(&Rewrite<'_>) -> T) -> T {
    f(&Rewrite {
        mailbox: MAILBOX,
        from: &address(VERIFIED),
        to: &[address("Owner <owner@target.example>")],
        recipients: &[address("info+news@shop.example")],
        mark: ForwardMark::None,
        verdicts: "spam=PASS; virus=PASS; spf=PASS; dkim=GRAY; dmarc=PASS",
        message_id: "7f3k0s9d8f7g6h5j4k3l2m1n0",
        at: "2026-03-03T09:15:02Z".parse().unwrap(),
    })
}

/// Fields that SES accepts once: <https://docs.aws.amazon.com/ses/latest/dg/header-fields.html>
const ONCE: &str = "accept-language acceptlanguage archived-at auto-submitted bounces-to comments content-alternative
    content-base content-class content-description content-disposition content-duration content-id content-language
    content-length content-location content-md5 content-transfer-encoding content-type date delivered-to
    disposition-notification-options disposition-notification-to dkim-signature domainkey-signature errors-to from
    importance in-reply-to keywords list-archive list-help list-id list-owner list-post list-subscribe list-unsubscribe
    list-unsubscribe-post message-context message-id mime-version organization original-from original-message-id
    original-recipient original-subject precedence priority references reply-to return-path return-receipt-to sender
    solicitation sensitivity subject thread-index thread-topic user-agent vbr-info to cc bcc";

/// Fields that a forward never has.
const NEVER: &str =
    "bcc resent-bcc return-path sender message-id dkim-signature domainkey-signature errors-to bounces-to
    delivered-to disposition-notification-to return-receipt-to authentication-results received-spf feedback-id";

/// Asserts the rules.
pub(crate) fn assert_forward_rules(mail: &[u8], forward: &Forward<'_>) {
    let body_offset = HeaderBlock::parse(mail, &Limits::default()).unwrap().body_offset();
    assert_eq!(forward.body, &mail[body_offset..], "the body is changed");
    let whole = forward.to_vec();
    assert_eq!(&whole[forward.header.len()..], forward.body);

    let header = std::str::from_utf8(&forward.header).unwrap();
    let block = header
        .strip_suffix("\r\n\r\n")
        .expect("the block does not end with an empty line");
    let mut names = Vec::new();
    for line in block.split("\r\n") {
        assert!(line.len() <= 998, "a line of {} octets", line.len());
        assert!(
            line.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b)),
            "not printable ASCII: {line:?}"
        );
        assert!(!line.trim().is_empty(), "a blank line in the block: {header}");
        if !line.starts_with([' ', '\t']) {
            let (name, _) = line.split_once(':').expect("a line that is not a field");
            assert!(!name.is_empty() && !name.contains(' '), "not a name: {name:?}");
            names.push(name.to_ascii_lowercase());
        }
    }
    assert!(
        !block.starts_with([' ', '\t']),
        "the block begins with a continuation line"
    );
    for name in ONCE.split_whitespace() {
        assert!(names.iter().filter(|found| *found == name).count() <= 1, "{name} twice");
    }
    for name in &names {
        assert!(!NEVER.split_whitespace().any(|never| never == name), "{name} is kept");
        let prefixes = ["x-ses-", "arc-", "x-spam-", "x-ms-exchange-organization-"];
        assert!(
            !prefixes.iter().any(|prefix| name.starts_with(prefix)),
            "{name} is kept"
        );
    }
    for name in ["from", "date", "resent-from", "resent-to", "resent-date"] {
        assert!(names.iter().any(|found| found == name), "no {name}");
    }

    let parsed = MessageParser::default()
        .parse_headers(&whole)
        .expect("the forward cannot be parsed");
    let from = parsed.from().expect("no From").as_list().expect("From is a group");
    assert_eq!(from.len(), 1);
    assert_eq!(from[0].address(), Some(VERIFIED));
    assert!(
        !from[0].name().unwrap_or_default().contains('@'),
        "the name contains an address"
    );
    for field in HeaderBlock::parse(&whole, &Limits::default()).unwrap().fields() {
        let line = format!("{}\n", field.unfolded());
        let decoded = mail_parser::parsers::MessageStream::new(line.as_bytes()).parse_unstructured();
        let decoded = decoded.as_text().unwrap_or_default();
        assert!(
            !decoded.contains(['\r', '\n', '\0']),
            "{} decodes to a line break",
            field.name()
        );
    }
    for addresses in [parsed.to(), parsed.cc(), parsed.reply_to()].into_iter().flatten() {
        for mailbox in addresses.iter() {
            let address = mailbox.address().expect("a mailbox without an address");
            assert!(
                address.is_ascii() && address.contains('@') && !address.contains(".."),
                "{address}"
            );
        }
    }

    let again = HeaderBlock::parse(&whole, &Limits::default()).unwrap();
    assert_eq!(again.body_offset(), forward.header.len(), "the block ends early");
    let facts = MailFacts::read(&again, None, &Limits::default());
    assert!(
        facts.forbidding_sign(AutomaticAction::Forward, MAILBOX, &[]).is_some(),
        "a second forward is not forbidden"
    );
}
