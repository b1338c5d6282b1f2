//! Lambda function: what happens to mail that arrives.
//!
//! Event -> records -> received mail -> facts -> [`decide::decide`] -> [`effects::Effects`] -> the disposition that SES
//! waits for.
//!
//! SES waits 30 seconds and takes whatever is no disposition for `CONTINUE`. So the answer never depends on the work: it
//! is known from the receipt, better once the mailboxes are read, and given when the time budget ends, with whatever is
//! unfinished handed over to the inbound queue, which invokes this function again.

pub mod decide;
pub mod effects;
pub mod mail;
pub mod metrics;
pub mod settings;
pub mod token;
pub mod verdict;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use intake::{Batch, EventSource, Outcomes, Record, RecordFailure, RecordKind, Response};
use jiff::Timestamp;
use lambda_kit::Metrics;
use notification_model::{InvocationType, ParseError, ReceiptAction, Received, SesMessage};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::effects::{Effects, Failure, OutcomeLog, Unfinished};
use crate::verdict::{Disposition, default_disposition};

/// What Lambda has to leave for handing over and answering, of the time it gives an invocation.
const RESERVE: Duration = Duration::from_secs(6);

/// What the function returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum InboundResponse {
    /// To a receipt rule.
    Disposition {
        /// What SES does next.
        disposition: Disposition,
    },
    /// To a queue: which records come again. To anyone else: nothing.
    Batch(Response),
    /// Everything is done, or waits in the inbound queue.
    Nothing,
}

/// Handles one Lambda event, whatever carried it, and adds to the metrics. `now` is the time, `remaining` what Lambda
/// gives the invocation.
///
/// # Errors
/// When the event's shape is unknown, or when Lambda has to try the whole event again. A receipt rule that waits gets a
/// disposition in any case.
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
    let deadline = Instant::now() + budget(source, &effects.settings, remaining);
    let shared = Mutex::new(Metrics::default());
    let run = batch.run(effects.settings.concurrency, |record| {
        within(deadline, record, effects, &shared, now)
    });
    let outcomes = run.await;
    metrics.merge(shared.into_inner().unwrap_or_else(PoisonError::into_inner));
    metrics::count_failures(metrics, &outcomes);
    if source == EventSource::Sqs {
        return Ok(InboundResponse::Batch(outcomes.report()?));
    }
    let lost = hand_over(&outcomes, &payloads, effects, metrics).await;
    if source == EventSource::ReceiptRule {
        let disposition = answer(&outcomes, &payloads, effects);
        // Whoever waits gets an answer. Whoever does not can try again.
        if !lost || payloads.iter().any(|payload| waits(payload)) {
            return Ok(InboundResponse::Disposition { disposition });
        }
    }
    match lost {
        true => Ok(InboundResponse::Batch(outcomes.report()?)),
        false => Ok(InboundResponse::Nothing),
    }
}

