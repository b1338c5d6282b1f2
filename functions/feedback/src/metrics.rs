//! What feedback counts for CloudWatch.

use jiff::Timestamp;
use lambda_kit::Metrics;
use notification_model::{Event, Notification};
use store::SuppressionSource;

use crate::classification::{Evidence, classify};
use crate::decide::Action;
use crate::effects::StreakChange;

/// The CloudWatch namespace.
pub const NAMESPACE: &str = "Postroom/Feedback";

/// Counts a notification by type, its judgements by kind and reason, and what was done.
#[must_use]
pub fn of_notification(notification: &Notification, actions: &[Action], now: Timestamp) -> Metrics {
    let mut metrics = Metrics::default();
    metrics.count(
        "Notifications",
        vec![("Type", notification.event.type_name().to_owned())],
    );
    metrics.age(notification.occurred_at(), now);
    for action in actions {
        let Action::WriteEntry { source, entry, .. } = action else {
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

/// Counts the streaks that changed.
pub fn count_streaks(metrics: &mut Metrics, changes: &[StreakChange]) {
    for change in changes {
        let metric = match change {
            StreakChange::Suppressed => "Suppressions",
            StreakChange::Recovered => "Releases",
        };
        metrics.count(metric, vec![]);
    }
}
