//! Lambda function: brings SES's own suppression lists in line with the table.
//!
//! SES adds hard bounces and complaints to its lists itself. What only Postroom knows (soft bounces in a row, a person's
//! decision, on request unsubscribes) comes here through a queue of its own, because that API takes about one call a
//! second. Event -> requests -> recipient's row -> [`decide::decide`] -> [`effects::Effects`] -> report.

pub mod decide;
pub mod effects;
pub mod policy;

use intake::{Batch, Record, Response, Via};
use jiff::Timestamp;
use serde_json::Value;
use store::MirrorRequest;

use crate::effects::Effects;

/// Handles one Lambda event at the time `now`: requests from the queue, or the schedule's event that asks for what has
/// ended since.
///
/// # Errors
/// When the event's shape is unknown, or when Lambda has to try the whole event again (see [`intake::Outcomes::report`]).
pub async fn handle(event: &Value, effects: &Effects, now: Timestamp) -> anyhow::Result<Response> {
    let batch = Batch::from_event(event)?;
    // One record after the other: the pace is what this function is for.
    let outcomes = batch.run(1, |record| apply(record, effects, now)).await;
    Ok(outcomes.report()?)
}

async fn apply(record: Record, effects: &Effects, now: Timestamp) -> anyhow::Result<()> {
    if record.provenance.via == Via::EventBridge {
        let requests = effects.request_ended(now).await?;
        tracing::info!(requests, "asked for the deletion of what has ended");
        return Ok(());
    }
    let request = MirrorRequest::from_json(&record.payload)?;
    let outcome = effects.mirror(&request, now).await?;
    tracing::info!(
        id = request.id,
        action = %request.action,
        calls = outcome.calls,
        because = outcome.because,
        "mirrored"
    );
    Ok(())
}
