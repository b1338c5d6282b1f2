//! What the functions do with a payload, and why. Runs the functions' own decisions.

mod outcome;
mod received;
mod received_content;
mod sent;

use anyhow::Context;
use feedback::policy::Policy;
use intake::{BadRecord, Record, RecordKind};
use jiff::Timestamp;
use notification_model::{SesMessage, Setup};

pub use self::outcome::{Explanation, Outcome};
pub use self::received::InboundContext;
use self::sent::sent_outcomes;
use crate::notification_text::{notification_text, received_text, setup_text};
use crate::payload::Input;

/// Explains each record of the inputs. Environment variables such as `POSTROOM_SOFT_BOUNCE_MESSAGES` set the policy.
///
/// # Errors
/// If an input is not a message that a function may receive, or a variable has an invalid value.
pub fn explain(inputs: &[Input], inbound: &InboundContext) -> anyhow::Result<Vec<Explanation>> {
    let policy = Policy::from_env(|name| std::env::var(format!("POSTROOM_{name}")).ok())?;
    let mut explanations = Vec::new();
    for input in inputs {
        for record in input.batch.records() {
            let explanation = explain_record(input, record, &policy, inbound);
            explanations.push(explanation.with_context(|| input.position.clone())?);
        }
    }
    Ok(explanations)
}

/// # Errors
/// If the input is not a message that a function may receive.
fn explain_record(
    input: &Input,
    record: &Result<Record, BadRecord>,
    policy: &Policy,
    inbound: &InboundContext,
) -> anyhow::Result<Explanation> {
    let record = match record {
        Ok(record) => record,
        Err(bad) => {
            return Ok(Explanation {
                position: input.position.clone(),
                record: bad.id.clone(),
                via: None,
                message: "unreadable envelope".to_owned(),
                message_id: None,
                error: Some(input.shape_error(&bad.error)),
                outcomes: Vec::new(),
            });
        }
    };
    let explanation = |message: String, message_id: Option<String>, outcomes: Vec<Outcome>| Explanation {
        position: input.position.clone(),
        record: record.id.clone(),
        via: Some(record.provenance.via.to_string()),
        message,
        message_id,
        error: None,
        outcomes,
    };
    if record.kind != RecordKind::Notification {
        let reason = "SNS confirms or ends a subscription, which an operator handles";
        let message = format!("SNS subscription message ({})", record.kind);
        return Ok(explanation(message, None, vec![Outcome::nothing(reason)]));
    }
    Ok(match notification_model::parse(&record.payload) {
        Err(error) if input.is_wrong_file(&error) => return Err(error.into()),
        Err(error) => Explanation {
            error: Some(error.to_string()),
            ..explanation("unreadable payload".to_owned(), None, vec![])
        },
        Ok(SesMessage::Setup(setup)) => {
            let reason = match &setup {
                Setup::ServiceEvent(_) => "the event is not about a mail",
                _ => "SES confirms its setup",
            };
            explanation(setup_text(&setup), None, vec![Outcome::nothing(reason)])
        }
        Ok(SesMessage::Received(received)) => {
            let message_id = Some(received.mail.message_id.clone());
            let outcomes = inbound.outcomes(&received);
            explanation(received_text(&received), message_id, outcomes)
        }
        Ok(SesMessage::Notification(notification)) => {
            let published_at = record.provenance.published_at.unwrap_or_else(Timestamp::now);
            let outcomes = sent_outcomes(&notification, published_at, policy);
            let message_id = Some(notification.mail.message_id.clone());
            let unreadable = notification.unreadable_recipients.first();
            Explanation {
                error: unreadable.map(ToString::to_string),
                ..explanation(notification_text(&notification), message_id, outcomes)
            }
        }
    })
}
