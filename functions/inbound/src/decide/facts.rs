//! What a decision needs besides the SES event.

use std::collections::BTreeMap;

use jiff::Timestamp;
use store::{AnswerCounts, MailLocation, Mailbox, MailboxKey};

use crate::mail::MailFacts;

/// What a decision needs besides the SES event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The stored mailboxes of the recipients, by key: those of [`mailbox_keys`](super::mailbox_keys).
    pub mailboxes: BTreeMap<MailboxKey, Mailbox>,
    /// The header of the mail.
    pub header: HeaderFacts,
    /// The size of the mail in octets.
    pub size: Option<u64>,
    /// The location of the mail, if it is in a bucket.
    pub location: Option<MailLocation>,
    /// The suppressed addresses that would get an answer, by key, with the reason.
    pub suppressed: BTreeMap<String, String>,
    /// The suppressed forward targets, by mailbox and key of the address.
    pub suppressed_targets: BTreeMap<(MailboxKey, String), SuppressedTarget>,
    /// The answers of the last days, by address and by domain.
    pub answers: BTreeMap<String, AnswerCounts>,
    /// The time of the decision.
    pub now: Timestamp,
}

/// What is known about the header of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderFacts {
    /// The header was read.
    Read(Box<MailFacts>),
    /// The header cannot be read, with the reason.
    Unreadable(String),
    /// The header was not read. The reason of an action that depends on it says so, and the action fails.
    Unknown,
}

/// Why a forward target is suppressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppressedTarget {
    /// The suppression: its scope, source, time and message id.
    pub id: String,
    /// Source, scope and reason, for people.
    pub reason: String,
    /// Whether the address does not exist, for any sender.
    pub is_dead: bool,
}
