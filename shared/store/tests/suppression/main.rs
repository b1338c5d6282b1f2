//! Suppression entries, the check before sending, streaks and history, with an embedded DynamoDB.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod check;
mod entries;
mod history;
mod streak;
mod support;
