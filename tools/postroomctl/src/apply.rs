//! `postroomctl apply`: makes the table and SES as `postroom.toml` says, after it showed the changes.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use serde_json::{Value, json};
use ses_settings::{Outcome, StepResult};

use crate::aws_error::AwsError;
use crate::config;
use crate::output::{Output, json_text, warnings_text};
use crate::plan::{Planned, TargetArgs, changes_json, changes_text};
use crate::ses::{ProofArgs, problems_text, results_text};
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// The configuration file, for example postroom.toml.
    file: PathBuf,
    /// Show the changes without making them.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Apply without confirmation.
    #[arg(long)]
    yes: bool,
    /// Apply also when more than 30 % of what exists is removed, from 10 objects of a kind on.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    proof: ProofArgs,
    #[command(flatten)]
    target: TargetArgs,
}

pub(crate) async fn run(args: &ApplyArgs) -> anyhow::Result<Output> {
    let config = config::read(&args.file)?;
    let planned = Planned::read(&config, &args.target).await?;
    let warnings = planned.warnings(&config);
    let json = args.target.table.json;
    let differs = planned.differs();
    let mut text = Text::default();
    if !json {
        text = warnings_text(&warnings);
        text.push(&changes_text(&planned.sections)?);
    }
    if args.dry_run {
        let is_equal = !differs && planned.problems().is_empty();
        if json {
            let document = json!({"changes": changes_json(&planned.sections), "applied": false, "warnings": warnings});
            return Ok(Output::answer(is_equal, json_text(&document)));
        }
        text.push_line(if is_equal {
            "nothing to change"
        } else {
            "dry run: nothing is changed"
        });
        return Ok(Output::answer(is_equal, text));
    }
    refuse(&planned, args.force, &text)?;
    if differs && !args.yes && !confirm(&mut text)? {
        return Ok(Output::answer(false, Text::of_line("nothing is changed")));
    }
    planned.write_table().await?;
    let mut results = Vec::new();
    if let Some(ses) = &planned.ses {
        results = ses.apply(&planned.store, &args.proof).await?;
    }
    let is_done = results.iter().all(|result| result.outcome.is_done());
    if json {
        text = json_text(&json!({
            "changes": changes_json(&planned.sections), "applied": differs && is_done, "warnings": warnings,
            "unfinished": unfinished_json(&results),
        }));
    } else {
        text.push(&results_text(&results)?);
        text.push_line(match (differs, is_done) {
            (_, false) => "not everything is applied: run apply again",
            (false, true) => "nothing to change",
            (true, true) => "applied",
        });
    }
    let failure = results.iter().find_map(|result| match &result.outcome {
        Outcome::Failed(error) => Some(error.to_string()),
        _ => None,
    });
    if let Some(error) = failure {
        return Err(anyhow::Error::new(AwsError::new(error)).context(text.as_str().trim_end().to_owned()));
    }
    Ok(Output::answer(is_done, text))
}

/// Refuses what cannot be applied and what removes much, before anything is written.
fn refuse(planned: &Planned, force: bool, changes: &Text) -> anyhow::Result<()> {
    if !planned.problems().is_empty() {
        bail!(
            "{}cannot be applied:{}",
            changes.as_str(),
            problems_text(planned.problems())
        );
    }
    let removals = planned.large_removals();
    if !removals.is_empty() && !force {
        let lines: Vec<String> = removals
            .iter()
            .map(|removal| format!("{} of {} {}", removal.removed, removal.existing, removal.kind))
            .collect();
        bail!(
            "{}this removes {}: pass --force if it is meant",
            changes.as_str(),
            lines.join(", ")
        );
    }
    Ok(())
}

fn unfinished_json(results: &[StepResult]) -> Value {
    let unfinished = results.iter().filter(|result| !result.outcome.is_done());
    unfinished
        .map(|StepResult { step, outcome }| {
            let reason = match outcome {
                Outcome::ChangedMeanwhile { .. } => "changed-meanwhile",
                Outcome::Unproven { .. } => "unproven",
                Outcome::NotEffective { .. } => "not-effective",
                Outcome::Failed(_) => "failed",
                _ => "not-attempted",
            };
            json!({
                "object": step.change.object.to_string(), "field": step.change.field.to_string(), "reason": reason,
            })
        })
        .collect()
}

/// Prints the changes and asks for confirmation on the terminal.
fn confirm(changes: &mut Text) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!(
            "{}standard input is not a terminal: confirm with --yes, or use --dry-run to show the changes only",
            changes.as_str()
        );
    }
    let mut out = std::io::stdout().lock();
    write!(out, "{}apply? [y/N] ", changes.take().as_str())?;
    out.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}
