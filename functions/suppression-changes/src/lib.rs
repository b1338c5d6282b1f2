//! Lambda function: publishes what changed about suppressions, as the DynamoDB stream of the table records it.
//!
//! Every writer of the table is done when it has written. What follows from a change is derived here, so neither a killed
//! function nor an operator's command can leave it out: change notices for applications go to an SNS topic, and requests to
//! change SES's own suppression lists go to the queue of the suppression mirror.
//!
//! Nothing is written to the table when the end of a suppression passes. So each end that was published has a row, and a
//! schedule publishes the ends that have come.
//!
//! Event -> [`stream::read`] -> [`decide::decide`] -> [`effects::Effects`] -> the first record to retry.

pub mod decide;
pub mod effects;
pub mod metrics;
pub mod notice;
mod scheduled;
pub mod settings;
pub mod stream;

use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt, StreamExt};
use jiff::Timestamp;
use lambda_kit::Metrics;
use serde_json::{Value, json};

use crate::decide::decide;
use crate::effects::{EffectError, Effects};
use crate::stream::{StreamRecord, UnknownEvent};

/// Records that are handled at the same time. Notices have versions, so their order does not matter.
const CONCURRENT_RECORDS: usize = 10;

/// Handles one event of the stream and adds to the metrics. Returns the
/// [response](https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html) that names the first
/// failed record: Lambda sends it and the records after it again.
///
/// A record that cannot be read or makes the function panic goes to the dead-letter queue, because it would stop the records
/// after it until the stream deletes it.
///
/// The event of the schedule is `{"postroom": "ends"}`.
///
/// # Errors
/// If the event is not one of a DynamoDB stream, or a run of the schedule fails.
pub async fn handle(
    event: &Value,
    effects: &Effects,
    metrics: &mut Metrics,
    now: Timestamp,
) -> Result<Value, HandleError> {
    if event.get("postroom").and_then(Value::as_str) == Some("ends") {
        let ends = scheduled::publish_ends(effects, metrics, now).await?;
        tracing::info!(ends, "handled ends of suppressions");
        metrics.scheduled_run("ends");
        return Ok(Value::Null);
    }
    let records = stream::read(event)?;
    let handled: Vec<_> = futures_util::stream::iter(&records)
        .map(|record| handle_record(record, effects, now))
        .buffered(CONCURRENT_RECORDS)
        .collect()
        .await;
    let mut first_failed = None;
    for (record, (of_record, result)) in records.iter().zip(handled) {
        metrics.merge(of_record);
        if let Err(error) = result {
            tracing::error!(sequence_number = record.sequence_number, %error, "record failed");
            metrics::count_failure(metrics, "service");
            first_failed.get_or_insert(&record.sequence_number);
        }
    }
    let failures: Vec<Value> = first_failed
        .into_iter()
        .map(|number| json!({"itemIdentifier": number}))
        .collect();
    Ok(json!({"batchItemFailures": failures}))
}

/// Why an event was not handled.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// The event is not one of a DynamoDB stream.
    #[error(transparent)]
    UnknownEvent(#[from] UnknownEvent),
    /// A run of the schedule failed.
    #[error(transparent)]
    Schedule(#[from] EffectError),
}

async fn handle_record(record: &StreamRecord, effects: &Effects, now: Timestamp) -> (Metrics, Result<(), EffectError>) {
    let mut metrics = Metrics::default();
    let change = match &record.change {
        Ok(change) => change,
        Err(error) => {
            let result = dead_letter(record, effects, "unreadable", &error.to_string(), &mut metrics).await;
            return (metrics, result);
        }
    };
    let mirror_unsubscribes = effects.settings.mirror_unsubscribes;
    let apply = async {
        let decision = decide(change, mirror_unsubscribes);
        effects.apply(&decision, &mut metrics, now).await
    };
    let result = match AssertUnwindSafe(apply).catch_unwind().await {
        Ok(result) => result,
        Err(_panic) => dead_letter(record, effects, "panic", "the function panicked", &mut metrics).await,
    };
    (metrics, result)
}

async fn dead_letter(
    record: &StreamRecord,
    effects: &Effects,
    kind: &'static str,
    reason: &str,
    metrics: &mut Metrics,
) -> Result<(), EffectError> {
    tracing::error!(
        sequence_number = record.sequence_number,
        kind,
        reason,
        "record sent to the dead-letter queue"
    );
    effects.send_dead_letter(&record.sequence_number, reason).await?;
    metrics::count_failure(metrics, kind);
    Ok(())
}
