//! Steps that every function with a batch of records shares.
//!
//! A function that handles SES messages runs these steps for each Lambda event:
//!
//! 1. [`intake::Batch::from_event`] splits the event into records.
//! 2. [`intake::Batch::run`] handles each record on its own. The handler reads the SES message with [`read_message`] and
//!    returns [`Handled`]: the work that is better done once for the whole batch, and the metrics of the record.
//! 3. [`take_deferred`] collects the deferred work of all records. The function does it and reports failures with
//!    [`fail_records`].
//! 4. [`fail_incomplete`] fails the records of which a part cannot be handled, after everything else of them is done.
//! 5. [`take_metrics`] merges the metrics of the records that succeeded; [`count_failures`] counts those that failed.
//! 6. [`intake::Outcomes::report`] returns the response for Lambda.
//!
//! ```
//! use intake::{Batch, Record, Response};
//! use lambda_kit::{Handled, Message, Metrics, pipeline};
//! use serde_json::Value;
//!
//! #[derive(Debug, thiserror::Error)]
//! enum HandlerError {
//!     #[error(transparent)]
//!     Parse(#[from] notification_model::ParseError),
//!     #[error("inbound mail: subscribe the inbound function to this topic instead")]
//!     InboundMail,
//!     #[error("not written")]
//!     NotWritten,
//! }
//!
//! impl HandlerError {
//!     fn kind(&self) -> &'static str {
//!         match self {
//!             Self::Parse(_) => "parse",
//!             Self::InboundMail => "inbound",
//!             Self::NotWritten => "store",
//!         }
//!     }
//! }
//!
//! async fn handle(record: Record) -> Result<Handled<String>, HandlerError> {
//!     let mut handled = Handled::default();
//!     match pipeline::read_message(&record)? {
//!         None => {}
//!         Some(Message::Notification(notification)) => {
//!             handled.deferred.push(notification.mail.message_id);
//!             let unreadable = notification.unreadable_recipients.into_iter().next();
//!             handled.incomplete = unreadable.map(|error| HandlerError::from(error).into());
//!         }
//!         Some(Message::TopicTest(_)) => {}
//!         Some(Message::InboundMail(_)) => return Err(HandlerError::InboundMail),
//!     }
//!     Ok(handled)
//! }
//!
//! async fn handle_event(event: &Value, metrics: &mut Metrics) -> anyhow::Result<Response> {
//!     let mut outcomes = Batch::from_event(event)?.run(8, handle).await;
//!     for (index, message_id) in pipeline::take_deferred(&mut outcomes) {
//!         if message_id.is_empty() {
//!             pipeline::fail_records(&mut outcomes, [index], || HandlerError::NotWritten);
//!         }
//!     }
//!     pipeline::fail_incomplete(&mut outcomes);
//!     metrics.merge(pipeline::take_metrics(&mut outcomes));
//!     pipeline::count_failures(metrics, &outcomes, HandlerError::kind);
//!     Ok(outcomes.report()?)
//! }
//! ```

use std::error::Error;

use intake::{BoxError, Outcomes, Record, RecordFailure, RecordKind};
use notification_model::{Notification, ParseError, Received, SesMessage, Setup};

use crate::metrics::Metrics;

/// The result of handling one record.
#[derive(Debug)]
pub struct Handled<D> {
    /// Work that the function does once for the whole batch.
    pub deferred: Vec<D>,
    /// Metrics of the record. They count only if the record succeeds, deferred work included.
    pub metrics: Metrics,
    /// Why a part of the record cannot be handled, for example a recipient that cannot be read. The record fails after its
    /// other parts are handled, so that it ends in the dead-letter queue.
    pub incomplete: Option<BoxError>,
}

impl<D> Default for Handled<D> {
    fn default() -> Self {
        Self {
            deferred: Vec::new(),
            metrics: Metrics::default(),
            incomplete: None,
        }
    }
}

