//! Suppression entries of recipients, their history, and the look-up before sending.

mod check;
mod deliveries;
mod history;
mod mirror;
mod recipient;
mod scope;

pub use check::{Block, CheckResult, SenderContext};
pub use deliveries::DeliveredBatch;
pub use history::{HistoryEntry, ListedSuppression};
pub use mirror::{InvalidMirrorRequest, MirrorAction, MirrorEnd, MirrorReason, MirrorRequest};
pub use recipient::{Recipient, SoftBounce, StreakWrite, SuppressionEntry};
pub use scope::{InvalidScope, Scope, SuppressionSource};
