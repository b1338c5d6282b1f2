//! Postroom's DynamoDB table: suppressions and their history, statistics of senders, routes, mailboxes, reputation.
//!
//! One on-demand table with keys `pk` and `sk`, TTL on `expiresAt`, and one keys-only index `listing` (`listKey`,
//! `listSort`). Every access that runs for a notification is a key lookup. The index serves lists and schedules.
//!
//! # Rows
//!
//! "F" is the function feedback, "R" the delegate router, "I" inbound, "U" unsubscribe, "M" the suppression mirror, "S" suppression-changes, "Rep" the reputation
//! monitor, "C" `postroomctl`. Times in keys are UTC with milliseconds ([`stamp`]); hashes are 16 hexadecimal digits.
//!
//! | row | pk | sk | listed under | expires | written by | read by |
//! |---|---|---|---|---|---|---|
//! | recipient: all suppression entries of an address | `RECIPIENT#<address>` | `SUPPRESSION` | | never | F, I, U, C | senders, F, I, M, C |
//! | history of a recipient | `RECIPIENT#<address>` | `EVENT#<time>#<message id>#<kind>#<scope>` | `SCOPE#<scope>` if it suppresses | with the entry that it explains, else after `HISTORY_DAYS` | F, I, C | C |
//! | one bounce or complaint | `SENDER#<owner>#<account>#<identity>` | `<ten minutes>#<kind>#<message id>#<recipient hash>` | `HOUR#<hour>`, the first of a process | after `STATISTICS_DAYS` | F | Rep, C |
//! | frequent events of a batch | `SENDER#<owner>#<account>#<identity>` | `<ten minutes>#batch#<hash>` | `HOUR#<hour>` | after `STATISTICS_DAYS` | F | Rep, C |
//! | deliveries of a batch | `DELIVERED#<scope>#<day>` | `<hour>#<hash>` | | after `DELIVERIES_DAYS` | F | F, when a streak completes |
//! | end of a suppression | `ENDS#<hour>#<shard>` | `<time>#<hash of address, scope and list>` | | 30 days after its end | S | S |
//! | first hour whose ends are not all published | `ENDS#CURSOR` | `HOUR` | | never | S | S |
//! | end of a mirrored suppression | `MIRROR` | `<time>#<scope>#<address>` | | 30 days after its end | M | M |
//! | reputation state of a sender | `REPUTATION#<owner>/<account>/<identity>` | `STATE#<window>#<measure>` | `REPUTATION` until normal | never | Rep | Rep, C |
//! | enforcement | `REPUTATION#<owner>/<account>/<identity>` | `ENFORCEMENT#<id>` | `ENFORCEMENTS` | never | Rep, C | Rep, C |
//! | thresholds | `THRESHOLDS` | `DEFAULT`, `FOR#<owner>/<account>/<identity>` (`*`: any) | | never | C | Rep, C |
//! | routes | `ROUTE#<owner>#<account>#<identity>` (`*`: any) | `TARGETS` | `ROUTES` | never | C | R, C |
//! | identities of an account | `ACCOUNT#<account>` | `IDENTITIES` | `ACCOUNTS` | never | C | R, C |
//! | digest | `DIGEST#<address>` | `<window>` | `DIGESTS` until sent or rejected | 14 days | R | R |
//! | digest item | `DIGEST#<address>` | `<window>#<id>` | | 14 days | R | R |
//! | last notifications of an identity or configuration set | `SEEN#<account>/identity/<name>`, `SEEN#<account>/configuration-set/<name>` | `NOTIFICATIONS` | `SEEN` | never | F | C |
//! | proof that SES publishes to a topic | `PROOF#<topic ARN>` | `identity/<name>#<type>`, `event-destination` | | never | F | C |
//! | mailbox | `MAILBOX#<address>`, `MAILBOX#<domain>`, `MAILBOX#*` | `ACTIONS` | `MAILBOXES` | never | C | I, C |
//! | received mail | `MAIL#<mailbox>` | `<time>#<message id>` | `MESSAGE#<message id>` | after the mailbox's `days` | I | C |
//! | claim of an action on a mail | `CLAIM#<message id>` | `<mailbox>#<action>#<target>` | | after the last retry | I | I, C |
//! | last reply to a sender | `REPLY#<mailbox>` | `<sender>` | | after twice the mailbox's `every-days` | I | I |
//! | forwards and replies for a sender in an hour | `MAILER#<sender>` | `<hour>#<kind>` | | after 2 hours | I | I |
//! | count of a cap: one of the counter's rows | `CAP#<counter>#<row>` | `<minute, hour or day>` | | after the period, and as long again | I, U | I, U |
//! | mail that was sent for a mailbox | `SENT#<SES message id>` | `MAIL` | | 30 days | I | F |
//! | answers to an address or domain on a day | `ANSWERS#<address or domain>#<day>` | `COUNT` | | 8 days | I, F | I |
//!
//! # Recipient row
//!
//! A sender checks an address with **one** key, and 100 addresses with one BatchGetItem, so all scopes of a recipient share
//! a row. The row never expires, because that would delete permanent suppressions with it.
//!
//! | attribute | type | value |
//! |---|---|---|
//! | `<scope>\|<source>` | map | a suppression entry: `version`, `at`, `id`, `blocked`, `until` (seconds since the epoch, absent: permanent), `reason`, `address`, `evidence` |
//! | `<scope>\|soft` | string set | soft bounces: `<time>#<message id>` |
//! | `<scope>\|unconfirmed` | string set | hard bounces that SES does not confirm: `<time>\|<detail>#<message id>` |
//! | `<scope>\|delivered` | string set | the newest deliveries, at most 20: `<time>#<hash of the message id>` |
//! | `createdAt` | string | when the row was created |
//! | `republishedAt` | string | when an operator last asked to publish the state of the row again |
//!
//! A scope is `global`, `tenant:NAME`, `tenant:ACCOUNT/NAME` (a tenant of another account), `domain:NAME` or
//! `forward:MAILBOX` (only the forwards of this mailbox); a source is
//! `bounce`, `unconfirmed-bounce`, `complaint`, `streak`, `ses-list`, `unsubscribe`, `manual`, `released`, `list:NAME` or `topic:LIST/TOPIC`. Examples: `global|bounce`, `tenant:acme|complaint`.
//!
//! A write replaces the entry of its scope and source only if the stored `version` (`<time>#<message id>`) is smaller.
//! Duplicate and late events, in any order, therefore result in the same row.
//!
//! # Reading rule
//!
//! [`Recipient::active_for`] implements the rule, which is the same in every language. An entry suppresses a mail if all of
//! these are true:
//!
//! - its scope is `global`, the tenant of the sender, or the sending domain or one of its parent domains,
//! - `blocked` is true,
//! - `until` is absent or in the future,
//! - `at` is later than `at` of the scope's `released` entry, if there is one,
//! - its source is neither `list:` nor `topic:`, or it is the list or topic of the mail.
//!
//! ```no_run
//! use notification_model::EmailAddress;
//! use store::{SenderContext, Store};
//!
//! # async fn check(client: aws_sdk_dynamodb::Client) -> Result<(), store::StoreError> {
//! let store = Store::new(client, "postroom-Table-EXAMPLE");
//! let context = SenderContext { identity: Some("example.com".into()), tenant: Some("acme".into()), topic: None };
//! let addresses: Vec<_> = EmailAddress::parse("jane@example.net").into_iter().collect();
//! for result in store.check(&addresses, &context, jiff::Timestamp::now()).await? {
//!     let answer = if result.suppressions.is_empty() { "may be mailed" } else { "is suppressed" };
//!     println!("{} {answer}", result.address);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Counting
//!
//! A bounce or complaint is one row whose key identifies the event, so an event that is reported several times counts once.
//! Frequent events (sends, deliveries, rejects, rendering failures, delays) are one row per batch with a hash of 8 bytes for
//! each recipient of a message. This costs as little as a counter, and the union that the reader computes is exact even if
//! events are delivered again in other batches.

