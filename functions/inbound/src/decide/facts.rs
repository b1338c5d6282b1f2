//! What a decision needs besides the SES event.

use std::collections::BTreeMap;

use jiff::Timestamp;
use store::{MailLocation, Mailbox, MailboxKey};

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
    /// The suppressed addresses, by key, with the reason.
    pub suppressed: BTreeMap<String, String>,
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
