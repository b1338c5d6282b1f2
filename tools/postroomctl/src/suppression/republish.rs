//! `postroomctl suppression republish`.

use std::io::{IsTerminal, Write};

use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use notification_model::EmailAddress;
use serde_json::json;
use store::Store;

use crate::arguments::parse_day_or_time;
use crate::aws_error::AwsError;
use crate::output::{Output, json_text};
use crate::table::TableArgs;
use crate::text::Text;

/// Rows that are written at the same time: about 200 a second, which the function publishes as fast.
const CONCURRENT_WRITES: usize = 4;

#[derive(Debug, Args)]
pub(crate) struct RepublishArgs {
    /// Only addresses that changed at or after this time: a day, or a time (RFC 3339). Start a day before the failure, because
    /// an event can be older than its change of the table.
    #[arg(long, value_name = "TIME", value_parser = parse_day_or_time)]
    since: Timestamp,
    /// Only count the addresses.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    table: TableArgs,
}

pub(crate) async fn run(args: &RepublishArgs) -> anyhow::Result<Output> {
    let now = Timestamp::now();
    anyhow::ensure!(args.since <= now, "expected --since before now");
    let store = args.table.open().await;
    let (mut read, mut republished, mut start) = (0, 0, None);
    loop {
        let page = store.recipients_page(start).await.map_err(AwsError::from)?;
        let changed = page
            .recipients
            .iter()
            .filter(|(_, row)| row.changed_between(args.since, now));
        let addresses: Vec<_> = changed.map(|(address, _)| address).collect();
        read += page.rows_read;
        republished += addresses.len();
        if !args.dry_run {
            republish(&store, &addresses, now).await?;
        }
        show_progress(read, republished);
        start = page.next;
        if start.is_none() {
            break;
        }
    }
    let text = if args.table.json {
        json_text(&json!({"rowsRead": read, "addresses": republished, "dryRun": args.dry_run}))
    } else if args.dry_run {
        Text::of_line(&format!("{republished} addresses would be published again"))
    } else {
        Text::of_line(&format!("{republished} addresses are published again"))
    };
    Ok(Output::done(text))
}

async fn republish(store: &Store, addresses: &[&EmailAddress], now: Timestamp) -> Result<(), AwsError> {
    stream::iter(addresses)
        .map(|address| store.republish(address, now))
        .buffer_unordered(CONCURRENT_WRITES)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(())
}

/// Ignores errors: the progress is only for a person who waits.
fn show_progress(read: usize, republished: usize) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let _ = write!(stderr, "\r{read} rows read, {republished} addresses");
        let _ = stderr.flush();
    }
}
