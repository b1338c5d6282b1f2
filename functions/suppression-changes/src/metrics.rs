//! The metrics of the function.
//!
//! | metric | dimensions | counts |
//! |---|---|---|
//! | `Notices` | `State` | published change notices: `suppressed`, `ended` |
//! | `MirrorRequests` | | requests to the suppression mirror |
//! | `ScheduledRuns` | `Schedule` | completed runs of the schedule `ends` |
//! | `RecordFailures` | `Kind` | records that were not handled: `unreadable` and `panic` (dead letters), `service` (retried) |

use lambda_kit::Metrics;

use crate::notice::State;

/// The CloudWatch namespace.
pub const NAMESPACE: &str = "Postroom/SuppressionChanges";

pub(crate) fn count_notice(metrics: &mut Metrics, state: State) {
    metrics.count("Notices", vec![("State", state.as_str().to_owned())]);
}

pub(crate) fn count_mirror_request(metrics: &mut Metrics) {
    metrics.count("MirrorRequests", vec![]);
}

pub(crate) fn count_failure(metrics: &mut Metrics, kind: &'static str) {
    metrics.count("RecordFailures", vec![("Kind", kind.to_owned())]);
}
