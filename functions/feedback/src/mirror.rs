//! Decides which changes of the table are mirrored to SES's own suppression lists: those that SES does not make itself.
//! Pure.

use notification_model::EmailAddress;
use store::{HistoryEntry, MirrorAction, MirrorReason, MirrorRequest, SuppressionSource};

use crate::policy::Policy;

/// Returns the request to the suppression mirror that a history entry of the source calls for, if any.
#[must_use]
pub fn request(
    address: &EmailAddress,
    source: &SuppressionSource,
    history: &HistoryEntry,
    policy: &Policy,
) -> Option<MirrorRequest> {
    let reason = match source {
        SuppressionSource::Streak => MirrorReason::Bounce,
        SuppressionSource::List(_) | SuppressionSource::Unsubscribe if policy.mirror_unsubscribes => {
            MirrorReason::Complaint
        }
        // SES adds a complaint to its list, but does not remove it.
        SuppressionSource::Complaint if !history.suppresses => MirrorReason::Complaint,
        // SES's lists stop all mail of an account or tenant, so an opt-out of a single topic is not mirrored. Nor is an
        // unconfirmed bounce: a report that anybody can write must not reach other senders.
        SuppressionSource::Bounce
        | SuppressionSource::UnconfirmedBounce
        | SuppressionSource::Complaint
        | SuppressionSource::SesList
        | SuppressionSource::Manual
        | SuppressionSource::Released
        | SuppressionSource::Unsubscribe
        | SuppressionSource::List(_)
        | SuppressionSource::Topic(_) => return None,
    };
    Some(MirrorRequest {
        action: if history.suppresses {
            MirrorAction::Put
        } else {
            MirrorAction::Delete
        },
        address: address.clone(),
        scope: history.scope.clone(),
        reason,
        at: history.at,
        id: history.id.clone(),
    })
}
