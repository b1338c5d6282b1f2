//! Messages that a server accepts and returns later: a delivery, and then a bounce of the same message.

use fastrand::Rng;
use jiff::SignedDuration;

use super::bounce_case::RecipientOutcome;
use super::event::{BouncedRecipient, EventDetails, ScenarioEvent};

/// The bounce, and before it a delivery of the same message if the bounce is one that a series counts. Such a delivery must
/// not void the bounces before it.
pub(super) fn with_delivery_before(rng: &mut Rng, event: ScenarioEvent) -> Vec<ScenarioEvent> {
    match delivery_before(rng, &event) {
        Some(delivery) => vec![delivery, event],
        None => vec![event],
    }
}

/// A delivery of a message that bounces later, between its sending and its bounce.
pub(super) fn delivery_before(rng: &mut Rng, bounce: &ScenarioEvent) -> Option<ScenarioEvent> {
    let (EventDetails::Bounce(bounced), [recipient]) = (&bounce.details, bounce.destination.as_slice()) else {
        return None;
    };
    let [BouncedRecipient { address, case }] = bounced.as_slice() else {
        return None;
    };
    let of_series = matches!(case.outcome, RecipientOutcome::Soft | RecipientOutcome::Unexplained);
    let latest_ms = bounce.occurred_at.duration_since(bounce.sent_at).as_millis() - 1;
    if !of_series || address != recipient || latest_ms <= 0 {
        return None;
    }
    let after_ms = rng.i64(0..i64::try_from(latest_ms).unwrap_or(i64::MAX));
    let delivered_at = bounce.sent_at + SignedDuration::from_millis(after_ms);
    Some(ScenarioEvent {
        occurred_at: delivered_at,
        reported_at: delivered_at,
        details: EventDetails::Delivery(vec![recipient]),
        ..bounce.clone()
    })
}
