//! The metrics of the function.

use lambda_kit::Metrics;

/// The CloudWatch namespace.
pub const NAMESPACE: &str = "Postroom/SettingsGuard";

/// Counts an object that was compared in a round.
pub fn count_compared(metrics: &mut Metrics) {
    metrics.count("ObjectsCompared", vec![]);
}

/// Counts an object whose settings differ at the end of a round.
pub fn count_drifted(metrics: &mut Metrics) {
    metrics.count("DriftedObjects", vec![]);
}

/// Counts an alert that was sent, by its kind.
pub fn count_alert(metrics: &mut Metrics, kind: &'static str) {
    metrics.count("Alerts", vec![("Kind", kind.to_owned())]);
}

/// Counts a round that failed, or an alert or a repair that failed.
pub fn count_check_failure(metrics: &mut Metrics) {
    metrics.count("CheckFailures", vec![]);
}