mod claim_token;
mod client;
mod inbound;
mod item;
mod listing_cache;
mod reputation;
mod routing;
mod seen_cache;
mod settings;
mod statistics;
mod suppression;
#[cfg(feature = "testing")]
pub mod testing;

pub use client::{Store, StoreError};
pub use inbound::{
    AnswerCounts, AnswerEvent, CapPeriod, ClaimKey, ClaimOutcome, ForwardSettings, IndexedMail, IndexedSubject,
    InvalidMailboxKey, KeptSubject, MailLocation, Mailbox, MailboxAction, MailboxKey, NotifyContent, NotifyTarget,
    OwnerTarget, QuarantineMark, SendCap, SenderLimit, SentKind, SentMail, VerdictAction, VerdictRules, WhenSuppressed,
};
pub use item::{hash_id, stamp};
pub use reputation::{
    Enforcement, EnforcementChange, EnforcementKind, EnforcementStatus, Figures, InvalidRate, Level, Measure, Rate,
    ReputationState, Threshold, ThresholdTable, Thresholds, Window,
};
pub use routing::{
    DigestClaim, DigestKey, InvalidSenderMatch, InvalidTarget, Redaction, RegisteredIdentity, Route, RouteFilter,
    RouteKey, SenderMatch, Target,
};
pub use settings::{
    AppliedSettings, Drift, InvalidSesResource, LastNotifications, ProofSubject, SeenNotification, SesResource,
    TopicProof,
};
pub use statistics::{
    EventCounts, EventKind, InvalidSender, Sender, SenderBatch, SenderEvent, SenderRates, SendingStream,
};
pub use suppression::{
    ActiveSuppression, BounceSeries, CheckResult, DeliveredBatch, DeliveredMessage, DueEnd, HistoryEntry,
    InvalidMirrorRequest, InvalidScope, ListedSuppression, MirrorAction, MirrorEnd, MirrorReason, MirrorRequest,
    PageStart, Recipient, RecipientPage, Scope, SenderContext, SeriesBounce, SeriesWrite, SuppressionEnd,
    SuppressionEntry, SuppressionSource, hours_of_ends,
};
