//! Lambda function: delivers notifications of SES and alerts of the reputation monitor to the accounts they concern.
//!
//! Event -> records -> notification -> facts -> [`decide::decide`] -> [`effects::Effects`] -> report of the failed records.
//!
//! The function reads two queues. From the router queue it reads notifications: each becomes one message per target in the
//! delivery queue and is then acknowledged. From the delivery queue it reads these messages and delivers them, and it reads
//! alerts, which become one message per target in the same way. Each target is therefore retried on its own. A schedule sends
//! digests; one that SES rejects is a dead letter, and is sent when an operator moves it back to the delivery queue.

pub mod action;
pub mod alert;
pub mod decide;
pub mod decide_alert;
pub mod delivery;
pub mod digest;
pub mod effects;
mod grants;
mod idempotency;
pub mod metrics;
pub mod own_notification;
pub mod ownership;
pub mod received;
pub mod redaction;
pub mod rejected_digest;
pub mod rendered_mail;
pub mod settings;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use intake::{Batch, Outcomes, Record, RecordKind, Response};
use jiff::Timestamp;
use lambda_kit::{Handled, Message, Metrics, pipeline};
use notification_model::ParseError;
use serde_json::{Map, Value};
use store::StoreError;

use crate::action::Action;
use crate::alert::{Alert, NotAnAlert};
use crate::decide::decide;
use crate::decide_alert::decide_alert;
use crate::delivery::{Delivery, NotADelivery};
use crate::effects::{DeliveryError, Effects};
use crate::metrics::{count_delivery, count_targets};
use crate::received::Received;
use crate::rejected_digest::{NotARejectedDigest, RejectedDigest};

/// Handles one Lambda event at the time `now` and adds to the metrics. Returns `None` for the event of the schedule,
/// `{"postroom":"digest"}`.
///
/// # Errors
/// When the shape of the event is unknown, when Lambda has to retry the whole event (see [`intake::Outcomes::report`]), or
/// when a digest was not sent. The response names the failed records of an SQS batch.
pub async fn handle(
    event: &Value,
    effects: &Effects,
    metrics: &mut Metrics,
    now: Timestamp,
) -> anyhow::Result<Option<Response>> {
    if event.get("postroom").and_then(Value::as_str) == Some("digest") {
        effects.send_digests(metrics, now).await?;
        metrics.scheduled_run("digest");
        return Ok(None);
    }
    let batch = Batch::from_event(event)?;
    let mut outcomes = batch
        .run(effects.settings.concurrency, |record| receive(record, effects, now))
        .await;
    route(&mut outcomes, effects, now).await;
    metrics.merge(pipeline::take_metrics(&mut outcomes));
    pipeline::count_failures(metrics, &outcomes, RecordError::kind);
    Ok(Some(outcomes.report()?))
}

