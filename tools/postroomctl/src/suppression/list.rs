//! `postroomctl suppression list`.

use std::collections::BTreeSet;

use clap::Args;
use jiff::Timestamp;
use notification_model::EmailAddress;
use operations::{period_text, scope_text};
use serde_json::{Value, json};
use store::{ActiveSuppression, Scope};

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
    let listed = store
        .suppressed_between(&args.scope, args.since, until, args.limit)
        .await
        .map_err(AwsError::from)?;
    let addresses: BTreeSet<&str> = listed.iter().map(|entry| entry.address.as_str()).collect();
    let addresses: Vec<EmailAddress> = addresses.into_iter().filter_map(EmailAddress::parse).collect();
    let recipients = store.recipients(&addresses).await.map_err(AwsError::from)?;
    let mut in_force: Vec<(&str, ActiveSuppression)> = Vec::new();
    for (address, recipient) in &recipients {
        let is_in_range = |suppression: &ActiveSuppression| (args.since..=until).contains(&suppression.entry.at);
        let suppressions = recipient.active_in(&args.scope, now).filter(is_in_range);
        in_force.extend(suppressions.map(|suppression| (address.as_str(), suppression)));
    }
    in_force.sort_by(|a, b| (a.1.entry.at, a.0).cmp(&(b.1.entry.at, b.0)));

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
    if let Some(last) = listed.last().filter(|_| listed.len() == args.limit) {
        writeln!(
            text,
            "there may be more: increase --limit, or continue with --since {}",
            last.at
        )?;
    }
    Ok(Output::done(text))
}
