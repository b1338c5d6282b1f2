//! Random events.

use fastrand::Rng;
use jiff::SignedDuration;

use super::bounce_case::{BOUNCE_CASES, BounceCase, SOFT_BOUNCE_CASES, failed_and_delayed};
use super::event::{BouncedRecipient, EventDetails, ScenarioEvent};
use super::participants::{CONFIGURATION_SETS, Sender};
use super::random::{chance, choose, choose_some, unique_time};

/// A random event of the message with this number.
pub(super) fn random_event(
    rng: &mut Rng,
    number: usize,
    sender: &Sender,
    recipients: &[&'static str],
    soft_percent: u32,
    days: i64,
) -> ScenarioEvent {
    let destination = if chance(rng, 75) {
        vec![choose(rng, recipients)]
    } else {
        choose_some(rng, recipients)
    };
    let sent_at = unique_time(rng, days, number);
    let mut occurred_at = sent_at + SignedDuration::from_secs(rng.i64(1..1800));
    let mut reported_at = occurred_at;
    let mut destination = destination;
    let details = random_details(rng, &destination, soft_percent);
    let details = change_report(number, &mut destination, details);
    if matches!(details, EventDetails::Bounce(_) | EventDetails::Complaint { .. }) && chance(rng, 5) {
        // A reporting server's clock is days or years ahead, or behind the time at which the message was sent.
        let years_ahead = occurred_at + SignedDuration::from_hours(24 * 900);
        // After every publication, and before a retry of a late message.
        let days_ahead = occurred_at + SignedDuration::from_hours(24 * 6);
        let before_sending = sent_at - SignedDuration::from_hours(50);
        reported_at = choose(rng, &[years_ahead, days_ahead, before_sending]);
        occurred_at = sent_at;
    }
    if matches!(details, EventDetails::WholeMessage { .. }) {
        (occurred_at, reported_at) = (sent_at, sent_at);
    }
    let without_identity = chance(rng, 8);
    ScenarioEvent {
        message_id: format!("010f-{number}"),
        identity: (!without_identity).then(|| (sender.owner, sender.identity.clone())),
        sending_account: (!chance(rng, 3)).then_some(sender.account),
        from_domain: if chance(rng, 90) {
            sender.domain
        } else {
            "victim.example"
        },
        configuration_set: choose(rng, &CONFIGURATION_SETS),
        tenant: sender.tenant,
        destination,
        sent_at,
        reported_at,
        occurred_at,
        in_conversation: number.is_multiple_of(3),
        details,
    }
}

/// Every 23rd bounce is about a message that was forwarded to two addresses, and every 29th does not say to whom the message
/// was sent.
fn change_report(number: usize, destination: &mut Vec<&'static str>, details: EventDetails) -> EventDetails {
    match (details, destination.len()) {
        (EventDetails::Bounce(_), 1) if number % 23 == 5 => {
            let addresses = ["stranger@example.com", "second-stranger@example.com"];
            let bounced = addresses.into_iter().zip(failed_and_delayed());
            EventDetails::Bounce(
                bounced
                    .map(|(address, case)| BouncedRecipient { address, case })
                    .collect(),
            )
        }
        (EventDetails::Bounce(bounced), _) if number % 29 == 7 => {
            destination.clear();
            EventDetails::Bounce(bounced)
        }
        (details, _) => details,
    }
}

fn random_details(rng: &mut Rng, destination: &[&'static str], soft_percent: u32) -> EventDetails {
    if chance(rng, soft_percent) {
        if chance(rng, 12) {
            return EventDetails::Delivery(destination.to_vec());
        }
        let case = &SOFT_BOUNCE_CASES[rng.usize(..SOFT_BOUNCE_CASES.len())];
        let address = reported_recipient(rng, destination);
        return EventDetails::Bounce(vec![BouncedRecipient { address, case }]);
    }
    match rng.u32(..100) {
        0..35 => random_bounce(rng, destination),
        35..60 => random_complaint(rng, destination),
        60..75 => EventDetails::Delivery(destination.to_vec()),
        75..82 => EventDetails::Subscription { opted_out: rng.bool() },
        82..94 => {
            let (event_type, field) = choose(
                rng,
                &[("Send", "send"), ("Reject", "reject"), ("Rendering Failure", "failure")],
            );
            EventDetails::WholeMessage { event_type, field }
        }
        94..97 => EventDetails::DeliveryDelay,
        _ => EventDetails::Ignored(choose(rng, &["Open", "Tomorrow"])),
    }
}

/// A recipient of the message, or in 5 % of the reports an address that the message was not sent to.
fn reported_recipient(rng: &mut Rng, destination: &[&'static str]) -> &'static str {
    if chance(rng, 5) {
        "stranger@example.com"
    } else {
        choose(rng, destination)
    }
}

fn random_bounce(rng: &mut Rng, destination: &[&'static str]) -> EventDetails {
    let is_general = |case: &BounceCase| case.bounce_type == "Permanent" && case.bounce_sub_type == "General";
    let case = &BOUNCE_CASES[rng.usize(..BOUNCE_CASES.len())];
    if destination.len() > 1 && is_general(case) {
        // A status per recipient.
        let general: Vec<&BounceCase> = BOUNCE_CASES.iter().filter(|case| is_general(case)).collect();
        let bounced = destination.iter().map(|address| BouncedRecipient {
            address,
            case: choose(rng, &general),
        });
        return EventDetails::Bounce(bounced.collect());
    }
    let address = reported_recipient(rng, destination);
    EventDetails::Bounce(vec![BouncedRecipient { address, case }])
}

fn random_complaint(rng: &mut Rng, destination: &[&'static str]) -> EventDetails {
    let feedback_type = choose(
        rng,
        &[
            Some("abuse"),
            Some("fraud"),
            Some("virus"),
            Some("other"),
            Some("deferred"),
            None,
        ],
    );
    let (feedback_type, sub_type) = match rng.u32(..10) {
        0..3 => (Some("not-spam"), None),
        3 => (Some("auth-failure"), None),
        4 => {
            let sub_types = ["OnAccountSuppressionList", "OnTenantSuppressionList"];
            (None, Some(choose(rng, &sub_types)))
        }
        _ => (feedback_type, None),
    };
    let recipients = if chance(rng, 70) {
        vec![reported_recipient(rng, destination)]
    } else {
        destination.to_vec()
    };
    EventDetails::Complaint {
        feedback_type,
        sub_type,
        recipients,
    }
}
