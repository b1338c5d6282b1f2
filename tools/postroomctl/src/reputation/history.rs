//! `postroomctl reputation history`.

use std::fmt::Write;

use clap::Args;
use serde_json::{Value, json};
use store::{EnforcementChange, Sender};

use super::reputation_report::{enforcement_json, enforcement_text, state_json, state_text};
use crate::aws_error::AwsError;
use crate::output::{Output, json_text};
use crate::table::TableArgs;

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// The sender as `reputation status` prints it: `OWNER/ACCOUNT/IDENTITY`.
    sender: Sender,
    #[command(flatten)]
    table: TableArgs,
}

pub(crate) async fn run(args: &HistoryArgs) -> anyhow::Result<Output> {
    let store = args.table.open().await;
    let sender = &args.sender;
    let states = store.reputation_states(sender).await.map_err(AwsError::from)?;
    let enforcements = store.enforcements_of(sender).await.map_err(AwsError::from)?;
    let thresholds = store.thresholds().await.map_err(AwsError::from)?.of(sender);
    if args.table.json {
        let states: Vec<Value> = states.iter().map(|state| state_json(sender, state)).collect();
        let enforcements: Vec<Value> = enforcements.iter().map(enforcement_json).collect();
        let value = json!({"states": states, "enforcements": enforcements});
        return Ok(Output::done(json_text(&value)));
    }
    let (bounces, complaints) = (&thresholds.bounces, &thresholds.complaints);
    let mut text = format!(
        "{sender}\n  thresholds   bounces warn {}, enforce {}; complaints warn {}, enforce {}\n",
        bounces.warn, bounces.enforce, complaints.warn, complaints.enforce
    );
    for state in &states {
        writeln!(text, "  status       {}", state_text(state))?;
    }
    for enforcement in &enforcements {
        writeln!(
            text,
            "  enforcement  {}  {}",
            enforcement.id,
            enforcement_text(enforcement)
        )?;
        if let EnforcementChange::Policy { before, .. } = &enforcement.change {
            writeln!(text, "               policy before: {before}")?;
        }
    }
    if states.is_empty() && enforcements.is_empty() {
        writeln!(text, "  no threshold was reached")?;
    }
    Ok(Output::done(text))
}
