//! Decides whether a suppression ended at its time. Pure.

use jiff::{SignedDuration, Timestamp};
use store::{Recipient, SuppressionEnd, hash_id};

use super::notices::effective;
use crate::notice::{Notice, State, version};

/// Returns the notice that a suppression has ended, from the row of its recipient at `now`. `None` if the row has another
/// suppression of the same mail, or did not have this one until its end.
///
/// The version of the notice is the time of the end, so a later suppression is newer.
#[must_use]
pub fn ended(end: &SuppressionEnd, row: &Recipient, now: Timestamp) -> Option<Notice> {
    let subject = (end.scope.clone(), end.list.clone());
    // Ends are whole seconds.
    let just_before = end.until.checked_sub(SignedDuration::from_secs(1)).ok()?;
    let before = effective(row, just_before).remove(&subject)?;
    if before.entry.until != Some(end.until) || effective(row, now).contains_key(&subject) {
        return None;
    }
    let version = version(end.until, "0");
    Some(Notice {
        id: hash_id(&[
            end.address.key(),
            &version,
            &end.scope.to_string(),
            end.list.as_deref().unwrap_or_default(),
        ]),
        version,
        address: end.address.clone(),
        scope: end.scope.clone(),
        list: end.list.clone(),
        state: State::Ended,
        source: before.source.to_string(),
        reason: "the suppression has reached its end".to_owned(),
        since: end.until,
        until: None,
        message_id: before.entry.id,
    })
}
