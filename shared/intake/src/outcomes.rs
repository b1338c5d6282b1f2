//! Every record gets its own try, and Lambda gets its answer.

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
    /// Runs `handle` on each good record, at most `concurrency` of them at a time (at least one), and logs each
    /// failure once.
    ///
    /// An error or a panic fails its own record only. State that handlers share must survive a panic in one of them.
    /// What a handler logs is inside the span `record`, which has the record's id.
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
    // The call is inside the future, because it may panic before there is a future to poll.
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

/// What became of one record.
#[derive(Debug)]
pub struct Outcome<T> {
    /// As [`Record::id`].
    pub id: String,
    /// None if the envelope was bad.
    pub provenance: Option<Provenance>,
    /// What the handler made of it.
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

/// What became of a batch. Handlers have run, but nothing is acknowledged before [`report`](Self::report).
#[derive(Debug)]
#[must_use = "a failure that is not reported acknowledges its record"]
pub struct Outcomes<T> {
    source: EventSource,
    outcomes: Vec<Outcome<T>>,
}

impl<T> Outcomes<T> {
    /// In the order of the event.
    pub fn iter(&self) -> impl Iterator<Item = &Outcome<T>> {
        self.outcomes.iter()
    }

    /// What the handler made of each good record, with the index that [`fail`](Self::fail) takes.
    pub fn succeeded(&self) -> impl Iterator<Item = (usize, &T)> {
        self.outcomes
            .iter()
            .enumerate()
            .filter_map(|(index, outcome)| Some((index, outcome.result.as_ref().ok()?)))
    }

    /// As [`succeeded`](Self::succeeded), to change or take the values.
    pub fn succeeded_mut(&mut self) -> impl Iterator<Item = (usize, &mut T)> {
        self.outcomes
            .iter_mut()
            .enumerate()
            .filter_map(|(index, outcome)| Some((index, outcome.result.as_mut().ok()?)))
    }

    /// The ids of the failed records, with the reason.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &RecordFailure)> {
        self.outcomes
            .iter()
            .filter_map(|outcome| Some((outcome.id.as_str(), outcome.result.as_ref().err()?)))
    }

    /// A later step for several records failed for this one, such as an aggregated write.
    ///
    /// A record that failed before keeps its first failure. An index beyond the batch fails every record: somebody's
    /// work is not done, and trying twice is harmless where forgetting is not.
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

    /// What the function must return to Lambda.
    ///
    /// # Errors
    ///
    /// From SQS, if every record failed: all come back anyway, and the `Errors` metric fires. From anyone else, if
    /// any record failed, because only a failed invocation is retried.
    pub fn report(self) -> Result<Response, BatchFailed> {
        let total = self.outcomes.len();
        let failed = self.failures().count();
        let by_id = self.source == EventSource::Sqs;
        if failed > 0 && (failed == total || !by_id) {
            return Err(BatchFailed { failed, total });
        }
        if !by_id {
            return Ok(Response(None));
        }
        // Two deliveries of one message share an id, and either of them failing keeps it in the queue.
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

/// What Lambda must hear: for SQS `{"batchItemFailures":[{"itemIdentifier":".."}]}`, for anyone else `null`.
///
/// A receipt rule wants a disposition instead, and takes its absence for `CONTINUE`: its function calls
/// [`Outcomes::report`] for the error and answers in its own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Response(Option<BatchItemFailures>);

/// The invocation must fail, so that the records come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{failed} of {total} records failed")]
pub struct BatchFailed {
    /// How many records failed.
    pub failed: usize,
    /// How many there were.
    pub total: usize,
}

fn fail_once<T>(outcome: &mut Outcome<T>, failure: RecordFailure) {
    if outcome.result.is_ok() {
        log_failure(&outcome.id, outcome.provenance.as_ref(), &failure);
        outcome.result = Err(failure);
    }
}

/// The error's own message only: those of its sources come from libraries, which quote their input.
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