/// A message of SES that a function has to handle.
#[derive(Debug, Clone)]
pub enum Message {
    /// A notification or event about mail that was sent.
    Notification(Box<Notification>),
    /// Mail that a receipt rule received.
    InboundMail(Box<Received>),
    /// The message with which SES tests a topic that was set for an identity or an event destination.
    TopicTest(Setup),
}

/// Reads the SES message of a record. Returns `None` for messages that need no handling: set-up messages of SNS and of
/// receipt rules, and events of EventBridge that are not about a mail. They are logged.
///
/// # Errors
/// If the payload is not a message of SES.
pub fn read_message(record: &Record) -> Result<Option<Message>, ParseError> {
    if record.kind != RecordKind::Notification {
        tracing::info!(kind = %record.kind, "acknowledged an SNS set-up message");
        return Ok(None);
    }
    Ok(match notification_model::parse(&record.payload)? {
        SesMessage::Notification(notification) => Some(Message::Notification(Box::new(notification))),
        SesMessage::Received(received) => Some(Message::InboundMail(Box::new(received))),
        SesMessage::Setup(setup) => {
            tracing::info!(kind = setup.as_str(), "received a message that is not about a mail");
            match setup {
                Setup::TopicValidated | Setup::SubscriptionSucceeded { .. } => Some(Message::TopicTest(setup)),
                Setup::InboundProbe | Setup::ServiceEvent(_) => None,
            }
        }
    })
}

/// Takes the deferred work of all records that succeeded, each with the index of its record.
pub fn take_deferred<D>(outcomes: &mut Outcomes<Handled<D>>) -> Vec<(usize, D)> {
    let mut all = Vec::new();
    for (index, handled) in outcomes.succeeded_mut() {
        let deferred = std::mem::take(&mut handled.deferred);
        all.extend(deferred.into_iter().map(|work| (index, work)));
    }
    all
}

/// Fails the records with these indexes because their deferred work failed. `error` returns the error of one record. An error
/// of the type that [`count_failures`] knows is counted with its kind.
pub fn fail_records<T, E: Into<BoxError>>(
    outcomes: &mut Outcomes<T>,
    indexes: impl IntoIterator<Item = usize>,
    error: impl Fn() -> E,
) {
    for index in indexes {
        outcomes.fail(index, error());
    }
}

/// Fails the records of which a part could not be handled.
pub fn fail_incomplete<D>(outcomes: &mut Outcomes<Handled<D>>) {
    let incomplete: Vec<_> = outcomes
        .succeeded_mut()
        .filter_map(|(index, handled)| Some((index, handled.incomplete.take()?)))
        .collect();
    for (index, error) in incomplete {
        outcomes.fail(index, error);
    }
}

/// Takes and merges the metrics of all records that succeeded.
pub fn take_metrics<D>(outcomes: &mut Outcomes<Handled<D>>) -> Metrics {
    let mut metrics = Metrics::default();
    for (_, handled) in outcomes.succeeded_mut() {
        metrics.merge(std::mem::take(&mut handled.metrics));
    }
    metrics
}

/// Counts each failed record in the metric `RecordFailures` with the dimension `Kind`.
///
/// The kind is that of [`RecordFailure::kind`]. For an error of type `E` that the handler returned, `kind_of` gives a
/// more specific one, also for one in [`Handled::incomplete`].
pub fn count_failures<T, E: Error + 'static>(
    metrics: &mut Metrics,
    outcomes: &Outcomes<T>,
    kind_of: impl Fn(&E) -> &'static str,
) {
    for (_, failure) in outcomes.failures() {
        let specific = match failure {
            RecordFailure::Handler(error) | RecordFailure::Batch(error) => error.downcast_ref().map(&kind_of),
            _ => None,
        };
        let kind = specific.unwrap_or(failure.kind());
        metrics.count("RecordFailures", vec![("Kind", kind.to_owned())]);
    }
}
