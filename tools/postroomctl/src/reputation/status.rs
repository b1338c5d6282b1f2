//! `postroomctl reputation status`.

use std::fmt::Write;

use clap::Args;
use serde_json::{Value, json};
use store::{EnforcementStatus, Level, ReputationState, Sender};

use super::reputation_report::{enforcement_json, enforcement_text, state_json, state_text};
use crate::aws_error::AwsError;
use crate::output::{Output, json_text};
use crate::table::TableArgs;

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    table: TableArgs,
}

pub(crate) async fn run(args: &StatusArgs) -> anyhow::Result<Output> {
    let store = args.table.open().await;
    let mut states: Vec<(Sender, ReputationState)> = Vec::new();
    for sender in store.senders_with_alerts().await.map_err(AwsError::from)? {
        let of_sender = store.reputation_states(&sender).await.map_err(AwsError::from)?;
        let above = of_sender.into_iter().filter(|state| state.level != Level::Normal);
        states.extend(above.map(|state| (sender.clone(), state)));
    }
    let mut enforcements = store.enforcements().await.map_err(AwsError::from)?;
    enforcements.retain(|enforcement| {
        matches!(
            enforcement.status,
            EnforcementStatus::Planned | EnforcementStatus::Done { .. }
        )
    });
    if args.table.json {
        let senders: Vec<Value> = states.iter().map(|(sender, state)| state_json(sender, state)).collect();
        let enforcements: Vec<Value> = enforcements.iter().map(enforcement_json).collect();
        let value = json!({"senders": senders, "enforcements": enforcements});
        return Ok(Output::done(json_text(&value)));
    }
    let mut text = String::new();
    for (sender, state) in &states {
        writeln!(text, "{sender}  {}", state_text(state))?;
    }
    if states.is_empty() {
        writeln!(text, "all senders are below their thresholds")?;
    }
    if !enforcements.is_empty() {
        writeln!(text, "\nenforcements in force:")?;
    }
    for enforcement in &enforcements {
        writeln!(text, "{}  {}", enforcement.id, enforcement_text(enforcement))?;
    }
    Ok(Output::done(text))
}