/// Why a record was not handled.
#[derive(Debug, thiserror::Error)]
enum RecordError {
    #[error(transparent)]
    Parse(#[from] ParseError),
    #[error("inbound mail: subscribe the inbound function to this topic instead")]
    InboundMail,
    #[error(transparent)]
    NotADelivery(#[from] NotADelivery),
    #[error(transparent)]
    NotAnAlert(#[from] NotAnAlert),
    #[error(transparent)]
    NotARejectedDigest(#[from] NotARejectedDigest),
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The routes could not be read, or the delivery queue did not accept a delivery.
    #[error("{0}")]
    NotRouted(String),
    #[error("the decision panicked")]
    DecisionPanicked,
    #[error("a rejected digest was not sent: {0:#}")]
    DigestNotSent(anyhow::Error),
}

impl RecordError {
    /// Returns the value of the dimension `Kind` of `RecordFailures`. A retry does not help against `parse` and `inbound`.
    fn kind(&self) -> &'static str {
        match self {
            Self::Parse(_) | Self::NotADelivery(_) | Self::NotAnAlert(_) | Self::NotARejectedDigest(_) => "parse",
            Self::InboundMail => "inbound",
            Self::Delivery(_) | Self::DigestNotSent(_) => "delivery",
            Self::Store(_) | Self::NotRouted(_) => "not-routed",
            Self::DecisionPanicked => "panic",
        }
    }
}

/// Handles a message of the delivery queue, or parses a notification and defers its routing until the whole batch is
/// parsed.
async fn receive(record: Record, effects: &Effects, now: Timestamp) -> Result<Handled<Received>, RecordError> {
    let queue_arn = record.provenance.queue_arn.as_deref();
    if record.kind == RecordKind::Notification && effects.settings.is_delivery_queue(queue_arn) {
        return Ok(Handled {
            deferred: Vec::new(),
            metrics: receive_from_delivery_queue(&record.payload, effects, now).await?,
            incomplete: None,
        });
    }
    let notification = match pipeline::read_message(&record)? {
        None | Some(Message::TopicTest(_)) => return Ok(Handled::default()),
        Some(Message::Notification(notification)) => *notification,
        Some(Message::InboundMail(_)) => return Err(RecordError::InboundMail),
    };
    let received = Received {
        notification,
        payload: record.payload,
    };
    Ok(Handled {
        deferred: vec![received],
        metrics: Metrics::default(),
        // A recipient that cannot be read is no reason to send the notification to its targets again: feedback reports it.
        incomplete: None,
    })
}

/// Handles a message of the delivery queue: a delivery of this function, an alert of the reputation monitor, or a rejected
/// digest that an operator has moved back.
async fn receive_from_delivery_queue(payload: &str, effects: &Effects, now: Timestamp) -> Result<Metrics, RecordError> {
    let mut metrics = Metrics::default();
    let fields: Map<String, Value> = serde_json::from_str(payload).map_err(|_| NotADelivery)?;
    if Alert::is_alert(&fields) {
        let actions = route_alert(&Alert::from_fields(fields)?, effects).await?;
        count_targets(&mut metrics, &actions);
    } else if RejectedDigest::is_rejected_digest(&fields) {
        let rejected = RejectedDigest::from_fields(&fields)?;
        let sent = effects.send_rejected_digest(&rejected, &mut metrics, now).await;
        sent.map_err(RecordError::DigestNotSent)?;
    } else {
        let delivery = Delivery::from_fields(fields)?;
        let outcome = effects.deliver(&delivery, now).await?;
        count_delivery(&mut metrics, &delivery, outcome);
    }
    Ok(metrics)
}

/// Routes an alert. Alerts are rare, so each is routed on its own.
async fn route_alert(alert: &Alert, effects: &Effects) -> Result<Vec<Action>, RecordError> {
    let routes = effects.routes_for_alert(alert).await?;
    let actions: Vec<(usize, Action)> = decide_alert(alert, &routes)
        .into_iter()
        .map(|action| (0, action))
        .collect();
    if let Some((_, error)) = effects.apply(&actions).await.into_iter().next() {
        return Err(RecordError::NotRouted(error));
    }
    tracing::info!(
        owner = alert.owner,
        account = alert.account,
        kind = alert.kind,
        "routed an alert"
    );
    Ok(actions.into_iter().map(|(_, action)| action).collect())
}

/// Routes the notifications of a batch. They share the reads of the table and the requests to the delivery queue; an error
/// fails only the records it concerns.
async fn route(outcomes: &mut Outcomes<Handled<Received>>, effects: &Effects, now: Timestamp) {
    let received = pipeline::take_deferred(outcomes);
    let mails: Vec<_> = received
        .iter()
        .map(|(_, received)| &received.notification.mail)
        .collect();
    let facts = effects.facts(&mails).await;

    let own_identity = effects.settings.own_identity();
    let mut actions = Vec::new();
    let mut metrics = BTreeMap::new();
    for ((index, received), facts) in received.iter().zip(facts) {
        let facts = match facts {
            Ok(facts) => facts,
            Err(error) => {
                outcomes.fail(*index, RecordError::NotRouted(error.to_string()));
                continue;
            }
        };
        let Ok(decided) = catch_unwind(AssertUnwindSafe(|| decide(received, &facts, &own_identity))) else {
            outcomes.fail(*index, RecordError::DecisionPanicked);
            continue;
        };
        log(received, &decided);
        metrics.insert(*index, metrics::of_notification(&received.notification, &decided, now));
        actions.extend(decided.into_iter().map(|action| (*index, action)));
    }
    for (index, error) in effects.apply(&actions).await {
        outcomes.fail(index, RecordError::NotRouted(error));
    }
    for (index, handled) in outcomes.succeeded_mut() {
        handled.metrics.merge(metrics.remove(&index).unwrap_or_default());
    }
}

fn log(received: &Received, decided: &[Action]) {
    let unrouted = decided.iter().find_map(|action| match action {
        Action::Unrouted(unrouted) => Some(unrouted.reason.as_str()),
        Action::Deliver(_) => None,
    });
    tracing::info!(
        event = received.notification.event.type_name(),
        message_id = received.notification.mail.message_id,
        targets = decided.len() - usize::from(unrouted.is_some()),
        unrouted,
        "decided"
    );
}
