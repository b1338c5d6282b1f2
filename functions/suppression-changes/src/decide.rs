//! Decides what a change of a recipient's row means for applications and for SES's own suppression lists. Pure: no clock, no
//! environment, no AWS.

mod ends;
mod mirroring;
mod notices;
mod republished;

use store::MirrorRequest;

use crate::notice::Notice;
use crate::stream::RowChange;

pub use ends::ended;

/// What a change of a row calls for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// The notices to publish.
    pub notices: Vec<Notice>,
    /// The requests to the suppression mirror.
    pub mirror_requests: Vec<MirrorRequest>,
}

/// Compares the row before and after a change, both at the time of the change. A suppression that ends by time is therefore not
/// a change of the row.
///
/// Another attempt with the same record returns the same decision.
#[must_use]
pub fn decide(change: &RowChange, mirror_unsubscribes: bool) -> Decision {
    let old = change.old.clone().unwrap_or_default();
    let new = change.new.clone().unwrap_or_default();
    // An operator asks for the state of the row, because changes of it were not published.
    let is_republished = new.republished_at.is_some() && new.republished_at != old.republished_at;
    Decision {
        notices: match is_republished {
            true => republished::of(change, &new),
            false => notices::of(change, &old, &new),
        },
        mirror_requests: mirroring::of(change, &old, &new, mirror_unsubscribes),
    }
}
