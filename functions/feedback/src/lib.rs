//! Lambda function: what SES reports about sent mail becomes suppressions and sender statistics.
//!
//! Event -> records -> notification -> [`decide::decide`] -> [`effects::Effects`] -> report of the failed records.

pub mod classification;
pub mod decide;
pub mod effects;
pub mod metrics;
pub mod mirror;
pub mod policy;
pub mod streak;

use intake::{Batch, Outcomes, Record, RecordFailure, RecordKind, Response};
use jiff::Timestamp;
use lambda_kit::Metrics;
use notification_model::{ParseError, SesMessage};
use serde_json::Value;
use store::StoreError;

use crate::decide::{Action, Facts, decide};
use crate::effects::{Effects, Mirror};
use crate::metrics::count_streaks;

/// What a record leaves to be done for the whole batch.
#[derive(Debug, Default)]
pub struct Handled {
    deferred: Vec<Action>,
    metrics: Metrics,
}

/// Handles one Lambda event, whatever carried it, at the time `now`, and adds to the metrics.
///
/// # Errors
/// When the event's shape is unknown, or when Lambda has to try the whole event again (see [`intake::Outcomes::report`]).
/// Single failed records of an SQS batch are in the response.
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
    apply_to_batch(&mut outcomes, effects, metrics).await;
    metrics.merge(metrics_of(&mut outcomes));
    for _ in 0..effects.mirror.as_ref().map_or(0, Mirror::take_failures) {
        metrics.count("MirrorFailures", vec![]);
    }
    Ok(outcomes.report()?)
}

/// Why a record was not handled.
#[derive(Debug, thiserror::Error)]
enum Unhandled {
    #[error(transparent)]
    Unreadable(#[from] ParseError),
    #[error("inbound mail: subscribe the inbound function to this topic instead")]
    Inbound,
    #[error(transparent)]
    Unwritten(#[from] StoreError),
}

impl Unhandled {
    /// One word for metrics: trying again helps against the last kind only.
    fn kind(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "parse",
            Self::Inbound => "inbound",
            Self::Unwritten(_) => "store",
        }
    }
}

async fn apply(record: Record, effects: &Effects, now: Timestamp) -> Result<Handled, Unhandled> {
    if record.kind != RecordKind::Notification {
        tracing::info!(kind = %record.kind, "acknowledged an SNS set-up message");
        return Ok(Handled::default());
    }
    let notification = match notification_model::parse(&record.payload)? {
        SesMessage::Notification(notification) => notification,
        SesMessage::Setup(setup) => {
            let kind = setup.as_str();
            tracing::info!(kind, "acknowledged an SES set-up message");
            return Ok(Handled::default());
        }
        SesMessage::Received(_) => return Err(Unhandled::Inbound),
    };
    let published_at = record.provenance.sns_timestamp.unwrap_or(now);
    let actions = decide(&notification, &Facts { published_at }, &effects.policy);
    let mut metrics = metrics::of_notification(&notification, &actions, now);
    tracing::info!(
        event = notification.event.type_name(),
        message_id = notification.mail.message_id,
        actions = actions.len(),
        "decided"
    );
    let applied = effects.apply(actions, now).await?;
    count_streaks(&mut metrics, &applied.streaks);
    Ok(Handled {
        deferred: applied.deferred,
        metrics,
    })
}

/// Counts and deliveries are written once for the batch; a record whose share could not be written is tried again.
async fn apply_to_batch(outcomes: &mut Outcomes<Handled>, effects: &Effects, metrics: &mut Metrics) {
    let mut deferred = Vec::new();
    for (index, handled) in outcomes.succeeded_mut() {
        deferred.extend(
            std::mem::take(&mut handled.deferred)
                .into_iter()
                .map(|action| (index, action)),
        );
    }
    let (counted, delivered) = futures_util::join!(effects.count(&deferred), effects.deliver(&deferred));
    count_streaks(metrics, &delivered.streaks);
    for (records, error) in counted.into_iter().chain(delivered.failures) {
        for index in records {
            outcomes.fail(index, error.to_string());
        }
    }
}

fn metrics_of(outcomes: &mut Outcomes<Handled>) -> Metrics {
    let mut metrics = Metrics::default();
    for (_, handled) in outcomes.succeeded_mut() {
        metrics.merge(std::mem::take(&mut handled.metrics));
    }
    for (_, failure) in outcomes.failures() {
        let kind = match failure {
            RecordFailure::Handler(error) => error.downcast_ref().map_or(failure.kind(), Unhandled::kind),
            _ => failure.kind(),
        };
        metrics.count("RecordFailures", vec![("Kind", kind.to_owned())]);
    }
    metrics
}
