//! `postroomctl suppression list`.

use clap::Args;
use jiff::Timestamp;
use operations::{Suppressions, period_text, scope_text, suppressions_in_force};
use serde_json::{Value, json};
use store::Scope;

use super::suppression_json::suppression_json_with;
use crate::arguments::{parse_day_or_time, parse_limit};
use crate::aws_error::AwsError;
use crate::output::{Output, json_text};
use crate::table::TableArgs;
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// `global`, `tenant:NAME` or `domain:NAME`.
    #[arg(long, default_value = "global")]
    scope: Scope,
    /// Suppressed at or after this time: a day, or a time (RFC 3339).
    #[arg(long, value_name = "TIME", default_value = "1970-01-01T00:00:00Z", value_parser = parse_day_or_time)]
    since: Timestamp,
    /// Suppressed at or before this time (RFC 3339). Default: now.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// The maximum number of suppressions to read.
    #[arg(long, default_value = "1000", value_parser = parse_limit)]
    limit: usize,
    #[command(flatten)]
    table: TableArgs,
}

pub(crate) async fn run(args: &ListArgs) -> anyhow::Result<Output> {
    let now = Timestamp::now();
    let until = args.until.unwrap_or(now);
    anyhow::ensure!(args.since <= until, "expected --since before --until and before now");
    let store = args.table.open().await;
    let range = (args.since, until);
    let listed = suppressions_in_force(&store, &args.scope, range, args.limit, now).await;
    let Suppressions { in_force, more_since } = listed.map_err(AwsError::from)?;
    if args.table.json {
        let rows: Vec<Value> = in_force
            .iter()
            .map(|(address, suppression)| suppression_json_with(suppression, "address", address))
            .collect();
        return Ok(Output::done(json_text(&json!(rows))));
    }
    let mut text = Text::default();
    for (address, suppression) in &in_force {
        let entry = &suppression.entry;
        writeln!(
            text,
            "{}  {address}  {}  {}",
            entry.at,
            period_text(entry),
            entry.reason
        )?;
    }
    writeln!(text, "{} in force {}", in_force.len(), scope_text(&args.scope))?;
    if let Some(since) = more_since {
        writeln!(
            text,
            "there may be more: increase --limit, or continue with --since {since}"
        )?;
    }
    Ok(Output::done(text))
}
