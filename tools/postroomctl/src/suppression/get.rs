//! `postroomctl suppression get`.

use std::fmt::Write;

use clap::Args;
use jiff::Timestamp;
use notification_model::EmailAddress;
use serde_json::{Value, json};
use store::{Block, HistoryEntry};

use super::decision::{blocks_in_force, read_recipient};
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
    let blocks = blocks_in_force(&read_recipient(&store, &args.address).await?, Timestamp::now());
    let history = match blocks.as_slice() {
        [] => Vec::new(),
        _ => store.history(&args.address).await.map_err(AwsError::from)?,
    };
    let address = args.address.key();
    let blocks: Vec<(&Block, Timestamp)> = blocks.iter().map(|block| (block, since(block, &history))).collect();
    let is_suppressed = !blocks.is_empty();
    if args.table.json {
        let suppressions: Vec<Value> = blocks
            .iter()
            .map(|(block, since)| suppression_json_with(block, "since", &since.to_string()))
            .collect();
        let value = json!({"address": address, "suppressed": is_suppressed, "suppressions": suppressions});
        return Ok(Output::answer(is_suppressed, json_text(&value)));
    }
    if !is_suppressed {
        return Ok(Output::answer(false, format!("{address} is not suppressed\n")));
    }
    let mut text = format!("{address} is suppressed\n");
    for (block, since) in blocks {
        writeln!(text, "\n  {}, {}", scope_text(&block.scope), period_text(&block.entry))?;
        writeln!(text, "    {:<21}  {}", "reason", block.entry.reason)?;
        writeln!(text, "    {:<21}  {since}", "since")?;
        for (name, value) in &block.entry.evidence {
            writeln!(text, "    {name:<21}  {value}")?;
        }
    }
    Ok(Output::done(text))
}

/// The time of the oldest event of the same kind that suppressed the address in the scope. The entry itself has only the
/// newest one.
fn since(block: &Block, history: &[HistoryEntry]) -> Timestamp {
    let in_scope: Vec<&HistoryEntry> = history.iter().filter(|entry| entry.scope == block.scope).collect();
    let kind = in_scope
        .iter()
        .find(|entry| entry.id == block.entry.id)
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
        .unwrap_or(block.entry.at)
}
