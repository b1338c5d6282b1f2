//! `postroomctl check`.

use clap::Args;
use jiff::Timestamp;
use notification_model::EmailAddress;
use serde_json::{Value, json};
use store::{CheckResult, SenderContext};

use super::suppression_json::suppression_json;
use crate::arguments::parse_address;
use crate::aws_error::AwsError;
use crate::output::{Output, json_text};
use crate::table::open_table;
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// One or more addresses, in any spelling.
    #[arg(required = true, value_parser = parse_address)]
    addresses: Vec<EmailAddress>,
    /// The SES tenant that will send.
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// The identity that will send: a domain or an address.
    #[arg(long, value_name = "IDENTITY")]
    identity: Option<String>,
    /// The contact-list topic of the mail.
    #[arg(long, value_name = "LIST/TOPIC")]
    topic: Option<String>,
    /// The tables of one or more stacks: output TableName, or TableArn for a table in another Region or account. An address may
    /// be mailed if no table suppresses it.
    #[arg(
        long = "table",
        env = "POSTROOM_TABLE",
        value_name = "TABLE",
        value_delimiter = ',',
        required = true
    )]
    tables: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &CheckArgs) -> anyhow::Result<Output> {
    let context = SenderContext {
        tenant: args.tenant.clone(),
        identity: args.identity.clone(),
        topic: args.topic.clone(),
    };
    let results = check_tables(args, &context).await?;
    let none_suppressed = results.iter().all(|result| result.suppressions.is_empty());
    if args.json {
        let rows: Vec<Value> = results
            .iter()
            .map(|result| {
                let suppressions: Vec<Value> = result.suppressions.iter().map(suppression_json).collect();
                json!({
                    "address": result.address.key(), "mail": suppressions.is_empty(), "suppressions": suppressions,
                })
            })
            .collect();
        return Ok(Output::answer(none_suppressed, json_text(&json!(rows))));
    }
    let mut text = Text::default();
    for result in &results {
        let address = result.address.key();
        match result.suppressions.first() {
            None => writeln!(text, "yes  {address}")?,
            Some(suppression) => writeln!(
                text,
                "no   {address}  {}: {}",
                suppression.scope, suppression.entry.reason
            )?,
        }
    }
    Ok(Output::answer(none_suppressed, text))
}

/// The result for each address, with the suppressions of all tables.
async fn check_tables(args: &CheckArgs, context: &SenderContext) -> anyhow::Result<Vec<CheckResult>> {
    let now = Timestamp::now();
    let mut merged: Vec<CheckResult> = Vec::new();
    for table in &args.tables {
        let store = open_table(table).await;
        let results = store
            .check(&args.addresses, context, now)
            .await
            .map_err(AwsError::from)?;
        if merged.is_empty() {
            merged = results;
            continue;
        }
        for (known, result) in merged.iter_mut().zip(results) {
            known.suppressions.extend(result.suppressions);
        }
    }
    Ok(merged)
}
