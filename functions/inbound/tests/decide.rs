//! Decisions that the recorded events do not show: trusted reports, proven return paths, loops, and unknown headers.
#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::collections::BTreeMap;

use inbound::decide::{ActionKind, Decision, Facts, HeaderFacts, decide, disposition, mailbox_keys, read_header_facts};
use inbound::mail::Limits;
use inbound::settings::{Policy, Settings};
use inbound::verdict::Disposition;
use notification_model::{EmailAddress, Received, SesMessage};
use proptest::prelude::*;
use serde_json::json;
use store::{
    ForwardSettings, IndexedSubject, KeptSubject, Mailbox, MailboxAction, NotifyContent, NotifyTarget, VerdictAction,
    VerdictRules,
};

fn policy() -> Policy {
    let variables = [
        ("TABLE_NAME", "t"),
        ("INBOUND_QUEUE_URL", "q"),
        ("FEEDBACK_TOPIC_ARN", "f"),
    ];
    let get = |variable: &str| {
        let found = variables.iter().find(|(name, _)| *name == variable);
        found.map(|(_, value)| (*value).to_owned())
    };
    Settings::from_env(get).unwrap().policy
}

fn received(recipients: &[&str], verdict: &str) -> Received {
    let status = json!({"status": verdict});
    let text = json!({
        "notificationType": "Received",
        "mail": {"timestamp": "2026-03-03T09:15:01Z", "messageId": "m", "source": "jane@client.example",
                 "destination": ["sales@shop.example"]},
        "receipt": {"recipients": recipients, "spamVerdict": {"status": "PASS"}, "virusVerdict": {"status": "PASS"},
                    "spfVerdict": {"status": "PASS"}, "dkimVerdict": {"status": "PASS"}, "dmarcVerdict": status,
                    "action": {"type": "Lambda", "functionArn": "f", "invocationType": "RequestResponse"}},
    });
    let SesMessage::Received(received) = notification_model::parse(&text.to_string()).unwrap() else {
        panic!("expected received mail")
    };
    received
}

fn decide_with(received: &Received, mailboxes: Vec<Mailbox>, header: HeaderFacts) -> Decision {
    let facts = Facts {
        mailboxes: mailboxes
            .into_iter()
            .map(|mailbox| (mailbox.key.clone(), mailbox))
            .collect(),
        header,
        size: None,
        location: None,
        suppressed: BTreeMap::new(),
        suppressed_targets: BTreeMap::new(),
        answers: BTreeMap::new(),
        now: "2026-03-03T09:15:03Z".parse().unwrap(),
    };
    decide(received, &facts, &policy())
}

/// Whether a mail is published as a report.
fn is_published(mail: &str, received: &Received) -> bool {
    let header = read_header_facts(mail.as_bytes(), true, received, &Limits::default());
    let decision = decide_with(received, vec![], header);
    decision
        .actions
        .iter()
        .any(|action| action.kind == ActionKind::PublishReport)
}

