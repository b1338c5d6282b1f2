//! Lambda function: compares the bounce and complaint rates of every sender with its thresholds, enforces what was
//! configured, and sends an alert for each crossing.
//!
//! Scheduled event -> [`reputation::ReputationMonitor::round`] -> alerts -> [`effects::Effects`] -> error if something failed.
//!
//! An alert goes to the alarm topic and, when the router is deployed, to the router's delivery queue. It is marked as
//! notified after both accepted it; until then a later round sends it again under the same id.

pub mod effects;
pub mod metrics;
pub mod settings;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use lambda_kit::Metrics;
use reputation::Round;
use serde_json::Value;
use store::SenderRates;

use crate::effects::Effects;
use crate::metrics::{count_alert, count_check_failure, count_senders_checked};

/// Alerts that are sent at the same time.
const CONCURRENT_ALERTS: usize = 8;

/// Handles the event of the schedule, `{"postroom":"check-senders"}`, at the time `now`, and adds to the metrics.
///
/// # Errors
/// When the event is another one, when the table fails, when a sender was not checked, an alert not sent, or when the outcome
/// of an enforcement is unknown. The other senders are checked and the other alerts are sent.
pub async fn handle(event: &Value, effects: &Effects, metrics: &mut Metrics, now: Timestamp) -> anyhow::Result<()> {
    let kind = event.get("postroom").and_then(Value::as_str);
    anyhow::ensure!(
        kind == Some("check-senders"),
        "unknown event: expected the schedule's {{\"postroom\":\"check-senders\"}}"
    );
    let round = match effects.check_senders(now).await {
        Ok(round) => round,
        Err(error) => {
            count_check_failure(metrics);
            return Err(error.into());
        }
    };
    count_senders_checked(metrics, round.checked);
    log_worst_senders(&round.worst);
    let failed = report_failed_checks(&round, metrics) + send_alerts(&round, effects, metrics).await;
    metrics.scheduled_run("check-senders");
    anyhow::ensure!(
        failed == 0,
        "failed for {failed} senders, alerts or enforcements; the log names them"
    );
    Ok(())
}

fn log_worst_senders(worst: &[SenderRates]) {
    let per_10000 = |rate: Option<f64>| (rate.unwrap_or_default() * 10_000.0).round();
    for rates in worst {
        tracing::info!(
            owner = rates.sender.owner,
            account = rates.sender.account,
            bounces_per_10000 = per_10000(rates.day.bounce_rate()),
            complaints_per_10000 = per_10000(rates.day.complaint_rate()),
            recipients = rates.day.volume(),
            "rates of a sender over 24 hours"
        );
    }
}

/// Logs and counts the senders that were not checked, and counts the enforcements whose outcome is unknown. Returns their
/// number.
fn report_failed_checks(round: &Round, metrics: &mut Metrics) -> usize {
    for (sender, error) in &round.failures {
        tracing::error!(owner = sender.owner, account = sender.account, %error, "failed to check a sender");
        count_check_failure(metrics);
    }
    for _ in 0..round.unknown_outcomes {
        count_check_failure(metrics);
    }
    round.failures.len() + round.unknown_outcomes
}

/// Sends every alert of the round. Returns the number of alerts that were not sent.
async fn send_alerts(round: &Round, effects: &Effects, metrics: &mut Metrics) -> usize {
    let mut results = stream::iter(&round.alerts)
        .map(|alert| async move { (alert, effects.notify(alert).await) })
        .buffered(CONCURRENT_ALERTS);
    let mut failed = 0;
    while let Some((alert, result)) = results.next().await {
        let (owner, account, kind) = (&alert.sender.owner, &alert.sender.account, alert.kind());
        match result {
            Ok(()) => {
                tracing::info!(owner, account, kind, "sent an alert");
                count_alert(metrics, kind);
            }
            Err(error) => {
                tracing::error!(
                    owner,
                    account,
                    kind,
                    error = format!("{error:#}"),
                    "failed to send an alert"
                );
                count_check_failure(metrics);
                failed += 1;
            }
        }
    }
    failed
}
