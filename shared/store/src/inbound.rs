//! Mailboxes, and the mail that they receive.

mod claims;
mod mail_index;
mod mailbox;
mod mailbox_key;
mod mailbox_row;
mod mailbox_store;
mod sender_limits;
mod verdict_rules;

pub use claims::{ClaimKey, ClaimOutcome};
pub use mail_index::{IndexedMail, IndexedSubject, MailLocation};
pub use mailbox::{KeptSubject, Mailbox, MailboxAction, NotifyTarget};
pub use mailbox_key::{InvalidMailboxKey, MailboxKey};
pub use sender_limits::SenderLimit;
pub use verdict_rules::{VerdictAction, VerdictRules};
