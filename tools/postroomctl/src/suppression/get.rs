//! `postroomctl suppression get`.

use std::fmt::Write;

use clap::Args;
use jiff::Timestamp;
use notification_model::EmailAddress;
use serde_json::{Value, json};
use store::{ActiveSuppression, HistoryEntry};

use super::decision::{active_suppressions, read_recipient};
use super::suppression_json::suppression_json_with;
use crate::arguments::parse_address;
use crate::aws_error::AwsError;
use crate::describe::{period_text, scope_text};
use crate::output::{Output, json_text};
use crate::table::TableArgs;

#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// The address, in any spelling.
    #[arg(value_parser = parse_address)]
    address: EmailAddress,
    #[command(flatten)]
    table: TableArgs,
}

pub(crate) async fn run(args: &GetArgs) -> anyhow::Result<Output> {
    let store = args.table.open().await;
    let suppressions = active_suppressions(&read_recipient(&store, &args.address).await?, Timestamp::now());
    let history = match suppressions.as_slice() {
        [] => Vec::new(),
        _ => store.history(&args.address).await.map_err(AwsError::from)?,
    };
    let address = args.address.key();
    let suppressions: Vec<(&ActiveSuppression, Timestamp)> = suppressions
        .iter()
        .map(|suppression| (suppression, since(suppression, &history)))
        .collect();
    let is_suppressed = !suppressions.is_empty();
    if args.table.json {
        let rows: Vec<Value> = suppressions
            .iter()
            .map(|(suppression, since)| suppression_json_with(suppression, "since", &since.to_string()))
            .collect();
        let value = json!({"address": address, "suppressed": is_suppressed, "suppressions": rows});
        return Ok(Output::answer(is_suppressed, json_text(&value)));
    }
    if !is_suppressed {
        return Ok(Output::answer(false, format!("{address} is not suppressed\n")));
    }
    let mut text = format!("{address} is suppressed\n");
    for (suppression, since) in suppressions {
        writeln!(
            text,
            "\n  {}, {}",
            scope_text(&suppression.scope),
            period_text(&suppression.entry)
        )?;
        writeln!(text, "    {:<21}  {}", "reason", suppression.entry.reason)?;
        writeln!(text, "    {:<21}  {since}", "since")?;
        for (name, value) in &suppression.entry.evidence {
            writeln!(text, "    {name:<21}  {value}")?;
        }
    }
    Ok(Output::done(text))
}

/// The time of the oldest event of the same kind that suppressed the address in the scope. The entry itself has only the
/// newest one.
fn since(suppression: &ActiveSuppression, history: &[HistoryEntry]) -> Timestamp {
    let in_scope: Vec<&HistoryEntry> = history
        .iter()
        .filter(|entry| entry.scope == suppression.scope)
        .collect();
    let kind = in_scope
        .iter()
        .find(|entry| entry.id == suppression.entry.id)
        .map(|entry| entry.kind.as_str());
    let released_at = in_scope
        .iter()
        .filter(|entry| entry.kind == "manual-release")
        .map(|entry| entry.at)
        .max();
    in_scope
        .iter()
        .filter(|entry| entry.suppresses && Some(entry.kind.as_str()) == kind)
        .map(|entry| entry.at)
        .filter(|at| released_at.is_none_or(|released_at| *at > released_at))
        .min()
        .unwrap_or(suppression.entry.at)
}
