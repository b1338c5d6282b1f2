//! Decides what to do about a notification. Pure: no clock, no environment, no AWS, no errors.
//!
//! The actions follow from the notification alone. Conditions on earlier events are part of the write of an action. The
//! only decision that needs earlier events, whether soft bounces suppress a recipient, is made by [`crate::streak`] after
//! the soft bounce has been written.

mod bounce;
mod complaint;
mod confirmation;
mod context;
mod subscription;

use jiff::{SignedDuration, Timestamp};
use notification_model::{Delivery, EmailAddress, Event, Notification};
use store::{DeliveredMessage, EventKind, SentMail};

use crate::policy::Policy;
use context::Context;

pub use crate::action::Action;

/// What is known besides the notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// When SNS or EventBridge received the notification. It stays the same when the notification is delivered again.
    /// Without an envelope, the time at which the notification is handled.
    pub published_at: Timestamp,
}

/// Maximum accepted clock skew of a reporting server.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_hours(1);

/// Returns the actions for a notification.
#[must_use]
pub fn decide(notification: &Notification, facts: &Facts, policy: &Policy) -> Vec<Action> {
    decide_in(&Context::new(notification, event_time(notification, facts), policy))
}

/// Returns the actions for a notification about a mail that the inbound function sent. Feedback about a forward affects only
/// the forwards of its mailbox.
#[must_use]
pub fn decide_sent_by_inbound(
    notification: &Notification,
    sent: &SentMail,
    facts: &Facts,
    policy: &Policy,
) -> Vec<Action> {
    let context = Context::new(notification, event_time(notification, facts), policy);
    decide_in(&context.sent_by_inbound(sent))
}

fn decide_in(context: &Context) -> Vec<Action> {
    let notification = context.notification;
    let destination = &context.mail.destination;
    match &notification.event {
        Event::Bounce(bounce) => bounce::decide(context, bounce),
        Event::Complaint(complaint) => complaint::decide(context, complaint),
        Event::Delivery(delivery) => decide_delivery(context, delivery),
        Event::Subscription(subscription) => subscription::decide(context, subscription),
        Event::Send => context.count_recipients(EventKind::Send, destination),
        Event::Reject(_) => context.count_recipients(EventKind::Reject, destination),
        Event::RenderingFailure(_) => context.count_recipients(EventKind::RenderingFailure, destination),
        Event::DeliveryDelay(delay) => {
            let recipients = delay.delayed_recipients.iter();
            let keys: Vec<_> = recipients.map(|recipient| recipient.email_address.key()).collect();
            context.count_recipients(EventKind::Delay, &keys)
        }
        Event::Open(_) | Event::Click(_) => context::acknowledge("opens and clicks say nothing about deliverability"),
        Event::Other(_) => context::acknowledge("an event type this version does not know"),
    }
}

fn decide_delivery(context: &Context, delivery: &Delivery) -> Vec<Action> {
    let keys: Vec<_> = delivery.recipients.iter().map(EmailAddress::key).collect();
    let mut actions = context.count_recipients(EventKind::Delivery, &keys);
    actions.extend(delivery.recipients.iter().map(|address| Action::RecordDelivery {
        address: address.clone(),
        scope: context.scope.clone(),
        delivered: DeliveredMessage::new(context.at, &context.mail.message_id),
    }));
    actions
}

/// Returns the time of the event, limited to the time between sending and publication.
///
/// The time of a bounce or complaint is set by the clock of a remote server. A time in the future would take precedence
/// over everything that happens until then, including a release.
fn event_time(notification: &Notification, facts: &Facts) -> Timestamp {
    let sent_at = notification.mail.timestamp;
    let latest = facts
        .published_at
        .checked_add(CLOCK_TOLERANCE)
        .unwrap_or(facts.published_at);
    let reported = notification.occurred_at();
    if reported <= latest {
        reported.max(sent_at)
    } else {
        sent_at.min(latest)
    }
}
