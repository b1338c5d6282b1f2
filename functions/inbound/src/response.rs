//! The response of the function.

use intake::{Outcomes, RecordFailure, Response};
use notification_model::{InvocationType, ReceiptAction, Received, SesMessage};
use serde::Serialize;

use crate::record_error::RecordError;
use crate::verdict::{Disposition, default_disposition};

/// The response of the function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum InboundResponse {
    /// The response to a receipt rule.
    Disposition {
        /// What SES does next.
        disposition: Disposition,
    },
    /// The response to a queue: the records that SQS delivers again.
    Batch(Response),
    /// The response to any other caller. Every record is processed or in the inbound queue.
    Empty,
}

/// The severest disposition of the records. `fallback` is the disposition of a record that cannot be read.
pub(crate) fn disposition(outcomes: &Outcomes<Disposition>, payloads: &[String], fallback: Disposition) -> Disposition {
    let dispositions = outcomes.iter().zip(payloads).map(|(outcome, payload)| {
        let known = match &outcome.result {
            Ok(disposition) => return *disposition,
            Err(RecordFailure::Handler(error)) => {
                let error = error.downcast_ref::<RecordError>();
                error.and_then(|error| error.disposition)
            }
            Err(_) => None,
        };
        // After a panic, the receipt still has the verdicts.
        let by_verdicts = || received(payload).map(|received| default_disposition(&received.receipt));
        known.or_else(by_verdicts).unwrap_or(fallback)
    });
    dispositions.max().unwrap_or(fallback)
}

/// Whether SES may be waiting for a disposition of this payload: it is a synchronous invocation, or it cannot be read.
pub(crate) fn may_await_disposition(payload: &str) -> bool {
    let action = received(payload).map(|received| received.receipt.action);
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
