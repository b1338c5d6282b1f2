//! `postroomctl plan`: shows how the table and SES differ from `postroom.toml`. Changes nothing.

mod changes;
mod planned;
mod report;
mod table_rows;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

pub(crate) use self::changes::{Change, Section};
pub(crate) use self::planned::{Planned, TargetArgs};
pub(crate) use self::report::{changes_json, changes_markdown, changes_text};
pub(crate) use self::table_rows::TableRows;
use crate::config;
use crate::output::{Output, json_text, warnings_text};
use crate::ses::problems_text;

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// The configuration file, for example postroom.toml.
    file: PathBuf,
    /// Print Markdown, for a comment on a pull request.
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    #[command(flatten)]
    target: TargetArgs,
}

pub(crate) async fn run(args: &PlanArgs) -> anyhow::Result<Output> {
    let config = config::read(&args.file)?;
    let planned = Planned::read(&config, &args.target).await?;
    let warnings = planned.warnings(&config);
    let problems: Vec<String> = planned
        .problems()
        .iter()
        .map(|problem| format!("{}: {}", problem.object, problem.message))
        .collect();
    let is_equal = !planned.differs() && problems.is_empty();
    let text = if args.target.table.json {
        json_text(&json!({
            "changes": changes_json(&planned.sections), "problems": problems, "warnings": warnings,
            "unchanged": planned.unchanged(&config),
        }))
    } else {
        let mut text = warnings_text(&warnings);
        if args.markdown {
            text.push(&changes_markdown(&planned.sections));
        } else {
            text.push(&changes_text(&planned.sections)?);
        }
        if !problems.is_empty() {
            for line in format!("cannot be applied:{}", problems_text(planned.problems())).lines() {
                text.push_line(line);
            }
        } else if is_equal && !args.markdown {
            text.push_line("nothing to change");
        }
        let unchanged = planned.unchanged(&config);
        if !unchanged.is_empty() && !args.markdown {
            let line = format!("not in the file, so they stay: {}", unchanged.join(", "));
            text.push_line(&line);
        }
        text
    };
    Ok(Output::answer(is_equal, text))
}
