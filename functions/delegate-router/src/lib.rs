//! Lambda function: every SES notification reaches the ownership that must hear of it, and nobody else.
//!
//! Event -> records -> notification -> facts -> [`decide::decide`] -> [`effects::Effects`] -> report of the failed records.
//!
//! The function reads two queues. A notification becomes one message per target in the `deliver` queue and is then
//! acknowledged; a message from there is taken to its target. So each target has its own attempts and its own end.

pub mod alert;
pub mod decide;
pub mod decide_alert;
pub mod delivery;
pub mod digest;
pub mod effects;
pub mod metrics;
pub mod ownership;
pub mod redaction;
pub mod settings;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use intake::{Batch, Outcomes, Record, RecordKind, Response};
use jiff::Timestamp;
use lambda_kit::Metrics;
use notification_model::SesMessage;
use serde_json::{Map, Value};

use crate::alert::Alert;
use crate::decide::{Action, Received, decide};
use crate::decide_alert::decide_alert;
use crate::delivery::{Delivery, NotADelivery};
use crate::effects::Effects;
use crate::metrics::{count_delivery, count_routes};

/// What a record leaves to be done for the whole batch.
#[derive(Debug, Default)]
pub struct Handled {
    to_route: Option<Box<Received>>,
    metrics: Metrics,
}

/// Handles one Lambda event, whatever carried it, at the time `now`, and adds to the metrics. `None` answers the
/// schedule, `{"postroom":"digest"}`.
///
/// # Errors
/// When the event's shape is unknown, when Lambda has to try the whole event again (see [`intake::Outcomes::report`]),
/// or when a scheduled run could not do all of its work. Single failed records of an SQS batch are in the response.
pub async fn handle(
    event: &Value,
    effects: &Effects,
    metrics: &mut Metrics,
    now: Timestamp,
) -> anyhow::Result<Option<Response>> {
    if event.get("postroom").and_then(Value::as_str) == Some("digest") {
        return effects.send_digests(metrics, now).await.map(|()| None);
    }
    let batch = Batch::from_event(event)?;
    let mut outcomes = batch
        .run(effects.settings.concurrency, |record| receive(record, effects, now))
        .await;
    route(&mut outcomes, effects, now).await;
    metrics.merge(metrics_of(&mut outcomes));
    Ok(Some(outcomes.report()?))
}

async fn receive(record: Record, effects: &Effects, now: Timestamp) -> anyhow::Result<Handled> {
    if record.kind != RecordKind::Notification {
        tracing::info!(kind = %record.kind, "acknowledged an SNS set-up message");
        return Ok(Handled::default());
    }
    if effects
        .settings
        .is_delivery_queue(record.provenance.queue_arn.as_deref())
    {
        let metrics = receive_from_delivery_queue(&record.payload, effects, now).await?;
        return Ok(Handled {
            to_route: None,
            metrics,
        });
    }
    let notification = match notification_model::parse(&record.payload)? {
        SesMessage::Notification(notification) => notification,
        SesMessage::Setup(setup) => {
            let kind = setup.as_str();
            tracing::info!(kind, "acknowledged an SES set-up message");
            return Ok(Handled::default());
        }
        SesMessage::Received(_) => anyhow::bail!("inbound mail: subscribe the inbound function to this topic instead"),
    };
    let received = Received {
        notification,
        payload: record.payload,
    };
    Ok(Handled {
        to_route: Some(Box::new(received)),
        metrics: Metrics::default(),
    })
}

/// Handles a message of the delivery queue: a delivery of this function, or an alert of the reputation monitor.
async fn receive_from_delivery_queue(payload: &str, effects: &Effects, now: Timestamp) -> anyhow::Result<Metrics> {
    let mut metrics = Metrics::default();
    let fields: Map<String, Value> = serde_json::from_str(payload).map_err(|_| NotADelivery)?;
    if fields.get("postroom").and_then(Value::as_str) == Some("alert") {
        let alert = Alert::from_fields(fields)?;
        count_routes(&mut metrics, &route_alert(&alert, effects).await?);
    } else {
        let delivery = Delivery::from_fields(fields)?;
        count_delivery(&mut metrics, &delivery, effects.deliver(&delivery, now).await?);
    }
    Ok(metrics)
}

async fn route_alert(alert: &Alert, effects: &Effects) -> anyhow::Result<Vec<Action>> {
    let routes = effects.routes_for_alert(alert).await?;
    let actions: Vec<(usize, Action)> = decide_alert(alert, &routes)
        .into_iter()
        .map(|action| (0, action))
        .collect();
    if let Some((_, error)) = effects.apply(&actions).await.into_iter().next() {
        anyhow::bail!(error);
    }
    tracing::info!(
        owner = alert.owner,
        account = alert.account,
        kind = alert.kind,
        "routed an alert"
    );
    Ok(actions.into_iter().map(|(_, action)| action).collect())
}

/// The whole batch shares its reads of the table and its writes to the queue; what fails, fails for its own records.
async fn route(outcomes: &mut Outcomes<Handled>, effects: &Effects, now: Timestamp) {
    let received: Vec<(usize, Box<Received>)> = outcomes
        .succeeded_mut()
        .filter_map(|(index, handled)| Some((index, handled.to_route.take()?)))
        .collect();
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
                outcomes.fail(*index, error.to_string());
                continue;
            }
        };
        let Ok(decided) = catch_unwind(AssertUnwindSafe(|| decide(received, &facts, &own_identity))) else {
            outcomes.fail(*index, "the decision panicked");
            continue;
        };
        log(received, &decided);
        metrics.insert(*index, metrics::of_notification(&received.notification, &decided, now));
        actions.extend(decided.into_iter().map(|action| (*index, action)));
    }
    for (index, error) in effects.apply(&actions).await {
        outcomes.fail(index, error);
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

fn metrics_of(outcomes: &mut Outcomes<Handled>) -> Metrics {
    let mut metrics = Metrics::default();
    for (_, handled) in outcomes.succeeded_mut() {
        metrics.merge(std::mem::take(&mut handled.metrics));
    }
    for (_, failure) in outcomes.failures() {
        metrics.count("RecordFailures", vec![("Kind", failure.kind().to_owned())]);
    }
    metrics
}
