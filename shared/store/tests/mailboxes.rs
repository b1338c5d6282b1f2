//! Mailboxes, on an embedded DynamoDB.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use notification_model::EmailAddress;
use store::{
    ForwardSettings, KeptSubject, Mailbox, MailboxAction, MailboxKey, NotifyContent, NotifyTarget, OwnerTarget,
    QuarantineMark, VerdictAction, VerdictRules, WhenSuppressed,
};

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn key(text: &str) -> MailboxKey {
    text.parse().unwrap()
}

fn mailbox(text: &str, actions: Vec<MailboxAction>) -> Mailbox {
    Mailbox {
        actions,
        ..Mailbox::new(key(text))
    }
}

fn every_action() -> Vec<MailboxAction> {
    let from = address("\"J\u{fc}rgen, Shop\" <desk@shop.example>");
    let store = |subject, days| MailboxAction::Store { subject, days };
    vec![
        store(KeptSubject::None, None),
        store(KeptSubject::Hash, Some(0)),
        store(KeptSubject::Text, Some(u32::MAX)),
        MailboxAction::Forward {
            to: vec![address("z@shop.example"), address("A@Shop.Example")],
            from: address("forward@shop.example"),
            settings: ForwardSettings::default(),
        },
        MailboxAction::Forward {
            to: vec![address("z@shop.example")],
            from: address("forward@shop.example"),
            settings: ForwardSettings {
                when_suppressed: WhenSuppressed::Stop,
                quarantine_mark: QuarantineMark::Subject,
            },
        },
        MailboxAction::Unsubscribe,
        MailboxAction::AutoReply {
            from: address("Desk <Desk@Shop.Example>"),
            subject: None,
            text: "We are away.\n\nThe shop".to_owned(),
            every_days: 7,
        },
        MailboxAction::AutoReply {
            from: from.clone(),
            subject: Some("Away".to_owned()),
            text: "Away".to_owned(),
            every_days: 1,
        },
        MailboxAction::Bounce {
            sender: from,
            message: "unknown address".to_owned(),
            status_code: "5.1.1".to_owned(),
        },
        MailboxAction::Notify {
            target: NotifyTarget::Topic("arn:aws:sns:us-east-1:111122223333:mail".to_owned()),
            content: NotifyContent::Summary,
        },
        MailboxAction::Notify {
            target: NotifyTarget::Queue("https://sqs.us-east-1.amazonaws.com/111122223333/mail".to_owned()),
            content: NotifyContent::Parsed,
        },
        MailboxAction::Drop {
            reason: "the address is not used".to_owned(),
        },
    ]
}

#[tokio::test]
async fn mailboxes_are_read_as_they_were_written() {
    let (store, _, requests) = store::testing::fresh().await;
    let support = Mailbox {
        verdicts: VerdictRules {
            virus_fail: Some(VerdictAction::StopRuleSet),
            spam_fail: Some(VerdictAction::Tag),
            spf_fail: Some(VerdictAction::Continue),
            dkim_fail: Some(VerdictAction::StopRule),
            dmarc_none: Some(VerdictAction::Tag),
            dmarc_quarantine: Some(VerdictAction::StopRuleSet),
            dmarc_reject: Some(VerdictAction::Bounce),
            unchecked: Some(VerdictAction::StopRule),
        },
        owner: Some(OwnerTarget::Email(address("owner@shop.example"))),
        trusted_forwarders: vec!["forwarder.example".to_owned(), "lists.example".to_owned()],
        ..mailbox("Support@Shop.Example", every_action())
    };
    let topic = NotifyTarget::Topic("arn:aws:sns:us-east-1:111122223333:owners".to_owned());
    let domain = Mailbox {
        owner: Some(OwnerTarget::Notify(topic)),
        ..mailbox("B\u{fc}cher.Example", vec![MailboxAction::Unsubscribe])
    };
    let all = mailbox("*", vec![]);
    for mailbox in [&support, &domain, &all] {
        store.put_mailbox(mailbox).await.unwrap();
    }

    let _ = requests.take();
    let candidates = MailboxKey::candidates(&address("support+1@shop.example"));
    let found = store.mailboxes(&candidates).await.unwrap();
    assert_eq!(requests.take(), [("BatchGetItem".to_owned(), 1)].into());
    assert_eq!(found[&key("support@shop.example")], support);
    assert_eq!(found.into_values().collect::<Vec<_>>(), [support.clone(), all.clone()]);
    assert!(store.mailboxes(&[]).await.unwrap().is_empty());

    let listed = store.all_mailboxes().await.unwrap();
    let keys: Vec<String> = listed.keys().map(ToString::to_string).collect();
    assert_eq!(keys, ["support@shop.example", "xn--bcher-kva.example", "*"]);
    assert_eq!(listed[&domain.key], domain);

    let shorter = mailbox("support@shop.example", vec![MailboxAction::Unsubscribe]);
    store.put_mailbox(&shorter).await.unwrap();
    store.delete_mailbox(&all.key).await.unwrap();
    store.delete_mailbox(&all.key).await.unwrap();
    let left: Vec<Mailbox> = store.all_mailboxes().await.unwrap().into_values().collect();
    assert_eq!(left, [shorter, domain]);
}

