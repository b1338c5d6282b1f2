//! What feedback counts for CloudWatch.

use embedded_metrics::Metrics;
use jiff::Timestamp;
use ledger::Origin;
use notification_model::{Event, Notification};

use crate::decide::Action;
use crate::effects::StreakChange;
use crate::judgement::{Evidence, judge};

/// The CloudWatch namespace.
pub const NAMESPACE: &str = "Postroom/Feedback";

/// Counts a notification by type, its judgements by kind and reason, and what was done.
#[must_use]
pub fn of_notification(notification: &Notification, actions: &[Action], now: Timestamp) -> Metrics {
    let mut metrics = Metrics::default();
    metrics.count(
        "Notifications",
        vec![("Type", notification.event.type_word().to_owned())],
    );
    metrics.age(notification.occurred_at(), now);
    for action in actions {
        let Action::Record { origin, entry, .. } = action else {
            continue;
        };
        let metric = match (origin, entry.blocked) {
            (Origin::SesList, _) => "Echoes",
            (Origin::List(_) | Origin::Topic(_), true) => "OptOuts",
            (Origin::List(_) | Origin::Topic(_), false) => "OptIns",
            (_, true) => "Suppressions",
            (_, false) => "Releases",
        };
        metrics.count(metric, vec![]);
    }
    if let Event::Bounce(bounce) = &notification.event {
        for recipient in &bounce.bounced_recipients {
            let judgement = judge(&Evidence::of(bounce, recipient));
            let dimensions = vec![
                ("Kind", judgement.kind.to_string()),
                ("Reason", judgement.reason.to_string()),
            ];
            metrics.count("Judgements", dimensions);
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
