//! What happens to mail that arrives: mailboxes, by address, domain or for everyone.
//!
//! A recipient's mailbox is among at most four keys ([`MailboxKey::candidates`]), so a mail to 100 recipients needs a
//! few BatchGetItems and no scan. A mailbox is one row: its actions belong together and are read together.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use notification_model::{EmailAddress, normalise_domain};

use crate::client::{Store, StoreError};
use crate::item::{Item, n, s, text};

/// What happens to the mail of an address, a domain or everyone else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Whose mail.
    pub key: MailboxKey,
    /// What this mailbox does differently with SES's verdicts.
    pub verdicts: VerdictRules,
    /// What is done, in this order.
    pub actions: Vec<MailboxAction>,
}

/// Whose mail a mailbox takes. In text the address, the domain, or `*`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MailboxKey {
    /// One address, as [`EmailAddress::key`] has it.
    Address(String),
    /// Every address of a domain that has no mailbox of its own; not those of its subdomains.
    Domain(String),
    /// Everyone else. Written `*`.
    CatchAll,
}

/// What a mailbox does differently with SES's verdicts; `None` is Postroom's default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct VerdictRules {
    /// A virus was found.
    pub virus_fail: Option<VerdictAction>,
    /// SES takes it for spam.
    pub spam_fail: Option<VerdictAction>,
    /// The sending server is not one of the envelope sender's domain.
    pub spf_fail: Option<VerdictAction>,
    /// No signature holds.
    pub dkim_fail: Option<VerdictAction>,
    /// DMARC fails, and the domain in From asks for nothing.
    pub dmarc_none: Option<VerdictAction>,
    /// DMARC fails, and the domain in From asks to quarantine.
    pub dmarc_quarantine: Option<VerdictAction>,
    /// DMARC fails, and the domain in From asks to reject.
    pub dmarc_reject: Option<VerdictAction>,
    /// SES could not or did not check: GRAY, PROCESSING_FAILED, DISABLED, or a verdict that is new.
    pub unchecked: Option<VerdictAction>,
}

/// What follows from a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VerdictAction {
    /// As if the verdict were good.
    Continue,
    /// Go on, and say it in what is forwarded, stored and notified.
    Tag,
    /// Take no action, and skip the rest of this receipt rule.
    StopRule,
    /// Take no action, and skip every rule that follows.
    StopRuleSet,
    /// Send it back when that cannot harm anyone else; else as `StopRuleSet`.
    Bounce,
}

/// One thing that is done with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailboxAction {
    /// Keep it in the index.
    Store {
        /// What is kept of the subject.
        subject: KeptSubject,
        /// For so many days; as long as the function's default says, unless given.
        days: Option<u32>,
    },
    /// Send it on to others.
    Forward {
        /// To whom.
        to: Vec<EmailAddress>,
        /// The verified address it is sent from.
        from: EmailAddress,
    },
    /// Take it as the sender's wish to get no more mail.
    Unsubscribe,
    /// CheckResult it.
    AutoReply {
        /// The verified address the answer is sent from.
        from: EmailAddress,
        /// The answer's subject; that of the mail with `Auto:` before it, unless given.
        subject: Option<String>,
        /// The answer, as plain text.
        text: String,
        /// A sender gets one answer within so many days.
        every_days: u32,
    },
    /// Send it back, when that cannot harm anyone else.
    Bounce {
        /// The verified address that bounces.
        sender: EmailAddress,
        /// Why, for the sender of the mail to read.
        message: String,
        /// The enhanced status code, such as `5.1.1`.
        status_code: String,
    },
    /// Tell a machine.
    Notify {
        /// Which.
        target: NotifyTarget,
    },
    /// Do nothing with it.
    Drop {
        /// Why.
        reason: String,
    },
}

/// What the index keeps of a subject.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeptSubject {
    /// Nothing.
    #[default]
    None,
    /// A hash: enough to see that two are the same.
    Hash,
    /// All of it.
    Text,
}

/// A machine that hears of a mail. In text `topic:ARN` or `queue:URL`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NotifyTarget {
    /// An SNS topic, by ARN.
    Topic(String),
    /// An SQS queue, by URL.
    Queue(String),
}

