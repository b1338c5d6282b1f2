//! Mailboxes: what happens to received mail.
//!
//! The mailbox of a recipient has one of at most four keys ([`MailboxKey::candidates`]), so a mail to 100 recipients needs a few
//! BatchGetItem requests and no scan. A mailbox is one row.

use std::fmt;

use notification_model::EmailAddress;

use super::forward_settings::{ForwardSettings, NotifyContent};
use super::mailbox_key::MailboxKey;
use super::verdict_rules::VerdictRules;

/// What happens to the mail of an address, of a domain, or of all other addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The recipients.
    pub key: MailboxKey,
    /// The rules for SES's verdicts.
    pub verdicts: VerdictRules,
    /// The actions, in this order.
    pub actions: Vec<MailboxAction>,
    /// Who is notified about forwards that the recipient refuses. `None`: nobody, so that only the alarm goes off.
    pub owner: Option<OwnerTarget>,
    /// Domains of forwarders and lists. Their mail is not bounced if DMARC fails with the policy reject and their own SPF or
    /// DKIM passes. Normalised.
    pub trusted_forwarders: Vec<String>,
}

/// An action of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailboxAction {
    /// Write the mail into the index.
    Store {
        /// What is kept of the subject.
        subject: KeptSubject,
        /// How many days the index keeps it. Default: `INDEX_DAYS` of the function.
        days: Option<u32>,
    },
    /// Forward the mail.
    Forward {
        /// The recipients of the forward.
        to: Vec<EmailAddress>,
        /// The verified address that sends it.
        from: EmailAddress,
        /// The other settings.
        settings: ForwardSettings,
    },
    /// Unsubscribe the address that a token in the mail names.
    Unsubscribe,
    /// Send an automatic reply.
    AutoReply {
        /// The verified address that replies.
        from: EmailAddress,
        /// The subject. Default: `Auto:` and the subject of the mail.
        subject: Option<String>,
        /// The reply, as plain text.
        text: String,
        /// A sender gets one reply within this number of days.
        every_days: u32,
    },
    /// Bounce the mail, if the return path is proven.
    Bounce {
        /// The verified address that sends the bounce.
        sender: EmailAddress,
        /// The explanation for the sender of the mail.
        message: String,
        /// The enhanced status code, such as `5.1.1`.
        status_code: String,
    },
    /// Send a notification to a topic or queue.
    Notify {
        /// The topic or queue.
        target: NotifyTarget,
        /// What is sent.
        content: NotifyContent,
    },
    /// Take no further action.
    Drop {
        /// Why, for the index.
        reason: String,
    },
}

/// What the index keeps of a subject.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeptSubject {
    /// Nothing.
    #[default]
    None,
    /// A hash, which shows whether two subjects are the same.
    Hash,
    /// The subject.
    Text,
}

/// The target of a notification. As text: `topic:ARN` or `queue:URL`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NotifyTarget {
    /// An SNS topic, by ARN.
    Topic(String),
    /// An SQS queue, by URL.
    Queue(String),
}

/// Who is notified about problems of a mailbox. As text: an address, `topic:ARN` or `queue:URL`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OwnerTarget {
    /// A mail address.
    Email(EmailAddress),
    /// A topic or queue.
    Notify(NotifyTarget),
}

impl Mailbox {
    /// A mailbox without actions.
    #[must_use]
    pub fn new(key: MailboxKey) -> Self {
        Self {
            key,
            verdicts: VerdictRules::default(),
            actions: Vec::new(),
            owner: None,
            trusted_forwarders: Vec::new(),
        }
    }
}

impl MailboxAction {
    /// The name in `postroom.toml`, such as `forward`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Store { .. } => "store",
            Self::Forward { .. } => "forward",
            Self::Unsubscribe => "unsubscribe",
            Self::AutoReply { .. } => "auto-reply",
            Self::Bounce { .. } => "bounce",
            Self::Notify { .. } => "notify",
            Self::Drop { .. } => "drop",
        }
    }
}

impl KeptSubject {
    /// The name in `postroom.toml` and in the row.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Hash => "hash",
            Self::Text => "text",
        }
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        [Self::None, Self::Hash, Self::Text]
            .into_iter()
            .find(|kept| kept.as_str() == text)
    }
}

impl fmt::Display for NotifyTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(arn) => write!(f, "topic:{arn}"),
            Self::Queue(url) => write!(f, "queue:{url}"),
        }
    }
}

impl NotifyTarget {
    pub(super) fn read(text: &str) -> Option<Self> {
        match text.split_once(':')? {
            (_, "") => None,
            ("topic", arn) => Some(Self::Topic(arn.to_owned())),
            ("queue", url) => Some(Self::Queue(url.to_owned())),
            _ => None,
        }
    }
}

impl fmt::Display for OwnerTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email(address) => f.write_str(address.as_str()),
            Self::Notify(target) => target.fmt(f),
        }
    }
}

impl OwnerTarget {
    pub(super) fn read(text: &str) -> Option<Self> {
        match NotifyTarget::read(text) {
            Some(target) => Some(Self::Notify(target)),
            None => Some(Self::Email(
                EmailAddress::parse(text).filter(|address| address.domain().is_some())?,
            )),
        }
    }
}
