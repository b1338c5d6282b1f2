//! The mail that SES receives, and the mailboxes that it is for.

use std::collections::BTreeSet;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use notification_model::EmailAddress;
use serde_json::{Value, json};
use store::{ForwardSettings, KeptSubject, Mailbox, MailboxAction, NotifyContent, NotifyTarget, VerdictRules};

use super::caps::{Candidate, Caps};

/// Forwards of mail from one sender within an hour.
pub(super) const FORWARDS_PER_SENDER: usize = 3;
/// The topic of the mailbox `info@`.
pub(super) const NOTIFY_TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:mail-arrived";

const INFO: &str = "info@shop.example";
const SALES: &str = "sales@shop.example";
const HELP: &str = "help@shop.example";
const WRITERS: [&str; 3] = [
    "writer-one@client.example",
    "writer-two@client.example",
    "writer-three@other.example",
];

/// How SES or SNS invokes the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvokedBy {
    /// A receipt rule that waits for the disposition. SES does not repeat it.
    WaitingRule,
    /// A receipt rule that does not wait. Lambda repeats a failed invocation.
    Rule,
    /// The SNS action, with the mail in the notification. Lambda repeats a failed invocation.
    Topic,
}

/// A mail.
#[derive(Debug, Clone)]
pub struct ScenarioMail {
    /// SES's id, which is also in the mail's `Message-ID` and text.
    pub id: String,
    /// The author and envelope sender.
    pub writer: &'static str,
    /// The recipients, each with a mailbox.
    pub recipients: BTreeSet<&'static str>,
    /// When SES received it.
    pub received_at: Timestamp,
    /// One for each matching rule.
    pub invocations: Vec<InvokedBy>,
}

/// Everything that SES receives in one seed.
#[derive(Debug)]
pub struct InboundScenario {
    /// The mail, in the order of its receipt.
    pub mails: Vec<ScenarioMail>,
    /// The caps on what the function sends.
    pub(super) caps: Caps,
}

impl InboundScenario {
    /// The scenario of a seed, or its first `max_mails` mails.
    #[must_use]
    pub fn new(seed: u64, max_mails: Option<usize>) -> Self {
        let rng = &mut Rng::with_seed(seed);
        let start: Timestamp = "2026-03-03T09:15:00Z".parse().expect("a time");
        let writers = rng.usize(1..=WRITERS.len());
        let mut received_at = start;
        let number = rng.usize(1..=14);
        let mails = (0..number).map(|number| {
            received_at += SignedDuration::from_secs(rng.i64(1..900));
            let mut recipients: BTreeSet<&'static str> =
                [INFO, SALES, HELP].into_iter().filter(|_| rng.bool()).collect();
            if recipients.is_empty() {
                recipients.insert(INFO);
            }
            let ways = [InvokedBy::WaitingRule, InvokedBy::Rule, InvokedBy::Topic];
            ScenarioMail {
                id: format!("mail-{number:03}"),
                writer: WRITERS[rng.usize(..writers)],
                recipients,
                received_at,
                invocations: (0..rng.usize(1..=2)).map(|_| ways[rng.usize(..ways.len())]).collect(),
            }
        });
        let mut mails: Vec<ScenarioMail> = mails.collect();
        let caps = Caps::draw(rng);
        mails.truncate(max_mails.unwrap_or(usize::MAX));
        Self { mails, caps }
    }

    /// The mail with an id that a text contains.
    pub(super) fn find_in(&self, text: &str) -> Option<&ScenarioMail> {
        self.mails.iter().find(|mail| text.contains(&mail.id))
    }
}

/// The mailboxes.
pub(super) fn mailboxes() -> Vec<Mailbox> {
    let address = |text: &str| EmailAddress::parse(text).expect("an address");
    let forward = |mailbox| MailboxAction::Forward {
        to: forward_targets(mailbox).iter().map(|to| address(to)).collect(),
        from: address("forward@shop.example"),
        settings: ForwardSettings::default(),
    };
    let store = MailboxAction::Store {
        subject: KeptSubject::None,
        days: None,
    };
    let reply = MailboxAction::AutoReply {
        from: address(HELP),
        subject: None,
        text: "We read it soon.".to_owned(),
        every_days: 7,
    };
    let notify = MailboxAction::Notify {
        target: NotifyTarget::Topic(NOTIFY_TOPIC.to_owned()),
        content: NotifyContent::default(),
    };
    let mailbox = |key: &str, actions| Mailbox {
        key: key.parse().expect("a mailbox"),
        verdicts: VerdictRules::default(),
        actions,
        owner: None,
        trusted_forwarders: Vec::new(),
    };
    vec![
        mailbox(INFO, vec![store.clone(), forward(INFO), notify]),
        mailbox(SALES, vec![store.clone(), forward(SALES)]),
        mailbox(HELP, vec![store, reply]),
    ]
}

