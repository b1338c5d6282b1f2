//! Mailboxes and the mail that arrives for them.

mod mail;
mod mailbox;

pub use mail::{ClaimKey, ClaimOutcome, IndexedMail, IndexedSubject, MailLocation, SenderCap};
pub use mailbox::{
    InvalidMailboxKey, KeptSubject, Mailbox, MailboxAction, MailboxKey, NotifyTarget, VerdictAction, VerdictRules,
};
