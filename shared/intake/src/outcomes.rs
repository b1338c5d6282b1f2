//! Runs a handler for each record and reports the failed records to Lambda.

use std::collections::HashSet;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt, StreamExt, stream};
use serde::Serialize;
use thiserror::Error;
use tracing::Instrument;

use crate::batch::{Batch, EventSource};
use crate::error::{BadRecord, BoxError, RecordFailure};
use crate::record::{Provenance, Record};
use crate::wire::{BatchItemFailure, BatchItemFailures};

impl Batch {
    /// Runs `handle` for each readable record, at most `concurrency` at a time (at least one). Logs each failure once.
    ///
    /// An error or a panic fails only its own record. State that handlers share must remain valid after a panic. The log
    /// messages of a handler are in the span `record`, which has the id of the record.
    pub async fn run<T, E, F, Fut>(self, concurrency: usize, handle: F) -> Outcomes<T>
    where
        F: Fn(Record) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Into<BoxError>,
    {
        let handle = &handle;
        let outcomes = stream::iter(self.records)
            .map(|record| run_one(record, handle))
            .buffered(concurrency.max(1))
            .collect()
            .await;
        Outcomes {
            source: self.source,
            outcomes,
        }
    }
}

async fn run_one<T, E, F, Fut>(record: Result<Record, BadRecord>, handle: &F) -> Outcome<T>
where
    F: Fn(Record) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: Into<BoxError>,
{
    let record = match record {
        Ok(record) => record,
        Err(BadRecord { id, error }) => return Outcome::failed(id, None, RecordFailure::BadEnvelope(error)),
    };
    let id = record.id.clone();
    let provenance = Some(record.provenance.clone());
    let span = tracing::info_span!("record", record_id = %id, via = %record.provenance.via);
    // The call is inside the future, because the handler may panic before it returns a future.
    let attempt = AssertUnwindSafe(async move { handle(record).await }.instrument(span))
        .catch_unwind()
        .await;
    match attempt {
        Ok(Ok(value)) => Outcome {
            id,
            provenance,
            result: Ok(value),
        },
        Ok(Err(error)) => Outcome::failed(id, provenance, RecordFailure::Handler(error.into())),
        Err(_panic) => Outcome::failed(id, provenance, RecordFailure::Panicked),
    }
}

/// The outcome of one record.
#[derive(Debug)]
pub struct Outcome<T> {
    /// As [`Record::id`].
    pub id: String,
    /// `None` if the envelope could not be read.
    pub provenance: Option<Provenance>,
    /// What the handler returned, or why the record failed.
    pub result: Result<T, RecordFailure>,
}

impl<T> Outcome<T> {
    fn failed(id: String, provenance: Option<Provenance>, failure: RecordFailure) -> Self {
        log_failure(&id, provenance.as_ref(), &failure);
        Self {
            id,
            provenance,
            result: Err(failure),
        }
    }
}

/// The outcomes of a batch. No record is acknowledged before [`report`](Self::report).
#[derive(Debug)]
#[must_use = "without a report, failed records are acknowledged"]
pub struct Outcomes<T> {
    source: EventSource,
    outcomes: Vec<Outcome<T>>,
}

impl<T> Outcomes<T> {
    /// Returns the outcomes in the order of the event.
    pub fn iter(&self) -> impl Iterator<Item = &Outcome<T>> {
        self.outcomes.iter()
    }

    /// Returns what the handler returned for each successful record, with the index of the record for [`fail`](Self::fail).
    pub fn succeeded(&self) -> impl Iterator<Item = (usize, &T)> {
        self.outcomes
            .iter()
            .enumerate()
            .filter_map(|(index, outcome)| Some((index, outcome.result.as_ref().ok()?)))
    }

    /// As [`succeeded`](Self::succeeded), with mutable values.
    pub fn succeeded_mut(&mut self) -> impl Iterator<Item = (usize, &mut T)> {
        self.outcomes
            .iter_mut()
            .enumerate()
            .filter_map(|(index, outcome)| Some((index, outcome.result.as_mut().ok()?)))
    }

    /// Returns the ids of the failed records with the reasons.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &RecordFailure)> {
        self.outcomes
            .iter()
            .filter_map(|outcome| Some((outcome.id.as_str(), outcome.result.as_ref().err()?)))
    }

    /// Fails a record because a later step for the whole batch failed, for example a write for several records.
    ///
    /// A record that has already failed keeps its first failure. An out-of-range index fails the whole batch, because
    /// retries are safe and it is unknown which record failed.
    pub fn fail(&mut self, index: usize, error: impl Into<BoxError>) {
        let failure = RecordFailure::Batch(error.into());
        if let Some(outcome) = self.outcomes.get_mut(index) {
            fail_once(outcome, failure);
            return;
        }
        for outcome in &mut self.outcomes {
            fail_once(
                outcome,
                RecordFailure::Batch(format!("record {index} is not in this batch: {failure}").into()),
            );
        }
    }

    /// Returns the response of the function.
    ///
    /// # Errors
    ///
    /// If any record failed and the source is not SQS, because Lambda retries only a failed invocation. For SQS the response
    /// names the failed records, also if all of them failed: an invocation that handled its batch is not an error, so the
    /// `Errors` metric of Lambda counts only functions that do not work.
    pub fn report(self) -> Result<Response, BatchFailed> {
        if self.source != EventSource::Sqs {
            let failed = self.failures().count();
            let total = self.outcomes.len();
            return match failed {
                0 => Ok(Response(None)),
                _ => Err(BatchFailed { failed, total }),
            };
        }
        // Two deliveries of a message have the same id. If either fails, the message stays in the queue.
        let mut seen = HashSet::new();
        let batch_item_failures = self
            .failures()
            .filter(|(id, _)| seen.insert(*id))
            .map(|(id, _)| BatchItemFailure {
                item_identifier: id.to_owned(),
            })
            .collect();
        Ok(Response(Some(BatchItemFailures { batch_item_failures })))
    }
}

/// The response for Lambda: `{"batchItemFailures":[{"itemIdentifier":".."}]}` for SQS, `null` for the other sources.
///
/// A receipt rule expects a disposition and treats its absence as `CONTINUE`. A function for receipt rules calls
/// [`Outcomes::report`] for the error only and returns a response of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Response(Option<BatchItemFailures>);

/// The invocation must fail, so that Lambda retries the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{failed} of {total} records failed")]
pub struct BatchFailed {
    /// The number of failed records.
    pub failed: usize,
    /// The number of records.
    pub total: usize,
}

fn fail_once<T>(outcome: &mut Outcome<T>, failure: RecordFailure) {
    if outcome.result.is_ok() {
        log_failure(&outcome.id, outcome.provenance.as_ref(), &failure);
        outcome.result = Err(failure);
    }
}

/// Logs the message of the error without its causes, because libraries quote their input.
fn log_failure(id: &str, provenance: Option<&Provenance>, failure: &RecordFailure) {
    tracing::error!(
        record_id = id,
        via = provenance.map(|provenance| tracing::field::display(provenance.via)),
        receive_count = provenance.and_then(|provenance| provenance.receive_count),
        kind = failure.kind(),
        error = %failure,
        "record failed"
    );
}
