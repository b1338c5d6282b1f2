//! `postroomctl apply`: writes `postroom.toml` into the table, after it showed the changes.

mod changes;
mod changes_report;
mod table_rows;

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use self::changes::compare;
use self::changes_report::{changes_json, changes_text};
use self::table_rows::TableRows;
use crate::aws_error::AwsError;
use crate::config;
use crate::output::{Output, json_text, warnings_text};
use crate::table::TableArgs;

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// The configuration file, for example postroom.toml.
    file: PathBuf,
    /// Show the changes without writing them.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Write without confirmation.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    table: TableArgs,
}

pub(crate) async fn run(args: &ApplyArgs) -> anyhow::Result<Output> {
    let config = config::read(&args.file)?;
    let store = args.table.open().await;
    let current = TableRows::read(&store).await.map_err(AwsError::from)?;
    let desired = TableRows::of_config(&config);
    let sections = compare(&current, &desired, &config.names);
    let differs = sections.iter().any(|section| !section.changes.is_empty());
    let mut text = if args.table.json {
        String::new()
    } else {
        format!("{}{}", warnings_text(&config.warnings), changes_text(&sections)?)
    };

    let mut applied = false;
    if differs && !args.dry_run {
        if !args.yes && !confirm(&mut text)? {
            return Ok(Output::answer(false, "nothing is changed\n".to_owned()));
        }
        current.change_to(&desired, &store).await.map_err(AwsError::from)?;
        applied = true;
    }
    if args.table.json {
        text = json_text(&changes_json(&sections, applied, &config.warnings));
    } else {
        text.push_str(match (differs, applied) {
            (false, _) => "nothing to change: the table agrees with the file\n",
            (true, true) => "applied\n",
            (true, false) => "dry run: nothing is changed\n",
        });
    }
    Ok(Output::answer(applied || !differs, text))
}

/// Prints the changes and asks for confirmation on the terminal.
fn confirm(changes: &mut String) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!(
            "{changes}standard input is not a terminal: confirm with --yes, or use --dry-run to show the changes only"
        );
    }
    let mut out = std::io::stdout().lock();
    write!(out, "{changes}apply? [y/N] ")?;
    out.flush()?;
    changes.clear();
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}