/// The addresses that a mailbox forwards to.
pub(super) fn forward_targets(mailbox: &str) -> &'static [&'static str] {
    match mailbox {
        INFO => &["owner@target.example", "second@target.example"],
        SALES => &["sales@target.example"],
        _ => &[],
    }
}

impl ScenarioMail {
    /// The addresses that the mail is forwarded to.
    pub(super) fn forwards(&self) -> BTreeSet<&'static str> {
        self.recipients
            .iter()
            .flat_map(|mailbox| forward_targets(mailbox))
            .copied()
            .collect()
    }

    /// The forwards of the mail.
    pub(super) fn forward_candidates(&self) -> impl Iterator<Item = Candidate<'_>> {
        let of_mailbox = |mailbox: &'static str| forward_targets(mailbox).iter().map(move |to| (mailbox, *to));
        self.recipients
            .iter()
            .flat_map(move |mailbox| of_mailbox(mailbox))
            .map(|(mailbox, to)| self.candidate(mailbox, to))
    }

    /// The reply to the mail.
    pub(super) fn reply_candidate(&self) -> Option<Candidate<'_>> {
        self.asks_for_reply().then(|| self.candidate(HELP, self.writer))
    }

    fn candidate<'a>(&'a self, mailbox: &'static str, to: &'a str) -> Candidate<'a> {
        Candidate {
            id: &self.id,
            writer: self.writer,
            received_at: self.received_at,
            mailbox,
            to,
        }
    }

    /// Whether the topic is notified of it.
    pub(super) fn is_notified(&self) -> bool {
        self.recipients.contains(INFO)
    }

    /// Whether it asks for an automatic reply.
    pub(super) fn asks_for_reply(&self) -> bool {
        self.recipients.contains(HELP)
    }

    /// The mail itself.
    pub(super) fn raw(&self) -> String {
        let recipients: Vec<&str> = self.recipients.iter().copied().collect();
        let Self { id, writer, .. } = self;
        format!(
            "Return-Path: <{writer}>\r\nFrom: Writer <{writer}>\r\nTo: {to}\r\nSubject: Order {id}\r\n\
             Date: Tue, 3 Mar 2026 10:15:00 +0100\r\nMessage-ID: <{id}@client.example>\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\nThis is {id}.\r\n",
            to = recipients.join(", "),
        )
    }

    /// The event of an invocation.
    pub(super) fn event(&self, invoked_by: InvokedBy) -> Value {
        let pass = json!({"status": "PASS"});
        let action = match invoked_by {
            InvokedBy::WaitingRule => {
                json!({"type": "Lambda", "functionArn": "arn", "invocationType": "RequestResponse"})
            }
            InvokedBy::Rule => json!({"type": "Lambda", "functionArn": "arn", "invocationType": "Event"}),
            InvokedBy::Topic => json!({"type": "SNS", "topicArn": "arn", "encoding": "UTF8"}),
        };
        let raw = self.raw();
        let headers: Vec<Value> = raw
            .split("\r\n\r\n")
            .next()
            .unwrap_or_default()
            .split("\r\n")
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        let at = self.received_at.to_string();
        let ses = json!({
            "mail": {
                "timestamp": at, "source": self.writer, "messageId": self.id, "destination": self.recipients,
                "headersTruncated": false, "headers": headers,
                "commonHeaders": {
                    "returnPath": self.writer, "from": [format!("Writer <{}>", self.writer)], "to": self.recipients,
                    "messageId": format!("<{}@client.example>", self.id), "subject": format!("Order {}", self.id),
                    "date": "Tue, 3 Mar 2026 10:15:00 +0100",
                },
            },
            "receipt": {
                "timestamp": at, "processingTimeMillis": 412, "recipients": self.recipients, "spamVerdict": pass,
                "virusVerdict": pass, "spfVerdict": pass, "dkimVerdict": pass, "dmarcVerdict": pass, "action": action,
            },
        });
        match invoked_by {
            InvokedBy::WaitingRule | InvokedBy::Rule => {
                json!({"Records": [{"eventSource": "aws:ses", "eventVersion": "1.0", "ses": ses}]})
            }
            InvokedBy::Topic => {
                let mut notification = ses;
                notification["notificationType"] = json!("Received");
                notification["content"] = json!(raw);
                let sns = json!({
                    "Type": "Notification", "MessageId": format!("sns-{}", self.id), "TopicArn": "arn",
                    "Timestamp": at, "Message": notification.to_string(),
                });
                json!({"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": sns}]})
            }
        }
    }
}
