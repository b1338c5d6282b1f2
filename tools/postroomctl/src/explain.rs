//! `postroomctl explain`: what the functions do with a payload, and why. Runs the functions' own decisions.

mod outcome;
mod received;
mod sent;

use std::path::PathBuf;

use clap::Args;
use feedback::policy::Policy;
use intake::{BadRecord, Record, RecordKind};
use jiff::Timestamp;
use notification_model::{SesMessage, Setup};
use serde_json::json;

use self::outcome::{Explanation, Outcome, explanations_text};
use self::received::{InboundContext, InboundSources};
use self::sent::sent_outcomes;
use crate::describe::{notification_text, received_text};
use crate::output::{Output, json_text};
use crate::payload::read_batch;

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A file with an SNS message, a Lambda event of any kind, an SES JSON, or the output of `aws sqs receive-message`;
    /// `-` reads standard input. Environment variables such as POSTROOM_SOFT_BOUNCE_MESSAGES and POSTROOM_BOUNCE_SENDER
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
    };
    let inbound = InboundContext::read(&sources).await?;
    let batch = read_batch(&args.file)?;
    let explanations: Vec<Explanation> = batch
        .records()
        .iter()
        .map(|record| explain(record, &policy, &inbound))
        .collect();
    let has_errors = explanations.iter().any(|explanation| explanation.error.is_some());
    let text = if args.json {
        json_text(&json!(explanations))
    } else {
        explanations_text(&explanations)?
    };
    Ok(Output::answer(!has_errors, text))
}

fn explain(record: &Result<Record, BadRecord>, policy: &Policy, inbound: &InboundContext) -> Explanation {
    let record = match record {
        Ok(record) => record,
        Err(bad) => {
            return Explanation {
                record: bad.id.clone(),
                via: None,
                message: "unreadable envelope".to_owned(),
                message_id: None,
                error: Some(bad.error.to_string()),
                outcomes: Vec::new(),
            };
        }
    };
    let explanation = |message: String, message_id: Option<String>, outcomes: Vec<Outcome>| Explanation {
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
        return explanation(message, None, vec![Outcome::nothing(reason)]);
    }
    match notification_model::parse(&record.payload) {
        Err(error) => Explanation {
            error: Some(error.to_string()),
            ..explanation("unreadable payload".to_owned(), None, vec![])
        },
        Ok(SesMessage::Setup(setup)) => {
            let message = match setup {
                Setup::TopicValidated => "SES setup message: topic validated",
                Setup::SubscriptionSucceeded { .. } => "SES setup message: topic subscribed",
                Setup::InboundProbe => "SES setup message: receipt rule created",
            };
            let reason = "SES confirms its setup";
            explanation(message.to_owned(), None, vec![Outcome::nothing(reason)])
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
            explanation(notification_text(&notification), message_id, outcomes)
        }
    }
}
