//! The metrics of the function in CloudWatch.
//!
//! | metric | dimensions | counts |
//! |---|---|---|
//! | `Requests` | `Outcome` | requests by outcome, see below |
//!
//! | outcome | meaning |
//! |---|---|
//! | `unsubscribed` | the recipient is unsubscribed, now or by an earlier request |
//! | `superseded` | a subscription or release after the issue of the token wins |
//! | `page` | the page was shown; nothing was changed |
//! | `invalid-token`, `expired-token` | the token is not valid |
//! | `invalid-request`, `method-not-allowed` | the request does not ask to unsubscribe |
//! | `too-many-requests` | a cap stopped the request |
//! | `failed` | AWS failed |

use lambda_kit::Metrics;

/// The CloudWatch namespace.
pub const NAMESPACE: &str = "Postroom/Unsubscribe";

/// Every metric with its dimensions.
pub const METRICS: &[(&str, &[&str])] = &[("Requests", &["Outcome"])];

/// Counts a request.
pub(crate) fn count(metrics: &mut Metrics, outcome: &'static str) {
    metrics.count("Requests", vec![("Outcome", outcome.to_owned())]);
}
