//! The mailboxes that the events are for.

use store::{
    ForwardSettings, KeptSubject, Mailbox, MailboxAction, MailboxKey, NotifyContent, NotifyTarget, VerdictAction,
    VerdictRules,
};

use super::{QUEUE, TOPIC, address};

pub(crate) fn mailboxes() -> Vec<Mailbox> {
    let forward = |to: &[&str]| MailboxAction::Forward {
        to: to.iter().map(|to| address(to)).collect(),
        from: address("Postroom <forward@shop.example>"),
        settings: ForwardSettings::default(),
    };
    let store = |subject| MailboxAction::Store { subject, days: None };
    let lax = VerdictRules {
        virus_fail: Some(VerdictAction::Continue),
        spam_fail: Some(VerdictAction::Continue),
        ..VerdictRules::default()
    };
    let strict = VerdictRules {
        unchecked: Some(VerdictAction::StopRule),
        ..VerdictRules::default()
    };
    let (hash, text) = (KeptSubject::Hash, KeptSubject::Text);
    let all: Vec<(&str, VerdictRules, Vec<MailboxAction>)> = vec![
        (
            "info@shop.example",
            VerdictRules::default(),
            vec![
                store(text),
                forward(&["owner@target.example", "Second <Second@target.example>"]),
                MailboxAction::Notify {
                    target: NotifyTarget::Topic(TOPIC.to_owned()),
                    content: NotifyContent::Summary,
                },
            ],
        ),
        (
            "support@shop.example",
            VerdictRules::default(),
            vec![
                MailboxAction::Store {
                    subject: hash,
                    days: Some(365),
                },
                MailboxAction::AutoReply {
                    from: address("Support <support@shop.example>"),
                    subject: None,
                    text: "We read it soon.".to_owned(),
                    every_days: 7,
                },
            ],
        ),
        (
            "old@shop.example",
            VerdictRules::default(),
            vec![MailboxAction::Bounce {
                sender: address("mailer-daemon@shop.example"),
                message: "This address is no longer in use.".to_owned(),
                status_code: "5.1.1".to_owned(),
            }],
        ),
        (
            "noise@shop.example",
            VerdictRules::default(),
            vec![
                MailboxAction::Drop {
                    reason: "the address is not used".to_owned(),
                },
                forward(&["owner@target.example"]),
            ],
        ),
        (
            "dead@shop.example",
            VerdictRules::default(),
            vec![forward(&["gone@target.example", "owner@target.example"])],
        ),
        (
            "forward@shop.example",
            VerdictRules::default(),
            vec![forward(&["owner@target.example"])],
        ),
        (
            "unsubscribe@shop.example",
            VerdictRules::default(),
            vec![MailboxAction::Unsubscribe],
        ),
        (
            "machine@shop.example",
            VerdictRules::default(),
            vec![MailboxAction::Notify {
                target: NotifyTarget::Queue(QUEUE.to_owned()),
                content: NotifyContent::Summary,
            }],
        ),
        ("lax@shop.example", lax, vec![store(text)]),
        ("strict@shop.example", strict, vec![forward(&["owner@target.example"])]),
        ("shop.example", VerdictRules::default(), vec![store(KeptSubject::None)]),
    ];
    all.into_iter()
        .map(|(key, verdicts, actions)| Mailbox {
            verdicts,
            actions,
            ..Mailbox::new(key.parse::<MailboxKey>().unwrap())
        })
        .collect()
}
