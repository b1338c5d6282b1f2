//! Mailboxes, and the mail that they receive.

mod answers;
mod claims;
mod forward_settings;
mod mail_index;
mod mailbox;
mod mailbox_key;
mod mailbox_row;
mod mailbox_store;
mod send_caps;
mod sender_limits;
mod sent_mail;
mod verdict_rules;

pub use answers::{AnswerCounts, AnswerEvent};
pub use claims::{ClaimKey, ClaimOutcome};
pub use forward_settings::{ForwardSettings, NotifyContent, QuarantineMark, WhenSuppressed};
pub use mail_index::{IndexedMail, IndexedSubject, MailLocation};
pub use mailbox::{KeptSubject, Mailbox, MailboxAction, NotifyTarget, OwnerTarget};
pub use mailbox_key::{InvalidMailboxKey, MailboxKey};
pub use send_caps::{CapPeriod, SendCap};
pub use sender_limits::SenderLimit;
pub use sent_mail::{SentKind, SentMail};
pub use verdict_rules::{VerdictAction, VerdictRules};