/// Why a record is unfinished, and what SES is told meanwhile.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
struct RecordError {
    cause: Cause,
    disposition: Option<Disposition>,
}

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(transparent)]
    Unreadable(#[from] ParseError),
    #[error("about mail that was sent: subscribe the feedback function to this topic instead")]
    Sent,
    #[error(transparent)]
    Undecided(#[from] Failure),
    #[error(transparent)]
    Unfinished(#[from] Unfinished),
    #[error("the time budget ended")]
    OutOfTime,
}

impl RecordError {
    /// One word for metrics.
    fn kind(&self) -> &'static str {
        match &self.cause {
            Cause::Unreadable(_) => "parse",
            Cause::Sent => "sent",
            Cause::Undecided(failure) => failure.kind(),
            Cause::Unfinished(unfinished) => unfinished.kind(),
            Cause::OutOfTime => "time",
        }
    }
}

/// How long a record may take. Only SES is impatient; everyone else waits as long as Lambda does.
fn budget(source: EventSource, settings: &settings::Settings, remaining: Duration) -> Duration {
    let left = remaining.saturating_sub(RESERVE);
    match source {
        EventSource::ReceiptRule => left.min(settings.time_budget),
        _ => left,
    }
}

async fn within(
    deadline: Instant,
    record: Record,
    effects: &Effects,
    metrics: &Mutex<Metrics>,
    now: Timestamp,
) -> Result<Disposition, RecordError> {
    let known = Mutex::new(None);
    let outcome_log = OutcomeLog::default();
    let answer = tokio::time::timeout_at(deadline, apply(&record, effects, &known, &outcome_log, metrics, now)).await;
    let disposition = known.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut metrics = metrics.lock().unwrap_or_else(PoisonError::into_inner);
    metrics::count_actions(&mut metrics, outcome_log);
    match answer {
        Ok(Ok(())) => Ok(disposition.unwrap_or(Disposition::Continue)),
        Ok(Err(cause)) => Err(RecordError { cause, disposition }),
        Err(_) => {
            metrics.count("TimeBudgetExceeded", vec![]);
            let cause = Cause::OutOfTime;
            Err(RecordError { cause, disposition })
        }
    }
}

/// Handles one record. `known` is the disposition as far as it is known, at any time.
async fn apply(
    record: &Record,
    effects: &Effects,
    known: &Mutex<Option<Disposition>>,
    outcome_log: &OutcomeLog,
    metrics: &Mutex<Metrics>,
    now: Timestamp,
) -> Result<(), Cause> {
    let know = |disposition| *known.lock().unwrap_or_else(PoisonError::into_inner) = Some(disposition);
    if record.kind != RecordKind::Notification {
        tracing::info!(kind = %record.kind, "acknowledged an SNS set-up message");
        return Ok(());
    }
    let received = match notification_model::parse(&record.payload)? {
        SesMessage::Received(received) => received,
        SesMessage::Setup(setup) => {
            let kind = setup.as_str();
            tracing::info!(kind, "acknowledged an SES set-up message");
            return Ok(());
        }
        SesMessage::Notification(_) => return Err(Cause::Sent),
    };
    know(default_disposition(&received.receipt));
    let mailboxes = effects.mailboxes(&received).await?;
    know(decide::disposition(&received, &mailboxes));
    let source = effects.source(&received);
    let facts = effects.facts(&received, mailboxes, &source, now).await?;
    let decision = decide::decide(&received, &facts, &effects.settings.policy);
    {
        let mut metrics = metrics.lock().unwrap_or_else(PoisonError::into_inner);
        metrics::count_decision(&mut metrics, &received, &facts, &decision);
    }
    tracing::info!(
        message_id = received.mail.message_id,
        disposition = decision.disposition.as_str(),
        mailboxes = decision.mailboxes.len(),
        "decided"
    );
    Ok(effects
        .apply(&decision, &received, &facts, &source, outcome_log)
        .await?)
}

/// Each record's payload, to be handed over; where the envelope is bad, the whole record, for people to see.
fn payloads(batch: &Batch, event: &Value) -> Vec<String> {
    let raw = |index: usize| {
        let records = event.get("Records");
        let record = records.and_then(|records| records.get(index)).unwrap_or(event);
        record.to_string()
    };
    let records = batch.records().iter().enumerate();
    records
        .map(|(index, record)| {
            record
                .as_ref()
                .map_or_else(|_| raw(index), |record| record.payload.clone())
        })
        .collect()
}

/// Hands over every failed record. Whether some could not be.
async fn hand_over(
    outcomes: &Outcomes<Disposition>,
    payloads: &[String],
    effects: &Effects,
    metrics: &mut Metrics,
) -> bool {
    let mut lost = false;
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
                tracing::error!(record_id = outcome.id, %error, "not handed over: the work on this mail is lost");
                lost = true;
            }
        }
    }
    lost
}

/// The severest disposition of the records: SES asks about one mail.
fn answer(outcomes: &Outcomes<Disposition>, payloads: &[String], effects: &Effects) -> Disposition {
    let dispositions = outcomes.iter().zip(payloads).map(|(outcome, payload)| {
        let known = match &outcome.result {
            Ok(disposition) => return *disposition,
            Err(RecordFailure::Handler(error)) => {
                let trouble = error.downcast_ref::<RecordError>();
                trouble.and_then(|trouble| trouble.disposition)
            }
            Err(_) => None,
        };
        // After a panic the receipt still says what it said.
        let default_disposition = || received(payload).map(|received| default_disposition(&received.receipt));
        known
            .or_else(default_disposition)
            .unwrap_or(effects.settings.fallback_disposition)
    });
    dispositions.max().unwrap_or(effects.settings.fallback_disposition)
}

fn waits(payload: &str) -> bool {
    let action = received(payload).map(|received| received.receipt.action);
    // What cannot be read may be from somebody who waits.
    action.is_none_or(|action| {
        matches!(
            action,
            ReceiptAction::Lambda {
                invocation_type: InvocationType::RequestResponse,
                ..
            }
        )
    })
}

fn received(payload: &str) -> Option<Received> {
    match notification_model::parse(payload) {
        Ok(SesMessage::Received(received)) => Some(received),
        _ => None,
    }
}
