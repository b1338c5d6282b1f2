//! What the router counts for CloudWatch.

use jiff::Timestamp;
use lambda_kit::Metrics;
use notification_model::Notification;
use store::Target;

use crate::decide::Action;
use crate::delivery::Delivery;
use crate::effects::Delivered;

/// The CloudWatch namespace.
pub const NAMESPACE: &str = "Postroom/DelegateRouter";

/// A notification by type, how old it is, and where it goes.
#[must_use]
pub fn of_notification(notification: &Notification, actions: &[Action], now: Timestamp) -> Metrics {
    let mut metrics = Metrics::default();
    metrics.count(
        "Notifications",
        vec![("Type", notification.event.type_name().to_owned())],
    );
    metrics.age(notification.occurred_at(), now);
    count_routes(&mut metrics, actions);
    metrics
}

/// Counts what became of a delivery.
pub fn count_delivery(metrics: &mut Metrics, delivery: &Delivery, end: Delivered) {
    let metric = match end {
        Delivered::Taken => "Delivered",
        Delivered::DeadLettered => "DeadLettered",
    };
    metrics.count(metric, vec![("Target", target_word(&delivery.target))]);
}

/// Counts the targets of a notification or an alert.
pub fn count_routes(metrics: &mut Metrics, actions: &[Action]) {
    for action in actions {
        match action {
            Action::Deliver(delivery) => metrics.count("Routed", vec![("Target", target_word(&delivery.target))]),
            Action::Unrouted(unrouted) => {
                metrics.count("Unrouted", vec![("Reason", unrouted.reason.as_str().to_owned())]);
            }
        }
    }
}

fn target_word(target: &Target) -> String {
    let word = match target {
        Target::Topic(_) => "topic",
        Target::Queue(_) => "queue",
        Target::Bus(_) => "bus",
        Target::Email(_) => "email",
    };
    word.to_owned()
}
