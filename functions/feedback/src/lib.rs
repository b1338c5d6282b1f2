//! Lambda function: turns what SES reports about sent mail into suppressions and statistics of senders.
//!
//! Event -> records -> notification -> [`decide::decide`] -> [`effects::Effects`] -> report of the failed records.

pub mod action;
pub mod classification;
pub mod decide;
pub mod effects;
pub mod metrics;
pub mod observation;
pub mod policy;
pub mod settings;
pub mod streak;

use intake::{Batch, Record, Response};
use jiff::Timestamp;
use lambda_kit::{Handled, Message, Metrics, pipeline};
use notification_model::{Event, Notification, ParseError};
use serde_json::Value;
use store::{SentMail, StoreError};

use crate::action::Action;
use crate::decide::{Facts, decide, decide_sent_by_inbound};
use crate::effects::Effects;
use crate::metrics::count_streaks;
use crate::observation::Observation;

/// Handles one Lambda event at the time `now` and adds to the metrics.
///
/// # Errors
/// If the shape of the event is unknown, or if Lambda has to retry the whole event (see [`intake::Outcomes::report`]). The
/// response names the failed records of an SQS batch, also if all of them failed.
pub async fn handle(
    event: &Value,
    effects: &Effects,
    metrics: &mut Metrics,
    now: Timestamp,
) -> anyhow::Result<Response> {
    let batch = Batch::from_event(event)?;
    let mut outcomes = batch
        .run(effects.policy.concurrency, |record| apply(record, effects, now))
        .await;
    let (mut actions, mut observations) = (Vec::new(), Vec::new());
    for (index, deferred) in pipeline::take_deferred(&mut outcomes) {
        match deferred {
            Deferred::Action(action) => actions.push((index, *action)),
            Deferred::Observation(observation) => observations.push((index, observation)),
        }
    }
    let ((streaks, failures), not_recorded) =
        futures_util::join!(effects.apply_deferred(&actions), effects.record(&observations));
    count_streaks(metrics, &streaks);
    for (records, error) in failures.into_iter().chain(not_recorded) {
        let message = error.to_string();
        pipeline::fail_records(&mut outcomes, records, || RecordError::NotWritten(message.clone()));
    }
    pipeline::fail_incomplete(&mut outcomes);
    metrics.merge(pipeline::take_metrics(&mut outcomes));
    pipeline::count_failures(metrics, &outcomes, RecordError::kind);
    Ok(outcomes.report()?)
}

/// Why a record was not handled.
#[derive(Debug, thiserror::Error)]
enum RecordError {
    #[error(transparent)]
    Parse(#[from] ParseError),
    #[error("inbound mail: subscribe the inbound function to this topic instead")]
    InboundMail,
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A write for several records of the batch failed.
    #[error("{0}")]
    NotWritten(String),
}

impl RecordError {
    /// Returns the value of the dimension `Kind` of `RecordFailures`. A retry helps only against `store`.
    fn kind(&self) -> &'static str {
        match self {
            Self::Parse(_) => "parse",
            Self::InboundMail => "inbound",
            Self::Store(_) | Self::NotWritten(_) => "store",
        }
    }
}

/// Work that is done once for the whole batch.
#[derive(Debug)]
enum Deferred {
    Action(Box<Action>),
    Observation(Observation),
}

/// The mail of the inbound function that a bounce or complaint is about. Other events are not looked up, because there are
/// too many of them.
async fn sent_by_inbound(notification: &Notification, effects: &Effects) -> Result<Option<SentMail>, StoreError> {
    match notification.event {
        Event::Bounce(_) | Event::Complaint(_) if effects.policy.inbound => {
            effects.store.sent_mail(&notification.mail.message_id).await
        }
        _ => Ok(None),
    }
}

async fn apply(record: Record, effects: &Effects, now: Timestamp) -> Result<Handled<Deferred>, RecordError> {
    let published_at = record.provenance.published_at.unwrap_or(now);
    let mut notification = match pipeline::read_message(&record)? {
        None => return Ok(Handled::default()),
        Some(Message::Notification(notification)) => notification,
        Some(Message::TopicTest(test)) => {
            let proof = observation::of_topic_test(&test, &record.provenance, published_at.min(now));
            return Ok(Handled {
                deferred: proof.into_iter().map(Deferred::Observation).collect(),
                ..Handled::default()
            });
        }
        Some(Message::InboundMail(_)) => return Err(RecordError::InboundMail),
    };
    let unreadable = notification.unreadable_recipients.pop();
    let facts = Facts { published_at };
    let actions = match sent_by_inbound(&notification, effects).await? {
        None => decide(&notification, &facts, &effects.policy),
        Some(sent) => decide_sent_by_inbound(&notification, &sent, &facts, &effects.policy),
    };
    let mut metrics = metrics::of_notification(&notification, &actions, now);
    tracing::info!(
        event = notification.event.type_name(),
        message_id = notification.mail.message_id,
        actions = actions.len(),
        "decided"
    );
    let (deferred, immediate): (Vec<_>, Vec<_>) = actions.into_iter().partition(Action::is_deferred);
    count_streaks(&mut metrics, &effects.apply(&immediate, now).await?);
    // The same in every retry and replay. A time in the future would hide later silence.
    let seen_at = record.provenance.published_at.unwrap_or(notification.occurred_at());
    let observations = observation::of_notification(&notification, seen_at.min(now));
    let deferred = deferred.into_iter().map(|action| Deferred::Action(Box::new(action)));
    Ok(Handled {
        deferred: deferred
            .chain(observations.into_iter().map(Deferred::Observation))
            .collect(),
        metrics,
        incomplete: unreadable.map(|error| RecordError::from(error).into()),
    })
}
