//! Lambda function: keeps SES's own suppression lists in step with the table.
//!
//! SES adds hard bounces and complaints to its lists itself. Other suppressions (streaks, manual suppressions, and
//! unsubscribes if configured) reach this function through a queue of its own, because the API accepts about one call a
//! second.
//!
//! Event -> requests -> row of the recipient -> [`decide::decide`] -> [`effects::Effects`] -> report of the failed records.

pub mod decide;
pub mod effects;
pub mod metrics;
pub mod policy;
pub mod settings;

use intake::{Batch, EventSource, Record, Response, Via};
use jiff::Timestamp;
use lambda_kit::Metrics;
use serde_json::Value;
use store::MirrorRequest;

use crate::effects::Effects;

/// Handles one Lambda event at the time `now` and adds to the metrics. The event has requests from the queue, or the event of the schedule, which queues requests
/// for suppressions that have ended.
///
/// # Errors
/// If the shape of the event is unknown, or if Lambda has to retry the whole event (see [`intake::Outcomes::report`]).
pub async fn handle(
    event: &Value,
    effects: &Effects,
    metrics: &mut Metrics,
    now: Timestamp,
) -> anyhow::Result<Response> {
    let batch = Batch::from_event(event)?;
    let scheduled = batch.via() == EventSource::EventBridge;
    // One record at a time, because of the pace.
    let outcomes = batch.run(1, |record| apply(record, effects, now)).await;
    metrics::count_failures(metrics, &outcomes);
    let response = outcomes.report()?;
    if scheduled {
        metrics.scheduled_run("expired");
    }
    Ok(response)
}

async fn apply(record: Record, effects: &Effects, now: Timestamp) -> anyhow::Result<()> {
    if record.provenance.via == Via::EventBridge {
        let requests = effects.send_due_requests(now).await?;
        tracing::info!(requests, "queued requests for suppressions that have ended");
        return Ok(());
    }
    let request = MirrorRequest::from_json(&record.payload)?;
    let outcome = effects.mirror(&request, now).await?;
    tracing::info!(
        id = request.id,
        action = %request.action,
        calls = outcome.calls,
        reason = outcome.reason,
        "mirrored"
    );
    Ok(())
}
