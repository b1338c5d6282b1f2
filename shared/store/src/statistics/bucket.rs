//! The time spans in the keys of statistics rows.

use jiff::Timestamp;

use crate::item::{hour, stamp};

/// Returns the ten minutes that contain a time: `2026-01-27T14:5`.
pub(super) fn bucket(at: Timestamp) -> String {
    stamp(at).chars().take(15).collect()
}

/// Returns the key of the index `listing` under which the senders of an hour are listed.
pub(super) fn list_key(at: Timestamp) -> String {
    format!("HOUR#{}", hour(at))
}
