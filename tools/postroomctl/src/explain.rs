//! `postroomctl explain`: what the functions do with a payload, and why.

mod explanation_text;

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use operations::{InboundContext, explain, read_inputs};
use serde_json::json;

use self::explanation_text::explanations_text;
use crate::aws_error::AwsError;
use crate::config;
use crate::output::{Output, json_text};
use crate::table::open_table;

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
    let inbound = inbound_context(args).await?;
    let explanations = explain(&read_inputs(&args.file)?, &inbound)?;
    let has_errors = explanations.iter().any(|explanation| explanation.error.is_some());
    let text = if args.json {
        json_text(&json!(explanations))
    } else {
        explanations_text(&explanations)?
    };
    Ok(Output::answer(!has_errors, text))
}

async fn inbound_context(args: &ExplainArgs) -> anyhow::Result<InboundContext> {
    let mailboxes = match (&args.config, &args.table) {
        (Some(file), _) => Some(config::read(file)?.mailboxes),
        (None, Some(table)) => Some(open_table(table).await.all_mailboxes().await.map_err(AwsError::from)?),
        (None, None) => None,
    };
    let context = InboundContext::from_environment(mailboxes)?;
    Ok(match &args.mail {
        Some(file) => context.with_mail(
            std::fs::read(file).with_context(|| file.display().to_string())?,
            args.show_sent,
        ),
        None => context,
    })
}