impl MailboxAction {
    /// Its name in `postroom.toml`: `forward`.
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

impl MailboxKey {
    /// Every key under which a recipient's mailbox can be; the first that exists takes the mail.
    ///
    /// ```
    /// use store::MailboxKey;
    /// use notification_model::EmailAddress;
    ///
    /// let recipient = EmailAddress::parse("Sales+Spring@Shop.Example").unwrap();
    /// let keys: Vec<String> = MailboxKey::candidates(&recipient).iter().map(ToString::to_string).collect();
    /// assert_eq!(keys, ["sales+spring@shop.example", "sales@shop.example", "shop.example", "*"]);
    /// ```
    #[must_use]
    pub fn candidates(recipient: &EmailAddress) -> Vec<Self> {
        let mut keys = Vec::new();
        if let Some((local, domain)) = recipient.key().rsplit_once('@') {
            keys.push(Self::Address(recipient.key().to_owned()));
            // In a quoted local part a plus is a character like any other.
            if let Some((untagged, _)) = local.split_once('+')
                && !untagged.is_empty()
                && !untagged.starts_with('"')
            {
                keys.push(Self::Address(format!("{untagged}@{domain}")));
            }
            keys.push(Self::Domain(domain.to_owned()));
        }
        keys.push(Self::CatchAll);
        keys
    }

    fn pk(&self) -> String {
        format!("MAILBOX#{self}")
    }

    /// The key without the local part of an address.
    fn for_log(&self) -> String {
        match self {
            Self::Address(address) => address
                .rsplit_once('@')
                .map_or_else(|| "...".to_owned(), |(_, domain)| format!("...@{domain}")),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for MailboxKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address(text) | Self::Domain(text) => text,
            Self::CatchAll => "*",
        })
    }
}

/// The text is neither an address nor a domain nor `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a mail address, a domain, or *")]
pub struct InvalidMailboxKey;

impl FromStr for MailboxKey {
    type Err = InvalidMailboxKey;

    fn from_str(text: &str) -> Result<Self, InvalidMailboxKey> {
        match text {
            "*" => Ok(Self::CatchAll),
            "" => Err(InvalidMailboxKey),
            _ if text.contains('@') => EmailAddress::parse(text)
                .filter(|address| !address.key().starts_with('@') && !address.key().ends_with('@'))
                .map(|address| Self::Address(address.key().to_owned()))
                .ok_or(InvalidMailboxKey),
            domain => Ok(Self::Domain(normalise_domain(domain))),
        }
    }
}

impl VerdictRules {
    /// Every rule by its name in the row, so that writing and reading cannot miss one.
    fn named(&mut self) -> [(&'static str, &mut Option<VerdictAction>); 8] {
        [
            ("virusFail", &mut self.virus_fail),
            ("spamFail", &mut self.spam_fail),
            ("spfFail", &mut self.spf_fail),
            ("dkimFail", &mut self.dkim_fail),
            ("dmarcNone", &mut self.dmarc_none),
            ("dmarcQuarantine", &mut self.dmarc_quarantine),
            ("dmarcReject", &mut self.dmarc_reject),
            ("unchecked", &mut self.unchecked),
        ]
    }
}

impl VerdictAction {
    /// Its name in `postroom.toml` and in the row: `stop-rule-set`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Continue => "continue",
            Self::Tag => "tag",
            Self::StopRule => "stop-rule",
            Self::StopRuleSet => "stop-rule-set",
            Self::Bounce => "bounce",
        }
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        [
            Self::Continue,
            Self::Tag,
            Self::StopRule,
            Self::StopRuleSet,
            Self::Bounce,
        ]
        .into_iter()
        .find(|one| one.as_str() == text)
    }
}

impl KeptSubject {
    /// Its name in `postroom.toml` and in the row.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Hash => "hash",
            Self::Text => "text",
        }
    }

    fn read(text: &str) -> Option<Self> {
        [Self::None, Self::Hash, Self::Text]
            .into_iter()
            .find(|one| one.as_str() == text)
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
    fn read(text: &str) -> Option<Self> {
        match text.split_once(':')? {
            (_, "") => None,
            ("topic", arn) => Some(Self::Topic(arn.to_owned())),
            ("queue", url) => Some(Self::Queue(url.to_owned())),
            _ => None,
        }
    }
}

