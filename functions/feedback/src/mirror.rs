//! Which decisions SES's own suppression lists have to hear of: those SES cannot know by itself. Pure.

use notification_model::EmailAddress;
use store::{HistoryEntry, MirrorAction, MirrorReason, MirrorRequest, SuppressionSource};

use crate::policy::Policy;

/// The request that a decision calls for, once it and its line of the audit trail are written.
#[must_use]
pub fn request(
    address: &EmailAddress,
    source: &SuppressionSource,
    history: &HistoryEntry,
    policy: &Policy,
) -> Option<MirrorRequest> {
    let reason = match source {
        SuppressionSource::Streak => MirrorReason::Bounce,
        SuppressionSource::List(_) if policy.mirror_unsubscribes => MirrorReason::Complaint,
        // SES puts the complaint on its list, but does not take it off.
        SuppressionSource::Complaint if !history.suppresses => MirrorReason::Complaint,
        // SES's lists are for all mail of an account or tenant, so single topics never go there.
        SuppressionSource::Bounce
        | SuppressionSource::Complaint
        | SuppressionSource::SesList
        | SuppressionSource::Manual
        | SuppressionSource::Released
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
