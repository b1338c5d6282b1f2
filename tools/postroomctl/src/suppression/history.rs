//! `postroomctl suppression history`.

use std::fmt::Write;

use clap::Args;
use jiff::Timestamp;
use notification_model::EmailAddress;
use serde_json::{Value, json};
use store::Scope;

use crate::arguments::{parse_address, parse_day_or_time};
use crate::aws_error::AwsError;
use crate::output::{Output, json_text};
use crate::table::TableArgs;

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// The address, in any spelling.
    #[arg(value_parser = parse_address)]
    address: EmailAddress,
    /// Only in this scope.
    #[arg(long)]
    scope: Option<Scope>,
    /// At or after this time: a day, or a time (RFC 3339).
    #[arg(long, value_name = "TIME", value_parser = parse_day_or_time)]
    since: Option<Timestamp>,
    /// At or before this time (RFC 3339).
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    #[command(flatten)]
    table: TableArgs,
}

pub(crate) async fn run(args: &HistoryArgs) -> anyhow::Result<Output> {
    let store = args.table.open().await;
    let mut entries = store.history(&args.address).await.map_err(AwsError::from)?;
    entries.retain(|entry| {
        args.scope.as_ref().is_none_or(|scope| *scope == entry.scope)
            && args.since.is_none_or(|since| entry.at >= since)
            && args.until.is_none_or(|until| entry.at <= until)
    });
    if args.table.json {
        let rows: Vec<Value> = entries
            .iter()
            .map(|entry| {
                json!({
                    "at": entry.at.to_string(), "id": entry.id, "kind": entry.kind, "scope": entry.scope.to_string(),
                    "suppresses": entry.suppresses, "reason": entry.reason, "evidence": entry.evidence,
                })
            })
            .collect();
        return Ok(Output::done(json_text(&json!(rows))));
    }
    let mut text = String::new();
    for entry in &entries {
        let (at, kind, scope, reason) = (entry.at, &entry.kind, &entry.scope, &entry.reason);
        writeln!(text, "{at}  {kind:<16}  {scope}  {reason}")?;
    }
    if entries.is_empty() {
        writeln!(text, "no history of {}", args.address.key())?;
    }
    Ok(Output::done(text))
}
