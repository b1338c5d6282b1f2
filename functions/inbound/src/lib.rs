//! Lambda function that processes mail received by Amazon SES.
//!
//! Event -> records -> received mail -> facts -> [`decide::decide`] -> [`effects::Effects`] -> disposition.
//!
//! SES waits 30 seconds for a disposition and treats any other response as `CONTINUE`. The disposition therefore does not
//! depend on the actions: it is known from the receipt, is updated once the mailboxes are read, and is returned when the time
//! budget ends. Unfinished work is handed over to the inbound queue, which invokes this function again.

pub mod decide;
pub mod effects;
pub mod mail;
pub mod metrics;
mod record;
mod record_error;
mod response;
pub mod settings;
pub mod verdict;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use intake::{Batch, EventSource, Outcomes};
use jiff::Timestamp;
use lambda_kit::Metrics;
use serde_json::Value;
use tokio::time::Instant;

use crate::effects::Effects;
use crate::record::process_record;
use crate::response::may_await_disposition;
use crate::settings::Settings;
use crate::verdict::Disposition;

pub use response::InboundResponse;

/// The part of Lambda's remaining time that is reserved for the hand-over and the response.
const RESERVED_TIME: Duration = Duration::from_secs(6);

/// Processes a Lambda event from a receipt rule, SNS or SQS, and adds to the metrics. `now` is the current time, `remaining`
/// the time until Lambda ends the invocation.
///
/// # Errors
/// If the event has an unknown shape, or if Lambda has to retry the whole event. A receipt rule that waits gets a disposition
/// in any case.
pub async fn handle(
    event: &Value,
    effects: &Effects,
    metrics: &mut Metrics,
    now: Timestamp,
    remaining: Duration,
) -> anyhow::Result<InboundResponse> {
    let batch = Batch::from_event(event)?;
    let source = batch.via();
    let payloads = payloads(&batch, event);
    let deadline = Instant::now() + time_budget(source, &effects.settings, remaining);
    let shared = Mutex::new(Metrics::default());
    let run = batch.run(effects.settings.concurrency, |record| {
        process_record(deadline, record, effects, &shared, now)
    });
    let outcomes = run.await;
    metrics.merge(shared.into_inner().unwrap_or_else(PoisonError::into_inner));
    metrics::count_failures(metrics, &outcomes);
    if source == EventSource::Sqs {
        return Ok(InboundResponse::Batch(outcomes.report()?));
    }
    let all_handed_over = hand_over(&outcomes, &payloads, effects, metrics).await;
    if source == EventSource::ReceiptRule {
        let disposition = response::disposition(&outcomes, &payloads, effects.settings.fallback_disposition);
        // An asynchronous invocation needs no disposition: Lambda retries it.
        if all_handed_over || payloads.iter().any(|payload| may_await_disposition(payload)) {
            return Ok(InboundResponse::Disposition { disposition });
        }
    }
    match all_handed_over {
        true => Ok(InboundResponse::Empty),
        false => Ok(InboundResponse::Batch(outcomes.report()?)),
    }
}

/// The time that a record may take. SES limits only the receipt rule; other callers wait as long as Lambda runs.
fn time_budget(source: EventSource, settings: &Settings, remaining: Duration) -> Duration {
    let available = remaining.saturating_sub(RESERVED_TIME);
    match source {
        EventSource::ReceiptRule => available.min(settings.time_budget),
        _ => available,
    }
}

/// The payload of each record for the hand-over. A record with an invalid envelope is handed over as a whole.
fn payloads(batch: &Batch, event: &Value) -> Vec<String> {
    let raw_record = |index: usize| {
        let records = event.get("Records");
        let record = records.and_then(|records| records.get(index)).unwrap_or(event);
        record.to_string()
    };
    let records = batch.records().iter().enumerate();
    records
        .map(|(index, record)| match record {
            Ok(record) => record.payload.clone(),
            Err(_) => raw_record(index),
        })
        .collect()
}

/// Hands over every failed record. Returns whether the queue accepted all of them.
async fn hand_over(
    outcomes: &Outcomes<Disposition>,
    payloads: &[String],
    effects: &Effects,
    metrics: &mut Metrics,
) -> bool {
    let mut all_handed_over = true;
    for (outcome, payload) in outcomes.iter().zip(payloads) {
        if outcome.result.is_ok() {
            continue;
        }
        match effects.hand_over(payload).await {
            Ok(()) => {
                metrics.count("HandedOver", vec![]);
                tracing::warn!(record_id = outcome.id, "handed over to the inbound queue");
            }
            Err(error) => {
                metrics.count("HandOverFailures", vec![]);
                tracing::error!(record_id = outcome.id, %error, "hand-over failed: the rest of the work on this mail is lost");
                all_handed_over = false;
            }
        }
    }
    all_handed_over
}
