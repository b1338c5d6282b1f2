//! Diagnoses a message with the functions' own parsers: what they cannot read now, they could not read then.

use delegate_router::alert::Alert;
use delegate_router::delivery::Delivery;
use delegate_router::rejected_digest::RejectedDigest;
use intake::{Batch, RecordKind};
use notification_model::SesMessage;
use serde_json::{Value, json};
use store::MirrorRequest;

use super::cause::Cause;
use crate::describe::target_text;
use operations::{notification_text, received_text};

/// What a message is, and why it was not handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) message: String,
    pub(super) cause: Cause,
    pub(super) reason: String,
}

const DEPENDENCY_FAILED: &str = "the message is valid: a dependency failed, such as the table, a service or a timeout";

impl Finding {
    fn new(message: impl Into<String>, cause: Cause, reason: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            cause,
            reason: reason.into(),
        }
    }
}

/// A message for the feedback function or the delegate router.
pub(super) fn find_notification(body: &str) -> Finding {
    find_ses_message(body, |message| match message {
        SesMessage::Received(_) => Some("inbound mail, for the inbound queue"),
        SesMessage::Notification(_) | SesMessage::Setup(_) => None,
    })
}

/// A message for the inbound function.
pub(super) fn find_inbound(body: &str) -> Finding {
    find_ses_message(body, |message| match message {
        SesMessage::Notification(_) => Some("a notification about sent mail, for the feedback queue"),
        SesMessage::Received(_) | SesMessage::Setup(_) => None,
    })
}

fn find_ses_message(body: &str, wrong_queue: impl Fn(&SesMessage) -> Option<&'static str>) -> Finding {
    let message = match read_message(body) {
        Ok(Some(message)) => message,
        Ok(None) => {
            let reason = "needs no action: redrive it or let it expire";
            return Finding::new("SNS subscription message", Cause::Dependency, reason);
        }
        Err((cause, error)) => return Finding::new("unreadable message", cause, error),
    };
    let text = match &message {
        SesMessage::Received(received) => {
            format!("{}, message {}", received_text(received), received.mail.message_id)
        }
        SesMessage::Notification(sent) => format!("{}, message {}", notification_text(sent), sent.mail.message_id),
        SesMessage::Setup(_) => "SES setup message".to_owned(),
    };
    match wrong_queue(&message) {
        Some(reason) => Finding::new(text, Cause::WrongQueue, reason),
        None => Finding::new(text, Cause::Dependency, DEPENDENCY_FAILED),
    }
}

pub(super) fn find_delivery(body: &str, rejection: Option<&str>) -> Finding {
    if let Ok(RejectedDigest { digest }) = RejectedDigest::from_message(body) {
        let text = format!("digest of {} to {}", digest.window, digest.address);
        let reason = rejection.map_or_else(
            || DEPENDENCY_FAILED.to_owned(),
            |reason| format!("rejected by SES: {reason}"),
        );
        let cause = if rejection.is_some() {
            Cause::Rejected
        } else {
            Cause::Dependency
        };
        return Finding::new(text, cause, reason);
    }
    let delivery = match Delivery::from_message(body) {
        Ok(delivery) => delivery,
        Err(error) => {
            return match Alert::from_message(body) {
                Ok(alert) => Finding::new(format!("alert {}", alert.id), Cause::Dependency, DEPENDENCY_FAILED),
                Err(_) => Finding::new("not a delivery", Cause::Payload, error.to_string()),
            };
        }
    };
    let text = format!("delivery {} to {}", delivery.key, target_text(&delivery.target));
    match rejection {
        Some(reason) => Finding::new(text, Cause::Rejected, format!("rejected by the target: {reason}")),
        None => Finding::new(
            text,
            Cause::Dependency,
            "all attempts failed, without a rejection by the target",
        ),
    }
}

pub(super) fn find_mirror_request(body: &str) -> Finding {
    match MirrorRequest::from_json(body) {
        Ok(request) => Finding::new(
            format!("{} {} in scope {}", request.action, request.address, request.scope),
            Cause::Dependency,
            "all attempts failed at SES or the table",
        ),
        Err(error) => Finding::new("not a mirror request", Cause::Payload, error.to_string()),
    }
}

/// Whether a message is about records of the table's stream.
pub(super) fn is_change(body: &str) -> bool {
    serde_json::from_str::<Value>(body)
        .is_ok_and(|body| body.get("DDBStreamBatchInfo").is_some() || body.get("sequenceNumber").is_some())
}

/// A message of suppression-changes about one record of the table's stream, or of
/// [Lambda](https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html) about records that it no longer
/// retries.
pub(super) fn find_change(body: &str) -> Finding {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    if let (Some(number), Some(reason)) = (text("/sequenceNumber"), text("/reason")) {
        return Finding::new(format!("change {number} of the table's stream"), Cause::Payload, reason);
    }
    match (
        text("/DDBStreamBatchInfo/startSequenceNumber"),
        text("/DDBStreamBatchInfo/endSequenceNumber"),
    ) {
        (Some(first), Some(last)) => Finding::new(
            format!("changes {first} to {last} of the table's stream"),
            Cause::Dependency,
            "the topic or the mirror queue did not accept them for 24 hours: use postroomctl suppression republish",
        ),
        _ => Finding::new(
            "not a change of the table's stream",
            Cause::Payload,
            "an unknown message",
        ),
    }
}

/// The SES message in the body of an SQS message; none for a subscription message of SNS.
pub(super) fn read_message(body: &str) -> Result<Option<SesMessage>, (Cause, String)> {
    let event = json!({"Records": [{"eventSource": "aws:sqs", "messageId": "message", "body": body}]});
    let batch = Batch::from_event(&event).map_err(|error| (Cause::Envelope, error.to_string()))?;
    match batch.records().first() {
        None => Err((Cause::Envelope, "no record".to_owned())),
        Some(Err(bad)) => Err((Cause::Envelope, bad.error.to_string())),
        Some(Ok(record)) if record.kind != RecordKind::Notification => Ok(None),
        Some(Ok(record)) => notification_model::parse(&record.payload)
            .map(Some)
            .map_err(|error| (Cause::Payload, error.to_string())),
    }
}
