//! The metrics of the function.
//!
//! | metric | dimensions | counts |
//! |---|---|---|
//! | `RecordFailures` | `Kind` | failed requests, by the kind of failure: `handler`, `bad_envelope`, `panic` |
//! | `ScheduledRuns` | `Schedule` | completed runs of the schedule `expired` |

use intake::Outcomes;
use lambda_kit::Metrics;

/// The CloudWatch namespace.
pub const NAMESPACE: &str = "Postroom/SuppressionMirror";

/// Counts the requests that failed.
pub(crate) fn count_failures(metrics: &mut Metrics, outcomes: &Outcomes<()>) {
    for (_, failure) in outcomes.failures() {
        metrics.count("RecordFailures", vec![("Kind", failure.kind().to_owned())]);
    }
}
