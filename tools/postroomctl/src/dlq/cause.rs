//! Why a message is in a dead-letter queue. The functions' own code says so: what it cannot read, it could not read then.

use std::fmt;

use clap::ValueEnum;
use delegate_router::delivery::Delivery;
use intake::{Batch, RecordKind};
use notification_model::SesMessage;
use serde_json::json;
use store::MirrorRequest;

use crate::explain::{notification_words, received_words};
use crate::routes::target_words;

/// Whose messages they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Function {
    /// Notifications for the feedback function.
    Feedback,
    /// Notifications for the router.
    Router,
    /// Deliveries to one target each.
    Deliver,
    /// Requests for SES's own suppression lists.
    Mirror,
    /// Mail that arrived.
    Inbound,
}

/// What kind of trouble it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Cause {
    /// No message of SNS, EventBridge or SES.
    Envelope,
    /// Its content is not understood.
    Payload,
    /// Something for another function.
    WrongQueue,
    /// The target refused it, and said why.
    Refused,
    /// It is understood: what failed was around it, such as a table, a service or the time.
    Around,
}

impl Cause {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Envelope => "envelope",
            Self::Payload => "payload",
            Self::WrongQueue => "wrong-queue",
            Self::Refused => "refused",
            Self::Around => "around",
        }
    }

    /// What a person does about it.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Envelope | Self::Payload => "fails again until a version of the function understands it",
            Self::WrongQueue => "fails again here; --to names the queue it is for",
            Self::Refused => "fails again until the target lets it in",
            Self::Around => "can be handled once what failed works again; the function's log names it",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a message is, and why it is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) what: String,
    pub(crate) cause: Cause,
    pub(crate) why: String,
}

impl Function {
    /// The function whose queue this is, by the queue's name, else by the message.
    pub(crate) fn of(queue: &str, body: &str) -> Self {
        let name = queue.to_lowercase();
        let by_name = [
            ("deliver", Self::Deliver),
            ("mirror", Self::Mirror),
            ("router", Self::Router),
            ("inbound", Self::Inbound),
            ("feedback", Self::Feedback),
        ];
        if let Some((_, function)) = by_name.iter().find(|(word, _)| name.contains(word)) {
            return *function;
        }
        if Delivery::from_message(body).is_ok() {
            Self::Deliver
        } else if MirrorRequest::from_json(body).is_ok() {
            Self::Mirror
        } else if matches!(notification_of(body), Ok(Some(SesMessage::Received(_)))) {
            Self::Inbound
        } else {
            Self::Feedback
        }
    }

    /// Reads a message as the function does. `reason` is what the queue's sender wrote beside it.
    pub(crate) fn find(self, body: &str, reason: Option<&str>) -> Finding {
        match self {
            Self::Feedback | Self::Router | Self::Inbound => self.find_notification(body),
            Self::Deliver => match Delivery::from_message(body) {
                Ok(delivery) => Finding {
                    what: format!("delivery {} to {}", delivery.key, target_words(&delivery.target)),
                    cause: reason.map_or(Cause::Around, |_| Cause::Refused),
                    why: reason.map_or_else(
                        || "every attempt failed without a refusal".to_owned(),
                        |reason| format!("the target refused: {reason}"),
                    ),
                },
                Err(error) => unread("something that is no delivery", Cause::Payload, error.to_string()),
            },
            Self::Mirror => match MirrorRequest::from_json(body) {
                Ok(request) => Finding {
                    what: format!("{} {} in scope {}", request.action, request.address, request.scope),
                    cause: Cause::Around,
                    why: "SES or the table did not take it in any attempt".to_owned(),
                },
                Err(error) => unread("something that is no mirror request", Cause::Payload, error.to_string()),
            },
        }
    }

    fn find_notification(self, body: &str) -> Finding {
        let message = match notification_of(body) {
            Ok(Some(message)) => message,
            Ok(None) => {
                return Finding {
                    what: "SNS set-up message".to_owned(),
                    cause: Cause::Around,
                    why: "nothing to do about it; it may be redriven or left to expire".to_owned(),
                };
            }
            Err((cause, why)) => return unread("something that cannot be read", cause, why),
        };
        let (what, wrong) = match (&message, self) {
            (SesMessage::Received(received), Self::Inbound) => {
                (with_id(received_words(received), &received.mail.message_id), None)
            }
            (SesMessage::Received(received), _) => (
                with_id(received_words(received), &received.mail.message_id),
                Some("mail that arrived: for the inbound queue"),
            ),
            (SesMessage::Notification(sent), Self::Inbound) => {
                let what = with_id(notification_words(sent), &sent.mail.message_id);
                (what, Some("about mail that was sent: for the feedback queue"))
            }
            (SesMessage::Notification(sent), _) => (with_id(notification_words(sent), &sent.mail.message_id), None),
            (SesMessage::Setup(_), _) => ("SES set-up message".to_owned(), None),
        };
        Finding {
            what,
            cause: wrong.map_or(Cause::Around, |_| Cause::WrongQueue),
            why: wrong
                .unwrap_or("it is understood: what failed was around it, such as a table, a service or the time")
                .to_owned(),
        }
    }
}

fn unread(what: &str, cause: Cause, why: String) -> Finding {
    Finding {
        what: what.to_owned(),
        cause,
        why,
    }
}

fn with_id(words: String, message_id: &str) -> String {
    format!("{words}, message {message_id}")
}

/// The SES message within a queue's message; none is a set-up message of SNS.
fn notification_of(body: &str) -> Result<Option<SesMessage>, (Cause, String)> {
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
