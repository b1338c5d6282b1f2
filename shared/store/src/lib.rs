//! Postroom's DynamoDB table: who must not be mailed and why, and how each sender is doing.
//!
//! One on-demand table, keys `pk` and `sk`, TTL on `expiresAt`, one keys-only index `listing` (`listKey`, `listSort`).
//! Everything that runs per notification is a key lookup; the index serves people's lists.
//!
//! | row | pk | sk | holds |
//! |---|---|---|---|
//! | recipient | `RECIPIENT#<address>` | `SUPPRESSION` | one attribute `<scope>\|<source>` per decision |
//! | history | `RECIPIENT#<address>` | `EVENT#<time>#<message id>#<kind>#<scope>` | what happened and what was done about it |
//! | event count | `SENDER#<owner>#<account>#<identity>` | `<ten minutes>#<kind>#<message id>#<recipient hash>` | one bounce or complaint; the first that a process writes for a sender and hour is listed under `HOUR#<hour>` |
//! | batch count | `SENDER#<owner>#<account>#<identity>` | `<ten minutes>#batch#<hash>` | ids of a batch's sends, deliveries, ...; listed under `HOUR#<hour>` |
//! | deliveries | `DELIVERED#<scope>#<day>` | `<hour>#<hash>` | recipients a batch was delivered to |
//! | watch state | `REPUTATION#<owner>/<account>/<identity>` | `STATE#<window>#<measure>` | how the sender stands; listed under `WATCHED` until calm |
//! | act | `REPUTATION#<owner>/<account>/<identity>` | `ENFORCEMENT#<id>` | what was done to the sender, with all that undoing needs; listed under `ACTS` |
//! | lines | `LINES` | `DEFAULT`, `FOR#<owner>/<account>/<identity>` | what senders are measured against; `*` is any |
//! | routes | `ROUTE#<owner>#<account>#<identity>`, `*` for anyone | `TARGETS` | every route about these parties |
//! | party | `ACCOUNT#<account>` | `IDENTITIES` | the identities an account sends from, with their owners |
//! | digest | `DIGEST#<address>` | `<window>` | whether the digest of the window is open, claimed or sent |
//! | digest line | `DIGEST#<address>` | `<window>#<id>` | one line of it |
//! | mailbox | `MAILBOX#<address>`, `MAILBOX#<domain>`, `MAILBOX#*` | `ACTIONS` | what happens to mail that arrives |
//! | mail | `MAIL#<mailbox>` | `<time>#<message id>` | a mail that arrived, or why it was not passed on; listed under `MESSAGE#<message id>` |
//! | claim | `CLAIM#<message id>` | `<mailbox>#<action>#<target>` | an action begun (`claimedAt`) or done (`doneAt`) |
//! | answer | `REPLY#<mailbox>` | `<sender>` | when the mailbox last answered the sender |
//! | mailer | `MAILER#<sender>` | `<hour>#<what>` | hashes of the mails forwarded or answered for the sender |
//! | mirror end | `MIRROR` | `<time>#<scope>#<address>` | when an address has to come off SES's own list |
//!
//! # One row per recipient
//!
//! A sender asks "may I mail this address?" with **one** key, and 100 addresses with one BatchGetItem, so all scopes of
//! a recipient share a row. Each decision is a register of its own, named by scope and origin
//! (`global|bounce`, `tenant:acme|complaint`, `domain:example.com|manual`), that the newest event owns: an update
//! replaces it only when its version (`<time>#<message id>`) is smaller. Duplicates, late arrivals and any order leave
//! the same row. The row itself never expires (an expiring row could take a permanent decision with it): each register
//! carries its own `until`.
//!
//! The reading rule, the same in any language, is [`Recipient::blocks`]: a register of `global` or the sender's own scopes
//! blocks when `blocked` is true, `until` is absent or in the future, the scope's `released` register is not as new, and
//! it is no list or topic (`list:`, `topic:`) other than the mail's own.
//!
//! ```no_run
//! use store::{SenderContext, Store};
//! use notification_model::EmailAddress;
//!
//! # async fn ask(client: aws_sdk_dynamodb::Client) -> Result<(), store::StoreError> {
//! let store = Store::new(client, "postroom-Table-EXAMPLE");
//! let context = SenderContext { identity: Some("example.com".into()), tenant: Some("acme".into()), topic: None };
//! let addresses: Vec<_> = EmailAddress::parse("jane@example.net").into_iter().collect();
//! for answer in store.check(&addresses, &context, jiff::Timestamp::now()).await? {
//!     println!("{} {}", answer.address, if answer.blocks.is_empty() { "mail" } else { "don't" });
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Counting
//!
//! Bounces and complaints are one row each, keyed by what happened, so that counting twice is not possible, whichever
//! topic told. Sends and deliveries are one row per batch that holds an 8-byte hash per recipient: as cheap as a counter,
//! and the reader's union is exact under redelivery in other batches.

mod client;
mod inbound;
mod item;
mod listing_cache;
mod reputation;
mod routing;
mod statistics;
mod suppression;
#[cfg(feature = "testing")]
pub mod testing;

pub use client::{Store, StoreError};
pub use inbound::{
    ClaimKey, ClaimOutcome, IndexedMail, IndexedSubject, InvalidMailboxKey, KeptSubject, MailLocation, Mailbox,
    MailboxAction, MailboxKey, NotifyTarget, SenderLimit, VerdictAction, VerdictRules,
};
pub use item::stamp;
pub use reputation::{
    Enforcement, EnforcementChange, EnforcementKind, EnforcementStatus, Figures, InvalidRate, Level, Measure, Rate,
    ReputationState, Threshold, ThresholdTable, Thresholds, Window,
};
pub use routing::{
    DigestKey, InvalidSenderMatch, InvalidTarget, Redaction, RegisteredIdentity, Route, RouteFilter, RouteKey,
    SenderMatch, Target,
};
pub use statistics::{
    EventCounts, EventKind, InvalidSender, Sender, SenderBatch, SenderEvent, SenderRates, SendingStream,
};
pub use suppression::{
    Block, CheckResult, DeliveredBatch, HistoryEntry, InvalidMirrorRequest, InvalidScope, ListedSuppression,
    MirrorAction, MirrorEnd, MirrorReason, MirrorRequest, Recipient, Scope, SenderContext, SoftBounce, StreakWrite,
    SuppressionEntry, SuppressionSource,
};
