//! Suppression entries of recipients, their history, and the check before sending.

mod bounce_series;
mod check;
mod delivered;
mod deliveries;
mod ends;
mod entry;
mod history;
mod mirror;
mod mirror_rules;
mod recipient;
mod republish;
mod scope;
mod streak;
mod stream_image;

pub use bounce_series::{BounceSeries, SeriesBounce};
pub use check::{ActiveSuppression, CheckResult, SenderContext};
pub use delivered::DeliveredMessage;
pub use deliveries::DeliveredBatch;
pub use ends::{DueEnd, SuppressionEnd, hours_of_ends};
pub use entry::SuppressionEntry;
pub use history::{HistoryEntry, ListedSuppression};
pub use mirror::{InvalidMirrorRequest, MirrorAction, MirrorEnd, MirrorReason, MirrorRequest};
pub use recipient::Recipient;
pub use republish::{PageStart, RecipientPage};
pub use scope::{InvalidScope, Scope, SuppressionSource};
pub use streak::SeriesWrite;