impl Store {
    /// The mailboxes under these keys; a key without one is absent. One request for 100 keys.
    ///
    /// # Errors
    /// When DynamoDB fails, or when a row holds something this version cannot read: to leave it out would hand the mail
    /// to a less specific mailbox without anyone noticing.
    pub async fn mailboxes(&self, keys: &[MailboxKey]) -> Result<BTreeMap<MailboxKey, Mailbox>, StoreError> {
        let pks: Vec<String> = keys.iter().map(MailboxKey::pk).collect();
        let rows = self.get_rows(&pks, "ACTIONS").await?;
        let mut found = BTreeMap::new();
        for key in keys {
            let Some(row) = rows.get(&key.pk()) else { continue };
            let mailbox = read_mailbox(key, row)
                .map_err(|problem| self.broken("BatchGetItem", format!("mailbox {}: {problem}", key.for_log())))?;
            found.insert(key.clone(), mailbox);
        }
        Ok(found)
    }

    /// Writes a mailbox over whatever its key had.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn put_mailbox(&self, mailbox: &Mailbox) -> Result<(), StoreError> {
        let mut verdicts = mailbox.verdicts;
        let verdicts = verdicts.named().into_iter().filter_map(|(name, action)| {
            let action = action.as_ref()?;
            Some((name.to_owned(), s(action.as_str())))
        });
        self.put(Item::from([
            ("pk".to_owned(), s(mailbox.key.pk())),
            ("sk".to_owned(), s("ACTIONS")),
            ("verdicts".to_owned(), AttributeValue::M(verdicts.collect())),
            (
                "actions".to_owned(),
                AttributeValue::L(mailbox.actions.iter().map(write_action).collect()),
            ),
            ("listKey".to_owned(), s("MAILBOXES")),
            ("listSort".to_owned(), s(mailbox.key.to_string())),
        ]))
        .await
    }

    /// Removes the mailbox of a key.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn delete_mailbox(&self, key: &MailboxKey) -> Result<(), StoreError> {
        self.delete(&key.pk(), "ACTIONS").await
    }

    /// Every mailbox, for people. Reads the index, which may be a second behind.
    ///
    /// # Errors
    /// As [`mailboxes`](Self::mailboxes).
    pub async fn all_mailboxes(&self) -> Result<BTreeMap<MailboxKey, Mailbox>, StoreError> {
        let listed = self.listed("MAILBOXES", "\u{10ffff}").await?;
        let keys = listed.iter().map(|row| {
            let key = text(row, "listSort").and_then(|text| text.parse().ok());
            key.ok_or_else(|| self.broken("Query", "a mailbox without an address, a domain or * as its listSort"))
        });
        self.mailboxes(&keys.collect::<Result<Vec<_>, _>>()?).await
    }
}

fn write_action(action: &MailboxAction) -> AttributeValue {
    let mut map = Item::from([("action".to_owned(), s(action.name()))]);
    let mut set = |name: &str, value: AttributeValue| map.insert(name.to_owned(), value);
    match action {
        MailboxAction::Store { subject, days } => {
            set("subject", s(subject.as_str()));
            if let Some(days) = days {
                set("days", n(days));
            }
        }
        MailboxAction::Forward { to, from } => {
            // A list, because people read it in the order they wrote it.
            set("to", AttributeValue::L(to.iter().map(|one| s(written(one))).collect()));
            set("from", s(written(from)));
        }
        MailboxAction::Unsubscribe => {}
        MailboxAction::AutoReply {
            from,
            subject,
            text,
            every_days,
        } => {
            set("from", s(written(from)));
            if let Some(subject) = subject {
                set("subject", s(subject));
            }
            set("text", s(text));
            set("everyDays", n(every_days));
        }
        MailboxAction::Bounce {
            sender,
            message,
            status_code,
        } => {
            set("sender", s(written(sender)));
            set("message", s(message));
            set("statusCode", s(status_code));
        }
        MailboxAction::Notify { target } => {
            set("target", s(target.to_string()));
        }
        MailboxAction::Drop { reason } => {
            set("reason", s(reason));
        }
    }
    AttributeValue::M(map)
}

