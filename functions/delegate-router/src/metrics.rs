//! The metrics of the function.

use jiff::Timestamp;
use lambda_kit::Metrics;
use notification_model::Notification;
use store::Target;

use crate::action::Action;
use crate::delivery::{Delivery, DeliveryOutcome};

/// The CloudWatch namespace.
pub const NAMESPACE: &str = "Postroom/DelegateRouter";

/// The metrics of a notification: its type, its age and its targets.
#[must_use]
pub fn of_notification(notification: &Notification, actions: &[Action], now: Timestamp) -> Metrics {
    let mut metrics = Metrics::default();
    let event_type = notification.event.type_name().to_owned();
    metrics.count("Notifications", vec![("Type", event_type)]);
    metrics.age(notification.occurred_at(), now);
    count_targets(&mut metrics, actions);
    metrics
}

/// Counts the targets of a notification or an alert.
pub fn count_targets(metrics: &mut Metrics, actions: &[Action]) {
    for action in actions {
        match action {
            Action::Deliver(delivery) => metrics.count("Routed", vec![("Target", target_type(&delivery.target))]),
            Action::Unrouted(unrouted) => {
                metrics.count("Unrouted", vec![("Reason", unrouted.reason.as_str().to_owned())]);
            }
        }
    }
}

/// Counts the outcome of a delivery.
pub fn count_delivery(metrics: &mut Metrics, delivery: &Delivery, outcome: DeliveryOutcome) {
    let metric = match outcome {
        DeliveryOutcome::Delivered => "Delivered",
        DeliveryOutcome::DeadLettered => "DeadLettered",
    };
    metrics.count(metric, vec![("Target", target_type(&delivery.target))]);
}

/// Counts a digest that SES accepted.
pub fn count_sent_digest(metrics: &mut Metrics) {
    metrics.count("DigestsSent", vec![]);
}

/// Counts a digest that SES rejected permanently.
pub fn count_dead_lettered_digest(metrics: &mut Metrics) {
    metrics.count("DeadLettered", vec![("Target", "email".to_owned())]);
}

fn target_type(target: &Target) -> String {
    let name = match target {
        Target::Topic(_) => "topic",
        Target::Queue(_) => "queue",
        Target::Bus(_) => "bus",
        Target::Email(_) => "email",
    };
    name.to_owned()
}
