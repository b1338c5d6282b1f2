//! Which headers are trusted: reports that arrive as mail, and forwarders whose own SPF or DKIM passes.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::collections::BTreeMap;

use inbound::decide::{ActionKind, Decision, Facts, HeaderFacts, decide, read_header_facts};
use inbound::mail::Limits;
use inbound::settings::{Policy, Settings};
use inbound::verdict::Disposition;
use notification_model::{Received, SesMessage};
use serde_json::json;
use store::{Mailbox, VerdictAction};

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

fn is_published(mail: &str, received: &Received) -> bool {
    let header = read_header_facts(mail.as_bytes(), true, received, &Limits::default());
    let decision = decide_with(received, vec![], header);
    decision
        .actions
        .iter()
        .any(|action| action.kind == ActionKind::PublishReport)
}

/// A second program may read other recipients than this one, so an ambiguous header is not trusted.
#[test]
fn a_report_with_an_ambiguous_header_is_not_published() {
    let cases = [
        ("To: News <news@shop.example>", json!(["news@shop.example"]), true),
        (
            "To: news@shop.example\r\nCc: news@shop.example",
            json!(["news@shop.example"]),
            true,
        ),
        (
            "To: news@shop.example, undisclosed-recipients:;",
            json!(["news@shop.example"]),
            false,
        ),
        (
            "To: news@shop.example, attacker at evil.example",
            json!(["news@shop.example"]),
            false,
        ),
        (
            "To: news@shop.example, =?utf-8?Q?attacker=40evil.example?=",
            json!(["news@shop.example"]),
            false,
        ),
        (
            "To: news@shop.example\r\nTo: news@shop.example",
            json!(["news@shop.example"]),
            false,
        ),
        (
            "To: news@shop.example\r\nSubject: a\r\nSubject: b",
            json!(["news@shop.example"]),
            false,
        ),
        (
            "To: news@shop.example",
            json!(["news@shop.example", "attacker@evil.example"]),
            false,
        ),
        ("To: news@shop.example", json!([]), false),
    ];
    for (fields, of_event, expected) in cases {
        let mail = format!(
            "From: MAILER-DAEMON@amazonses.com\r\n{fields}\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        );
        let mut received = received(&["news@shop.example"], "PASS");
        let headers = json!({"from": ["MAILER-DAEMON@amazonses.com"], "to": of_event});
        received.mail.common_headers = Some(serde_json::from_value(headers).unwrap());
        assert_eq!(is_published(&mail, &received), expected, "{fields} {of_event}");
    }
}

/// DMARC fails for a mail that a list changed. The own SPF or DKIM of a trusted list lifts the policy reject.
#[test]
fn mail_of_a_trusted_forwarder_is_not_bounced_under_the_policy_reject() {
    let ses = |results: &str| {
        format!(
            "Return-Path: <a@x.example>\r\nReceived: from x by inbound-smtp.eu-west-1.amazonaws.com\r\n\
             Authentication-Results: amazonses.com; {results}\r\nX-SES-RECEIPT: x\r\nFrom: jane@client.example\r\n\r\n"
        )
    };
    let signed = ses("spf=pass client-ip=192.0.2.1; dkim=pass header.i=@lists.example; dmarc=fail");
    let other = ses("spf=pass client-ip=192.0.2.1; dkim=pass header.i=@evil.example; dmarc=fail");
    let forged = format!("From: jane@client.example\r\n{signed}");
    let cases = [
        (&signed, "a@x.example", "PASS", true),
        (&signed, "a@x.example", "FAIL", false),
        (&other, "a@x.example", "PASS", false),
        (&other, "bounces@sub.lists.example", "PASS", true),
        (&other, "bounces@notlists.example", "PASS", false),
        (&forged, "a@x.example", "PASS", false),
    ];
    for (mail, return_path, dkim, is_trusted) in cases {
        let mut received = received(&["sales@shop.example"], "FAIL");
        received.mail.source = Some(return_path.to_owned());
        received.receipt.dmarc_policy = Some(notification_model::DmarcPolicy::Reject);
        received.receipt.dkim_verdict = serde_json::from_value(json!({"status": dkim})).unwrap();
        let mailbox = Mailbox {
            trusted_forwarders: vec!["lists.example".to_owned()],
            ..Mailbox::new("sales@shop.example".parse().unwrap())
        };
        let header = read_header_facts(mail.as_bytes(), true, &received, &Limits::default());
        let decision = decide_with(&received, vec![mailbox], header);
        let expected = if is_trusted {
            VerdictAction::Tag
        } else {
            VerdictAction::Bounce
        };
        assert_eq!(
            decision.mailboxes[0].evaluation.action, expected,
            "{return_path} {dkim}"
        );
        let expected = if is_trusted {
            Disposition::Continue
        } else {
            Disposition::StopRuleSet
        };
        assert_eq!(decision.disposition, expected);
    }
}
