//! `postroomctl explain`: what the functions do with a payload, and why. Runs the functions' own decisions.

mod outcome;
mod received;
mod received_content;
mod sent;

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use feedback::policy::Policy;
use intake::{BadRecord, Record, RecordKind};
use jiff::Timestamp;
use notification_model::{SesMessage, Setup};
use serde_json::json;

use self::outcome::{Explanation, Outcome, explanations_text};
use self::received::{InboundContext, InboundSources};
use self::sent::sent_outcomes;
use crate::describe::{notification_text, received_text, setup_text};
use crate::output::{Output, json_text};
use crate::payload::{Input, read_inputs};

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A file with an SNS message, a Lambda event of any kind, an SES JSON, or the output of `aws sqs receive-message`, or
    /// with several of them as JSON lines or in an array; `-` reads standard input. Environment variables such as POSTROOM_SOFT_BOUNCE_MESSAGES and POSTROOM_BOUNCE_SENDER
    /// set the policy. Default: the default policy.
    file: PathBuf,
    /// For inbound mail: use the mailboxes of this postroom.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// For inbound mail: use the mailboxes of this stack's table. Ignores POSTROOM_TABLE, because the payload is rarely
    /// from that stack.
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    table: Option<String>,
    /// For inbound mail: a file with the mail, whose header is used. Default: the headers in the event.
    #[arg(long, value_name = "FILE")]
    mail: Option<PathBuf>,
    /// Also print what the function sends: the rewritten mail of a forward, and the notifications made from a report.
    #[arg(long, requires = "mail")]
    show_sent: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &ExplainArgs) -> anyhow::Result<Output> {
    let policy = Policy::from_env(|name| std::env::var(format!("POSTROOM_{name}")).ok())?;
    let sources = InboundSources {
        config: args.config.as_deref(),
        table: args.table.as_deref(),
        mail: args.mail.as_deref(),
        show_sent: args.show_sent,
    };
    let inbound = InboundContext::read(&sources).await?;
    let mut explanations = Vec::new();
    for input in read_inputs(&args.file)? {
        for record in input.batch.records() {
            let explanation = explain(&input, record, &policy, &inbound);
            explanations.push(explanation.with_context(|| input.position.clone())?);
        }
    }
    let has_errors = explanations.iter().any(|explanation| explanation.error.is_some());
    let text = if args.json {
        json_text(&json!(explanations))
    } else {
        explanations_text(&explanations)?
    };
    Ok(Output::answer(!has_errors, text))
}

/// # Errors
/// If the input is not a message that a function may receive.
fn explain(
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
