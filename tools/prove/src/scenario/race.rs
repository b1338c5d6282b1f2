//! The events of a race: five soft bounces and a delivery of each recipient, handled by two processes at the same time.

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

use super::accepted_then_bounced::delivery_before;
use super::bounce_case::SOFT_BOUNCE_CASES;
use super::event::{BouncedRecipient, Channel, EventDetails, ScenarioEvent};
use super::participants::{CONFIGURATION_SETS, RECIPIENTS, Sender};
use super::publication::{Envelopes, Publication, publish_once};
use super::random::{choose, start};

/// The number of soft bounces of each recipient, which equals the number that makes a streak.
const SOFT_BOUNCES: usize = 5;

/// For each recipient as many soft bounces as a streak needs, two days apart, and a delivery after some of them. The
/// delivery must prevent the suppression, whichever of the two processes is faster. For some recipients it is the delivery of
/// a message that bounces later; then it must not prevent the suppression.
pub(super) fn race_events(rng: &mut Rng, sender: &Sender) -> Vec<ScenarioEvent> {
    let mut events: Vec<ScenarioEvent> = Vec::new();
    for recipient in RECIPIENTS {
        let delivered_after = rng.usize(1..SOFT_BOUNCES);
        for bounce in 0..SOFT_BOUNCES {
            let sent_at = start() + SignedDuration::from_hours(1 + 48 * bounce as i64);
            let case = &SOFT_BOUNCE_CASES[rng.usize(..SOFT_BOUNCE_CASES.len())];
            let details = EventDetails::Bounce(vec![BouncedRecipient {
                address: recipient,
                case,
            }]);
            events.push(event(rng, events.len(), sender, recipient, sent_at, details));
        }
        if rng.u8(..3) == 0 {
            let bounce = &events[events.len() - SOFT_BOUNCES + delivered_after];
            events.extend(delivery_before(rng, &bounce.clone()));
            continue;
        }
        let sent_at = start() + SignedDuration::from_hours(48 * delivered_after as i64 - 1);
        let details = EventDetails::Delivery(vec![recipient]);
        events.push(event(rng, events.len(), sender, recipient, sent_at, details));
    }
    events
}

fn event(
    rng: &mut Rng,
    number: usize,
    sender: &Sender,
    recipient: &'static str,
    sent_at: Timestamp,
    details: EventDetails,
) -> ScenarioEvent {
    let occurred_at = sent_at + SignedDuration::from_secs(10) + SignedDuration::from_millis(number as i64);
    ScenarioEvent {
        message_id: format!("010f-{number}"),
        identity: Some((sender.owner, sender.identity.clone())),
        sending_account: Some(sender.account),
        from_domain: sender.domain,
        configuration_set: choose(rng, &CONFIGURATION_SETS),
        tenant: None,
        destination: vec![recipient],
        sent_at,
        reported_at: occurred_at,
        occurred_at,
        in_conversation: true,
        details,
    }
}

/// Publishes an event once. A duplicate would be handled later and repair what the race broke.
pub(super) fn publish_race_event(rng: &mut Rng, index: usize, event: &ScenarioEvent) -> Publication {
    let published_at = event.occurred_at + SignedDuration::from_secs(rng.i64(1..900));
    publish_once(rng, index, event, Channel::Identity, (published_at, Envelopes::Mixed))
}
