//! What SES publishes for an event, and messages that are no notifications.

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::event::{Channel, EventDetails, Report, ScenarioEvent};
use super::notification::notification;
use super::random::{chance, start};

/// A message as it is published, to be queued for each function.
#[derive(Debug, Clone)]
pub struct Publication {
    /// What it reports; `None` for an unreadable message or one about a subscription.
    pub reports: Option<Report>,
    /// Whether it must end in the dead-letter queues.
    pub unreadable: bool,
    /// The time of publication.
    pub published_at: Timestamp,
    /// The body in the queue.
    pub body: String,
}

/// The envelopes of the messages of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Envelopes {
    /// SNS envelopes, and some raw messages and EventBridge events.
    Mixed,
    /// Raw message delivery: no message has an SNS timestamp.
    Raw,
}

/// Publishes an event through one or both channels, with duplicates.
pub(super) fn publish(rng: &mut Rng, index: usize, event: &ScenarioEvent, envelopes: Envelopes) -> Vec<Publication> {
    let is_notification = matches!(
        event.details,
        EventDetails::Bounce(_) | EventDetails::Complaint { .. } | EventDetails::Delivery(_)
    );
    let channels: &[Channel] = match rng.u32(..3) {
        0 if is_notification => &[Channel::Identity],
        1 if is_notification => &[Channel::Identity, Channel::ConfigurationSet],
        _ => &[Channel::ConfigurationSet],
    };
    let mut published = Vec::new();
    for channel in channels {
        // 15 % are published late.
        let delay = if chance(rng, 15) {
            rng.i64(3600..5 * 86_400)
        } else {
            rng.i64(1..900)
        };
        let published_at = event.occurred_at.max(event.sent_at) + SignedDuration::from_secs(delay);
        let publication = publish_once(rng, index, event, *channel, (published_at, envelopes));
        // 30 % are published twice or more.
        let mut copies = 1;
        while chance(rng, 30) && copies < 5 {
            copies += 1;
        }
        published.extend(std::iter::repeat_n(publication, copies));
    }
    published
}

/// Publishes an event through a channel.
pub(super) fn publish_once(
    rng: &mut Rng,
    index: usize,
    event: &ScenarioEvent,
    channel: Channel,
    (published_at, envelopes): (Timestamp, Envelopes),
) -> Publication {
    let notification = notification(rng, event, channel);
    let message_id = format!("sns-{index}-{channel:?}");
    let body = match envelopes {
        Envelopes::Mixed => wrap(rng, &notification, channel, published_at, &message_id),
        Envelopes::Raw => notification.to_string(),
    };
    Publication {
        reports: Some((index, channel)),
        unreadable: false,
        published_at,
        body,
    }
}

/// The notification in an SNS envelope, raw, or as an EventBridge event.
fn wrap(rng: &mut Rng, notification: &Value, channel: Channel, published_at: Timestamp, id: &str) -> String {
    match rng.u32(..10) {
        0 => notification.to_string(),
        1 if channel == Channel::ConfigurationSet => {
            let time = published_at.to_string();
            json!({"id": id, "source": "aws.ses", "detail-type": "Email Event", "time": time, "detail": notification})
                .to_string()
        }
        _ => json!({
            "Type": "Notification", "MessageId": id, "TopicArn": "arn:aws:sns:us-east-1:111122223333:postroom",
            "Message": notification.to_string(), "Timestamp": published_at.to_string(),
        })
        .to_string(),
    }
}

/// A message that is no notification: unreadable, or SES's confirmation of a setting.
pub(super) fn other_message(rng: &mut Rng, number: u64) -> Publication {
    let (body, unreadable) = match rng.u32(..6) {
        0 => (format!("not JSON {number}"), true),
        1 => (r#"{"notificationType":"Bounce","mail":{"mess"#.to_owned(), true),
        2 => (
            r#"{"notificationType":"Bounce","bounce":{"bounceType":"Permanent"}}"#.to_owned(),
            true,
        ),
        3 => (r#"{"something":"else"}"#.to_owned(), true),
        4 => (
            "Successfully validated SNS topic for Amazon SES event publishing.".to_owned(),
            false,
        ),
        _ => (
            r#"{"notificationType":"AmazonSnsSubscriptionSucceeded","message":"..."}"#.to_owned(),
            false,
        ),
    };
    Publication {
        reports: None,
        unreadable,
        published_at: start() + SignedDuration::from_secs(rng.i64(1..9 * 86_400)),
        body,
    }
}
