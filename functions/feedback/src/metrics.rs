//! The CloudWatch metrics of the function.

use jiff::Timestamp;
use lambda_kit::Metrics;
use notification_model::{Event, Notification};
use store::SuppressionSource;

use crate::action::Action;
use crate::classification::{Evidence, classify};
use crate::effects::StreakChange;

/// The CloudWatch namespace.
pub const NAMESPACE: &str = "Postroom/Feedback";

/// Every metric of the function with its dimensions.
///
/// | metric | counts |
/// |---|---|
/// | `Notifications` | notifications, by type |
/// | `NotificationAge` | milliseconds from the event to its handling |
/// | `BounceClassifications` | bounced recipients, by kind and reason of the classification |
/// | `Suppressions` | suppressions that started: confirmed and unconfirmed hard bounces, complaints, completed streaks |
/// | `Releases` | suppressions that ended because of a delivery or the withdrawal of a complaint |
/// | `SuppressedBySes` | recipients that SES did not send to because of its own suppression lists |
/// | `OptOuts`, `OptIns` | changes of subscription preferences |
/// | `RecordFailures` | records that failed, by kind: `bad_envelope`, `parse`, `inbound`, `store`, `panic` |
pub const METRICS: &[(&str, &[&str])] = &[
    ("BounceClassifications", &["Kind", "Reason"]),
    ("NotificationAge", &[]),
    ("Notifications", &["Type"]),
    ("OptIns", &[]),
    ("OptOuts", &[]),
    ("RecordFailures", &["Kind"]),
    ("Releases", &[]),
    ("SuppressedBySes", &[]),
    ("Suppressions", &[]),
];

/// Counts a notification by type, its bounces by classification, and the suppressions that its actions change.
#[must_use]
pub fn of_notification(notification: &Notification, actions: &[Action], now: Timestamp) -> Metrics {
    let mut metrics = Metrics::default();
    metrics.count(
        "Notifications",
        vec![("Type", notification.event.type_name().to_owned())],
    );
    metrics.age(notification.occurred_at(), now);
    for action in actions {
        let Action::RecordSuppression { source, entry, .. } = action else {
            continue;
        };
        let metric = match (source, entry.blocked) {
            (SuppressionSource::SesList, _) => "SuppressedBySes",
            (SuppressionSource::List(_) | SuppressionSource::Topic(_), true) => "OptOuts",
            (SuppressionSource::List(_) | SuppressionSource::Topic(_), false) => "OptIns",
            (_, true) => "Suppressions",
            (_, false) => "Releases",
        };
        metrics.count(metric, vec![]);
    }
    if let Event::Bounce(bounce) = &notification.event {
        for recipient in &bounce.bounced_recipients {
            let classification = classify(&Evidence::of(bounce, recipient));
            let dimensions = vec![
                ("Kind", classification.kind.to_string()),
                ("Reason", classification.reason.to_string()),
            ];
            metrics.count("BounceClassifications", dimensions);
        }
    }
    metrics
}

/// Counts the streak entries that changed.
pub fn count_streaks(metrics: &mut Metrics, changes: &[StreakChange]) {
    for change in changes {
        let metric = match change {
            StreakChange::Suppressed => "Suppressions",
            StreakChange::Recovered => "Releases",
        };
        metrics.count(metric, vec![]);
    }
}
