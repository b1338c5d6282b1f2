//! Suppression entries of recipients, their history, and the check before sending.

mod check;
mod deliveries;
mod entry;
mod history;
mod mirror;
mod recipient;
mod scope;
mod soft_bounce;
mod streak;

pub use check::{ActiveSuppression, CheckResult, SenderContext};
pub use deliveries::DeliveredBatch;
pub use entry::SuppressionEntry;
pub use history::{HistoryEntry, ListedSuppression};
pub use mirror::{InvalidMirrorRequest, MirrorAction, MirrorEnd, MirrorReason, MirrorRequest};
pub use recipient::Recipient;
pub use scope::{InvalidScope, Scope, SuppressionSource};
pub use soft_bounce::SoftBounce;
pub use streak::StreakWrite;