#[test]
fn only_a_report_from_a_trusted_domain_that_dmarc_confirms_is_published() {
    let cases = [
        ("MAILER-DAEMON@amazonses.com", "PASS", true),
        ("MAILER-DAEMON@eu-west-1.amazonses.com", "PASS", true),
        ("MAILER-DAEMON@EU-WEST-1.AmazonSES.com", "PASS", true),
        ("MAILER-DAEMON@eu-west-1.amazonses.com", "GRAY", false),
        ("MAILER-DAEMON@eu-west-1.amazonses.com", "FAIL", false),
        ("MAILER-DAEMON@notamazonses.com", "PASS", false),
        ("MAILER-DAEMON@amazonses.com.evil.example", "PASS", false),
        ("\"MAILER-DAEMON@amazonses.com\" <x@evil.example>", "PASS", false),
        ("a@amazonses.com, b@evil.example", "PASS", false),
        ("a@evil.example, b@amazonses.com", "PASS", false),
    ];
    for (from, verdict, expected) in cases {
        let mail = format!(
            "From: {from}\r\nTo: news@shop.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        );
        let received = received(&["news@shop.example"], verdict);
        assert_eq!(is_published(&mail, &received), expected, "{from} {verdict}");
    }
}

#[test]
fn a_report_to_another_customer_of_ses_is_not_published() {
    let cases = [
        ("To: news@shop.example", true),
        ("To: News <News@Shop.Example>", true),
        ("To: attacker@evil.example", false),
        ("To: news@shop.example\r\nTo: attacker@evil.example", false),
        ("To: news@shop.example, attacker@evil.example", false),
        ("Cc: attacker@evil.example\r\nTo: news@shop.example", false),
        ("Subject: to nobody", false),
    ];
    for (to, expected) in cases {
        let mail = format!(
            "From: MAILER-DAEMON@amazonses.com\r\n{to}\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        );
        let received = received(&["news@shop.example"], "PASS");
        assert_eq!(is_published(&mail, &received), expected, "{to}");
    }
}

#[test]
fn a_report_is_published_only_if_ses_read_the_same_author() {
    let mail = "From: MAILER-DAEMON@amazonses.com\r\nTo: news@shop.example\r\n\
                Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n";
    let cases: [(&[&str], bool); 4] = [
        (&["MAILER-DAEMON@amazonses.com"], true),
        (&["Mail <mailer-daemon@AmazonSES.com>"], true),
        (&["x@evil.example"], false),
        (&["MAILER-DAEMON@amazonses.com", "x@evil.example"], false),
    ];
    for (from, expected) in cases {
        let mut received = received(&["news@shop.example"], "PASS");
        let headers = serde_json::from_value(json!({"from": from, "to": ["news@shop.example"]})).unwrap();
        received.mail.common_headers = Some(headers);
        assert_eq!(is_published(mail, &received), expected, "{from:?}");
    }
}

#[test]
fn only_a_proven_return_path_gets_a_reply_or_bounce() {
    let mail = "From: jane@client.example\r\nTo: sales@shop.example\r\n\r\n";
    let (author, below, above) = ("jane@client.example", "jane@mail.client.example", "jane@example");
    let cases = [
        (author, "PASS", "GRAY", true),
        ("x@elsewhere.example", "PASS", "GRAY", true),
        (author, "GRAY", "GRAY", false),
        (author, "GRAY", "PASS", true),
        (below, "GRAY", "PASS", true),
        (above, "GRAY", "PASS", false),
        ("x@elsewhere.example", "GRAY", "PASS", false),
        (author, "FAIL", "PASS", false),
    ];
    let from = EmailAddress::parse("sales@shop.example").unwrap();
    let reply = MailboxAction::AutoReply {
        from: from.clone(),
        subject: None,
        text: "Thanks".to_owned(),
        every_days: 1,
    };
    let bounce = MailboxAction::Bounce {
        sender: from,
        message: "Gone".to_owned(),
        status_code: "5.1.1".to_owned(),
    };
    for (source, spf, dmarc, expected) in cases {
        let mut received = received(&["sales@shop.example"], dmarc);
        let spf = serde_json::from_value(json!({"status": spf})).unwrap();
        received.receipt.spf_verdict = Some(spf);
        received.mail.source = Some(source.to_owned());
        let header = read_header_facts(mail.as_bytes(), true, &received, &Limits::default());
        for (action, name) in [(&reply, "auto-reply"), (&bounce, "bounce")] {
            let mailbox = mailbox("sales@shop.example", vec![action.clone()]);
            let decision = decide_with(&received, vec![mailbox], header.clone());
            let kind = &decision.mailboxes[0].actions[0].kind;
            assert_eq!(kind.name(), name);
            let is_taken = !matches!(kind, ActionKind::Skip { .. });
            assert_eq!(
                is_taken,
                expected,
                "{name} to {source}, {spf:?}, dmarc {dmarc}",
                spf = received.receipt.spf_verdict
            );
        }
    }
}

fn mailbox(key: &str, actions: Vec<MailboxAction>) -> Mailbox {
    Mailbox {
        actions,
        ..Mailbox::new(key.parse().unwrap())
    }
}

fn actions_of(mail: &str, mailbox: Mailbox, source: &str) -> Decision {
    let mut received = received(&["sales@shop.example"], "PASS");
    received.mail.source = Some(source.to_owned());
    let header = read_header_facts(mail.as_bytes(), true, &received, &Limits::default());
    decide_with(&received, vec![mailbox], header)
}

#[test]
fn a_catch_all_mailbox_detects_loops_by_the_domain() {
    let address = |text: &str| EmailAddress::parse(text).unwrap();
    let forward = || MailboxAction::Forward {
        to: vec![address("owner@target.example")],
        from: address("fwd@shop.example"),
        settings: ForwardSettings::default(),
    };
    let cases = [
        ("*", true),
        ("other.example", true),
        ("shop.example", false),
        ("Shop.Example", false),
    ];
    for (by, forwarded) in cases {
        let mail = format!("X-Postroom-Forwarded: {by}\r\nFrom: jane@client.example\r\n\r\n");
        let decision = actions_of(&mail, mailbox("*", vec![forward()]), "jane@client.example");
        let kind = &decision.mailboxes[0].actions[0].kind;
        assert_eq!(matches!(kind, ActionKind::Forward { .. }), forwarded, "{by}: {kind:?}");
    }
}

/// DynamoDB accepts rows of 400 KB and keys of 2048 octets; SNS accepts messages of 256 KB.
#[test]
fn rows_and_summaries_have_a_bounded_size() {
    let actions = vec![
        MailboxAction::Store {
            subject: KeptSubject::Text,
            days: None,
        },
        MailboxAction::Notify {
            target: NotifyTarget::Queue("q".to_owned()),
            content: NotifyContent::Summary,
        },
    ];
    let long = "x".repeat(60_000);
    let authors = format!("From: {long} <a@evil.example>\r\nReply-To: b@{long}.example\r\n").repeat(3);
    let many = (0..900).fold(String::new(), |many, n| {
        many + &format!("From: {} <{}{n}@evil.example>\r\n", &long[..200], &long[..60])
    });
    let cases = [
        format!("From: jane@client.example\r\nSubject: {}\r\n\r\n", "x ".repeat(250_000)),
        format!("From: a@{long}.example\r\n\r\n"),
        format!("{authors}\r\n"),
        format!("{many}\r\n"),
    ];
    for mail in cases {
        let decision = actions_of(&mail, mailbox("shop.example", actions.clone()), "jane@client.example");
        let row = &decision.mailboxes[0].row;
        assert!(row.from.as_ref().unwrap().len() <= 320);
        if let Some(IndexedSubject::Text(subject)) = &row.subject {
            assert!(subject.len() <= 16_000, "{} octets", subject.len());
        }
        for action in &decision.mailboxes[0].actions {
            if let ActionKind::Notify { summary, .. } = &action.kind {
                assert!(summary.len() < 200_000, "{} octets", summary.len());
            }
        }
    }
}

#[test]
fn a_summary_has_no_characters_that_sqs_rejects() {
    let notify = MailboxAction::Notify {
        target: NotifyTarget::Queue("q".to_owned()),
        content: NotifyContent::Summary,
    };
    let mail = "From: \u{fffe} <jane@client.example>\r\nSubject: a\u{ffff}b\r\n\r\n";
    let decision = actions_of(
        mail,
        mailbox("shop.example", vec![notify]),
        "jane\u{fffe}@client.example",
    );
    let ActionKind::Notify { summary, .. } = &decision.mailboxes[0].actions[0].kind else {
        panic!("expected a notification")
    };
    assert!(!summary.contains(['\u{fffe}', '\u{ffff}']), "SQS rejects the character");
}

#[test]
fn a_return_path_that_ses_does_not_send_to_gets_no_reply() {
    let reply = MailboxAction::AutoReply {
        from: EmailAddress::parse("sales@shop.example").unwrap(),
        subject: None,
        text: String::new(),
        every_days: 1,
    };
    let cases = [
        ("jane@client.example", true),
        ("\"jane doe\"@client.example", false),
        ("j\u{e4}ne@client.example", false),
        ("jane..doe@client.example", false),
    ];
    for (source, replied) in cases {
        let mail = "From: jane@client.example\r\nTo: sales@shop.example\r\n\r\n";
        let decision = actions_of(mail, mailbox("shop.example", vec![reply.clone()]), source);
        let kind = &decision.mailboxes[0].actions[0].kind;
        assert_eq!(
            matches!(kind, ActionKind::AutoReply { .. }),
            replied,
            "{source}: {kind:?}"
        );
    }
}

#[test]
fn reasons_name_the_condition_if_the_header_is_unknown() {
    let address = |text: &str| EmailAddress::parse(text).unwrap();
    let from = address("sales@shop.example");
    let mailbox = Mailbox {
        actions: vec![
            MailboxAction::Forward {
                to: vec![address("owner@target.example")],
                from: from.clone(),
                settings: ForwardSettings::default(),
            },
            MailboxAction::AutoReply {
                from: from.clone(),
                subject: None,
                text: String::new(),
                every_days: 1,
            },
            MailboxAction::Bounce {
                sender: from,
                message: String::new(),
                status_code: "5.1.1".to_owned(),
            },
        ],
        ..Mailbox::new("sales@shop.example".parse().unwrap())
    };
    let decision = decide_with(
        &received(&["sales@shop.example"], "PASS"),
        vec![mailbox],
        HeaderFacts::Unknown,
    );
    let reasons: Vec<_> = decision
        .mailboxes
        .iter()
        .flat_map(|mailbox| &mailbox.actions)
        .map(|action| (action.kind.name(), action.reason.as_str()))
        .collect();
    assert_eq!(
        reasons,
        [
            (
                "forward",
                "the mailbox forwards, unless the header has a sign of a loop"
            ),
            (
                "auto-reply",
                "the mailbox replies, unless the header has a sign of automatic mail"
            ),
            (
                "bounce",
                "the mailbox bounces, unless the header has a sign of automatic mail"
            ),
        ]
    );
}

fn mailbox_rules() -> impl Strategy<Value = (VerdictAction, bool)> {
    let action = prop_oneof![
        Just(VerdictAction::Continue),
        Just(VerdictAction::Tag),
        Just(VerdictAction::StopRule),
        Just(VerdictAction::StopRuleSet),
        Just(VerdictAction::Bounce),
    ];
    (action, any::<bool>())
}

proptest! {
    /// The disposition for several mailboxes is the mildest of their dispositions, except for a virus.
    #[test]
    fn the_mildest_disposition_of_several_mailboxes_wins(rules in proptest::collection::vec(mailbox_rules(), 1..5)) {
        let mailboxes: BTreeMap<_, _> = rules.iter().enumerate().map(|(index, (action, drops))| {
            let drop = drops.then(|| MailboxAction::Drop { reason: String::new() });
            let mailbox = Mailbox {
                verdicts: VerdictRules { dmarc_none: Some(*action), ..VerdictRules::default() },
                actions: drop.into_iter().collect(),
                ..Mailbox::new(format!("a{index}@shop.example").parse().unwrap())
            };
            (mailbox.key.clone(), mailbox)
        }).collect();
        let recipients: Vec<String> = mailboxes.keys().map(ToString::to_string).collect();
        let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
        let together = disposition(&received(&recipients, "FAIL"), &mailboxes, None);
        let alone: Vec<Disposition> = recipients
            .iter()
            .map(|recipient| disposition(&received(&[recipient], "FAIL"), &mailboxes, None))
            .collect();
        prop_assert_eq!(together, alone.iter().copied().min().unwrap());
        prop_assert!(mailbox_keys(&received(&recipients, "FAIL")).len() <= recipients.len() + 2);
    }
}