#[test]
fn the_most_specific_mailbox_comes_first() {
    let cases: [(&str, &[&str]); 6] = [
        ("a+b+c@x.example", &["a+b+c@x.example", "a@x.example", "x.example", "*"]),
        ("a@x.example", &["a@x.example", "x.example", "*"]),
        ("+b@x.example", &["+b@x.example", "x.example", "*"]),
        ("\"a+b\"@x.example", &["\"a+b\"@x.example", "x.example", "*"]),
        (
            "A+B@B\u{fc}cher.Example",
            &[
                "a+b@xn--bcher-kva.example",
                "a@xn--bcher-kva.example",
                "xn--bcher-kva.example",
                "*",
            ],
        ),
        ("postmaster", &["*"]),
    ];
    for (recipient, expected) in cases {
        let keys: Vec<String> = MailboxKey::candidates(&address(recipient))
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(keys, expected, "{recipient}");
    }
}

#[test]
fn keys_are_parsed_from_their_text() {
    for text in ["a@x.example", "x.example", "*", "\"odd@local\"@x.example"] {
        assert_eq!(key(text).to_string(), text);
    }
    for text in ["", "@x.example", "a@", "@", "<>@"] {
        assert!(text.parse::<MailboxKey>().is_err(), "{text}");
    }
}

#[tokio::test]
async fn a_mailbox_that_cannot_be_read_is_an_error() {
    let (store, client, _) = store::testing::fresh().await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let map = |fields: &[(&str, AttributeValue)]| {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        AttributeValue::M(fields.collect())
    };
    let actions = |fields: &[(&str, AttributeValue)]| {
        AttributeValue::L(vec![map(&[("action", text("unsubscribe"))]), map(fields)])
    };
    let none = map(&[]);
    let invalid = [
        (none.clone(), text("drop"), "expected actions as a list"),
        (text("tag"), actions(&[]), "expected verdicts as a map"),
        (
            map(&[("spamFail", text("other"))]),
            actions(&[]),
            "verdict spamFail: expected an action",
        ),
        (
            map(&[("spamFail", text("tag")), ("moonPhase", text("tag"))]),
            actions(&[]),
            "unknown verdict",
        ),
        (
            none.clone(),
            actions(&[("action", text("teleport"))]),
            "action 2: unknown action",
        ),
        (
            none.clone(),
            actions(&[("action", text("forward")), ("to", AttributeValue::L(vec![text("")]))]),
            "action 2: expected to as addresses",
        ),
        (
            none.clone(),
            actions(&[
                ("action", text("store")),
                ("subject", text("text")),
                ("days", text("7")),
            ]),
            "action 2: expected days as a number",
        ),
        (
            none,
            actions(&[("action", text("notify")), ("target", text("https://x.example"))]),
            "action 2: expected a target",
        ),
    ];
    for (verdicts, actions, expected) in invalid {
        let row = HashMap::from([
            ("pk".to_owned(), text("MAILBOX#support@shop.example")),
            ("sk".to_owned(), text("ACTIONS")),
            ("listKey".to_owned(), text("MAILBOXES")),
            ("listSort".to_owned(), text("support@shop.example")),
            ("verdicts".to_owned(), verdicts),
            ("actions".to_owned(), actions),
        ]);
        let put = client.put_item().table_name("postroom").set_item(Some(row));
        put.send().await.unwrap();
        for error in [
            store.mailboxes(&[key("support@shop.example")]).await.unwrap_err(),
            store.all_mailboxes().await.unwrap_err(),
        ] {
            let error = error.to_string();
            let expected = format!("mailbox ...@shop.example: {expected}");
            assert!(error.contains(&expected), "{error}");
        }
    }
}