/// An address with its name, as it is read again. A name never holds the quotes around it.
fn written(address: &EmailAddress) -> String {
    match address.name() {
        Some(name) => format!("\"{}\" <{address}>", name.replace(['"', '\\'], "")),
        None => address.to_string(),
    }
}

fn read_mailbox(key: &MailboxKey, row: &Item) -> Result<Mailbox, String> {
    let verdicts = row
        .get("verdicts")
        .and_then(|value| value.as_m().ok())
        .ok_or("expected verdicts as a map")?;
    let mut rules = VerdictRules::default();
    let mut known = 0;
    for (name, rule) in rules.named() {
        let Some(value) = verdicts.get(name) else { continue };
        known += 1;
        let action = value.as_s().ok().and_then(|text| VerdictAction::read(text));
        *rule = Some(action.ok_or_else(|| format!("verdict {name}: expected an action"))?);
    }
    if known < verdicts.len() {
        return Err("a verdict this version does not know".to_owned());
    }
    let actions = row
        .get("actions")
        .and_then(|value| value.as_l().ok())
        .ok_or("expected actions as a list")?;
    let actions = actions.iter().enumerate().map(|(index, value)| {
        let map = value.as_m().map_err(|_| "expected a map");
        map.and_then(read_action)
            .map_err(|problem| format!("action {}: {problem}", index + 1))
    });
    Ok(Mailbox {
        key: key.clone(),
        verdicts: rules,
        actions: actions.collect::<Result<_, _>>()?,
    })
}

fn read_action(map: &Item) -> Result<MailboxAction, &'static str> {
    let string = |name: &'static str, expected: &'static str| text(map, name).map(str::to_owned).ok_or(expected);
    let optional = |name: &str, expected: &'static str| match map.get(name) {
        None => Ok(None),
        Some(AttributeValue::S(text)) => Ok(Some(text.clone())),
        Some(_) => Err(expected),
    };
    let number = |name: &str, expected: &'static str| match map.get(name) {
        None => Ok(None),
        Some(AttributeValue::N(digits)) => digits.parse::<u32>().map(Some).map_err(|_| expected),
        Some(_) => Err(expected),
    };
    let address = |name: &str, expected: &'static str| text(map, name).and_then(EmailAddress::parse).ok_or(expected);
    Ok(match text(map, "action") {
        Some("store") => MailboxAction::Store {
            subject: text(map, "subject")
                .and_then(KeptSubject::read)
                .ok_or("expected the subject none, hash or text")?,
            days: number("days", "expected days as a number")?,
        },
        Some("forward") => {
            let to = map.get("to").and_then(|value| value.as_l().ok());
            let to = to.ok_or("expected to as a list")?.iter().map(|value| {
                let address = value.as_s().ok().and_then(|text| EmailAddress::parse(text));
                address.ok_or("expected to as addresses")
            });
            MailboxAction::Forward {
                to: to.collect::<Result<_, _>>()?,
                from: address("from", "expected from as an address")?,
            }
        }
        Some("unsubscribe") => MailboxAction::Unsubscribe,
        Some("auto-reply") => MailboxAction::AutoReply {
            from: address("from", "expected from as an address")?,
            subject: optional("subject", "expected subject as a string")?,
            text: string("text", "expected a text")?,
            every_days: number("everyDays", "expected everyDays as a number")?.ok_or("expected everyDays")?,
        },
        Some("bounce") => MailboxAction::Bounce {
            sender: address("sender", "expected sender as an address")?,
            message: string("message", "expected a message")?,
            status_code: string("statusCode", "expected a statusCode")?,
        },
        Some("notify") => MailboxAction::Notify {
            target: text(map, "target")
                .and_then(NotifyTarget::read)
                .ok_or("expected a target: topic:ARN or queue:URL")?,
        },
        Some("drop") => MailboxAction::Drop {
            reason: string("reason", "expected a reason")?,
        },
        _ => return Err("an action this version does not know"),
    })
}
