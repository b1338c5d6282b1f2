//! `postroomctl reputation enforcements`.

use std::fmt::Write;

use clap::Args;
use serde_json::{Value, json};

use super::reputation_report::{enforcement_json, enforcement_text};
use crate::aws_error::AwsError;
use crate::output::{Output, json_text};
use crate::table::TableArgs;

#[derive(Debug, Args)]
pub(crate) struct EnforcementsArgs {
    #[command(flatten)]
    table: TableArgs,
}

pub(crate) async fn run(args: &EnforcementsArgs) -> anyhow::Result<Output> {
    let enforcements = args.table.open().await.enforcements().await.map_err(AwsError::from)?;
    if args.table.json {
        let rows: Vec<Value> = enforcements.iter().map(enforcement_json).collect();
        return Ok(Output::done(json_text(&json!(rows))));
    }
    let mut text = String::new();
    for enforcement in &enforcements {
        writeln!(text, "{}  {}", enforcement.id, enforcement_text(enforcement))?;
    }
    if enforcements.is_empty() {
        writeln!(text, "no enforcements")?;
    }
    Ok(Output::done(text))
}
