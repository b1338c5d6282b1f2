//! The spans of time that rows of statistics are keyed by.

use jiff::Timestamp;

use crate::item::{hour, stamp};

/// The ten minutes a time falls in: `2026-01-27T14:5`.
pub(super) fn bucket(at: Timestamp) -> String {
    stamp(at).chars().take(15).collect()
}

/// The key of the index that lists the senders of an hour.
pub(super) fn list_key(at: Timestamp) -> String {
    format!("HOUR#{}", hour(at))
}
