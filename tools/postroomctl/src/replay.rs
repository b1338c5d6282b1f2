//! `postroomctl replay`: sends archived notifications to the feedback queue again, for example after a policy change or
//! the loss of a table.
//!
//! The functions identify each event and guard writes by its time, so that a repeated notification has no further effect.

mod archive;
mod envelope;
mod progress;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use self::archive::{Archive, ArchiveQuery, unpack};
use self::envelope::{Envelope, split_envelopes};
use self::progress::Progress;
use crate::arguments::parse_day_or_time;
use crate::aws_error::AwsError;
use crate::output::{Output, json_text};
use crate::queue::{OutgoingMessage, Queue};

const BATCH_MESSAGES: usize = 10;

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The bucket of the archive (the stack's output ArchiveBucketName).
    #[arg(long, conflicts_with = "files")]
    bucket: Option<String>,
    /// Files with objects of the archive, compressed or not.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The part of the object keys before the day.
    #[arg(long, default_value = "notifications/")]
    prefix: String,
    /// Published at or after this time: a day, or a time (RFC 3339).
    #[arg(long, value_name = "TIME", value_parser = parse_day_or_time)]
    since: Option<Timestamp>,
    /// Published before this time. A day is excluded.
    #[arg(long, value_name = "TIME", value_parser = parse_day_or_time)]
    until: Option<Timestamp>,
    /// Only these event types, such as bounce,complaint,delivery.
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    only: Vec<String>,
    /// Show the number of notifications without sending them.
    #[arg(long)]
    dry_run: bool,
    /// The feedback queue (the stack's output QueueUrl).
    #[arg(long, value_name = "URL")]
    queue: Option<String>,
    /// The maximum number of messages per second.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// A file for the names of completed objects, which are skipped.
    #[arg(long, value_name = "FILE")]
    progress: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The numbers of notifications by event type.
#[derive(Default)]
struct Counts {
    objects: usize,
    skipped_objects: usize,
    found: BTreeMap<String, usize>,
    selected: BTreeMap<String, usize>,
    sent: usize,
    /// Objects and lines.
    unreadable: Vec<String>,
}

pub(crate) async fn run(args: &ReplayArgs) -> anyhow::Result<Output> {
    let queue = match (&args.queue, args.dry_run) {
        (_, true) => None,
        (Some(url), false) => Some(Queue::open(url).await),
        (None, false) => bail!("expected --queue (the stack's output QueueUrl) or --dry-run"),
    };
    let (archive, names) = match &args.bucket {
        Some(bucket) => {
            let query = ArchiveQuery {
                bucket,
                prefix: &args.prefix,
                since: args.since,
                until: args.until,
            };
            query.list_objects().await?
        }
        None if args.files.is_empty() => bail!("expected --bucket (the stack's output ArchiveBucketName) or --files"),
        None => {
            let names = args.files.iter().map(|file| file.display().to_string());
            (Archive::Files, names.collect())
        }
    };
    let progress = Progress::read(args.progress.as_deref())?;
    let mut counts = Counts::default();
    for name in names {
        if progress.is_complete(&name) {
            counts.skipped_objects += 1;
            continue;
        }
        let bytes = unpack(archive.read(&name).await?).with_context(|| name.clone())?;
        counts.objects += 1;
        replay_object(&name, &bytes, args, queue.as_ref(), &mut counts).await?;
        if !args.dry_run {
            progress.complete(&name)?;
        }
    }
    let text = if args.json {
        counts_json(&counts, args.dry_run)
    } else {
        counts_text(&counts, args.dry_run)?
    };
    Ok(Output::answer(counts.unreadable.is_empty(), text))
}

async fn replay_object(
    name: &str,
    bytes: &[u8],
    args: &ReplayArgs,
    queue: Option<&Queue>,
    counts: &mut Counts,
) -> anyhow::Result<()> {
    let (envelopes, unreadable_lines) = split_envelopes(bytes);
    let unreadable = unreadable_lines.into_iter().map(|line| format!("{name}, line {line}"));
    counts.unreadable.extend(unreadable);
    let mut selected = Vec::new();
    for text in envelopes {
        let envelope = Envelope::parse(text);
        *counts.found.entry(envelope.event_type.clone()).or_default() += 1;
        if envelope.has_type(&args.only) && envelope.is_within(args.since, args.until) {
            *counts.selected.entry(envelope.event_type).or_default() += 1;
            selected.push(text);
        }
    }
    let Some(queue) = queue else { return Ok(()) };
    let attributes = HashMap::new();
    for chunk in selected.chunks(BATCH_MESSAGES) {
        let messages: Vec<OutgoingMessage<'_>> = chunk
            .iter()
            .map(|body| OutgoingMessage {
                body,
                attributes: &attributes,
            })
            .collect();
        let failures = queue.send(&messages).await;
        counts.sent += chunk.len() - failures.len();
        if let Some(failure) = failures.first() {
            let (error, sent) = (&failure.error, counts.sent);
            let message = format!(
                "{name}: {error}\n  {sent} message(s) were sent; run the command again, which repeats some without \
                 further effect"
            );
            return Err(AwsError::new(message).into());
        }
        let pause = f64::from(u32::try_from(chunk.len()).unwrap_or(u32::MAX)) / f64::from(args.rate);
        tokio::time::sleep(Duration::from_secs_f64(pause)).await;
    }
    Ok(())
}

fn counts_text(counts: &Counts, dry_run: bool) -> anyhow::Result<String> {
    let mut text = String::new();
    let found: usize = counts.found.values().sum();
    writeln!(text, "{} object(s) with {found} notification(s)", counts.objects)?;
    if counts.skipped_objects > 0 {
        writeln!(text, "{} object(s) skipped: already completed", counts.skipped_objects)?;
    }
    for (event_type, found) in &counts.found {
        let selected = counts.selected.get(event_type).copied().unwrap_or_default();
        writeln!(text, "  {selected:>8} of {found:>8}  {event_type}")?;
    }
    for location in &counts.unreadable {
        writeln!(text, "unreadable, skipped: {location}")?;
    }
    let selected: usize = counts.selected.values().sum();
    match dry_run {
        true => writeln!(text, "dry run: {selected} selected")?,
        false => writeln!(text, "{} sent", counts.sent)?,
    }
    Ok(text)
}

fn counts_json(counts: &Counts, dry_run: bool) -> String {
    json_text(&json!({
        "objects": counts.objects, "skippedObjects": counts.skipped_objects, "found": counts.found,
        "selected": counts.selected, "unreadable": counts.unreadable, "sent": counts.sent, "dryRun": dry_run,
    }))
}
