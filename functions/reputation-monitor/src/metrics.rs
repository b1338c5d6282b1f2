//! The metrics of the function.

use lambda_kit::Metrics;

/// The CloudWatch namespace.
pub const NAMESPACE: &str = "Postroom/ReputationMonitor";

/// Counts the senders that were checked in a round.
pub fn count_senders_checked(metrics: &mut Metrics, senders: usize) {
    for _ in 0..senders {
        metrics.count("SendersChecked", vec![]);
    }
}

/// Counts an alert that was sent, by its kind.
pub fn count_alert(metrics: &mut Metrics, kind: &str) {
    metrics.count("Alerts", vec![("Kind", kind.to_owned())]);
}

/// Counts a sender that was not checked, an alert that was not sent, an enforcement whose outcome is unknown, or a round that
/// failed.
pub fn count_check_failure(metrics: &mut Metrics) {
    metrics.count("CheckFailures", vec![]);
}
