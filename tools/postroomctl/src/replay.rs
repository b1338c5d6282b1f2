//! Sends archived notifications to the feedback queue again: after a mistake in a policy, after a lost table.
//!
//! What the functions do is keyed by the event and guarded by its time, so replaying what was handled already changes
//! nothing (`tests/replay.rs`), and a replay that was interrupted may simply be started again.
//!
//! The archive is Firehose's: gzip objects under `notifications/yyyy/MM/dd/` by day of arrival, in which SNS ends every
//! envelope with a line break. Envelopes are read one after the other as JSON, so that objects without line breaks, as
//! Firehose makes them of other sources, are read too.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::io::{Read, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use aws_config::BehaviorVersion;
use aws_sdk_s3::error::DisplayErrorContext;
use flate2::read::MultiGzDecoder;
use jiff::{SignedDuration, Timestamp};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::Output;
use crate::cli::ReplayArgs;
use crate::queue::Queue;
use crate::table::AwsFailed;

/// An object's day is that of its first record's arrival, which may be before midnight and may be late.
const AROUND: SignedDuration = SignedDuration::from_hours(24);
/// Firehose's objects are made of 5 MB; nothing an archive holds unpacks to this.
const MOST_BYTES: u64 = 1024 * 1024 * 1024;
const SEND_AT_ONCE: usize = 10;

/// What was found and what of it was sent, by type.
#[derive(Default)]
struct Counts {
    objects: usize,
    skipped_objects: usize,
    found: BTreeMap<String, usize>,
    chosen: BTreeMap<String, usize>,
    sent: usize,
    unreadable: Vec<String>,
}

/// Where the archive is.
enum Archive {
    Files,
    Bucket { s3: aws_sdk_s3::Client, name: String },
}

pub(crate) async fn run(args: &ReplayArgs) -> anyhow::Result<Output> {
    let queue = match (&args.queue, args.dry_run) {
        (_, true) => None,
        (Some(url), false) => Some(Queue::open(url).await),
        (None, false) => bail!("expected --queue, the stack's output QueueUrl, or --dry-run"),
    };
    let (archive, names) = objects(args).await?;
    let finished = finished(args.progress.as_deref())?;
    let mut counts = Counts::default();
    for name in names {
        if finished.contains(&name) {
            counts.skipped_objects += 1;
            continue;
        }
        let bytes = archive.read(&name).await?;
        let bytes = unpacked(bytes).with_context(|| name.clone())?;
        counts.objects += 1;
        replay(&name, &bytes, args, queue.as_ref(), &mut counts).await?;
        if let (Some(file), false) = (&args.progress, args.dry_run) {
            finish(file, &name)?;
        }
    }
    let yes = counts.unreadable.is_empty();
    let text = if args.json {
        as_json(&counts, args.dry_run)
    } else {
        as_text(&counts, args)?
    };
    Ok(Output { text, yes })
}

async fn replay(
    name: &str,
    bytes: &[u8],
    args: &ReplayArgs,
    queue: Option<&Queue>,
    counts: &mut Counts,
) -> anyhow::Result<()> {
    let (envelopes, unreadable) = envelopes(bytes);
    let unreadable = unreadable.into_iter().map(|line| format!("{name}, line {line}"));
    counts.unreadable.extend(unreadable);
    let mut chosen = Vec::new();
    for text in envelopes {
        let envelope = Envelope::of(text);
        *counts.found.entry(envelope.kind.clone()).or_default() += 1;
        if envelope.is_wanted(args) {
            *counts.chosen.entry(envelope.kind).or_default() += 1;
            chosen.push(text);
        }
    }
    let Some(queue) = queue else { return Ok(()) };
    let none = HashMap::new();
    for chunk in chosen.chunks(SEND_AT_ONCE) {
        let messages: Vec<_> = chunk.iter().map(|text| (*text, &none)).collect();
        let refused = queue.send(&messages).await;
        counts.sent += chunk.len() - refused.len();
        if let Some((_, why)) = refused.first() {
            let sent = counts.sent;
            let says = format!("{name}: {why}\n  {sent} message(s) were sent; start again, which does no harm");
            return Err(AwsFailed::new(says).into());
        }
        let pause = f64::from(u32::try_from(chunk.len()).unwrap_or(u32::MAX)) / f64::from(args.rate);
        tokio::time::sleep(Duration::from_secs_f64(pause)).await;
    }
    Ok(())
}

/// What is told of an envelope from the outside.
struct Envelope {
    /// The event's type as SES spells it, else what it is in words.
    kind: String,
    at: Option<Timestamp>,
}

impl Envelope {
    fn of(text: &str) -> Self {
        let envelope: Value = serde_json::from_str(text).unwrap_or_default();
        let message = envelope.get("Message").and_then(Value::as_str);
        // Without an envelope, with raw delivery, it is SES's JSON itself.
        let message = message.map_or_else(
            || Some(envelope.clone()),
            |message| serde_json::from_str::<Value>(message).ok(),
        );
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let kind = match &message {
            // Set-up messages are plain text, but for one.
            None => Some("set-up".to_owned()),
            Some(message) => text(message, "eventType").or_else(|| text(message, "notificationType")),
        };
        let kind = kind.map(|kind| match kind.as_str() {
            "AmazonSnsSubscriptionSucceeded" => "set-up".to_owned(),
            _ => kind,
        });
        let sent = message
            .as_ref()
            .and_then(|message| text(message.get("mail")?, "timestamp"));
        let at = text(&envelope, "Timestamp").or(sent).and_then(|text| text.parse().ok());
        Self {
            kind: kind.unwrap_or_else(|| "without a type".to_owned()),
            at,
        }
    }

    fn is_wanted(&self, args: &ReplayArgs) -> bool {
        let plain = |text: &str| text.replace([' ', '-', '_'], "").to_ascii_lowercase();
        let kind = args.only.is_empty() || args.only.iter().any(|only| plain(only) == plain(&self.kind));
        // What does not tell its time is in no span of time.
        let since = args.since.is_none_or(|since| self.at.is_some_and(|at| at >= since));
        let until = args.until.is_none_or(|until| self.at.is_some_and(|at| at < until));
        kind && since && until
    }
}

/// The JSON texts of an object, exactly as they stand there, and the lines at which something else stood.
fn envelopes(bytes: &[u8]) -> (Vec<&str>, Vec<usize>) {
    let mut found = Vec::new();
    let mut unreadable = Vec::new();
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.trim_ascii().is_empty()) {
        let mut stream = serde_json::Deserializer::from_slice(rest).into_iter::<IgnoredAny>();
        let next = stream.next();
        let end = stream.byte_offset();
        let text = rest
            .get(..end)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .map(str::trim);
        match (next, text) {
            (Some(Ok(IgnoredAny)), Some(text)) if text.starts_with('{') => {
                found.push(text);
                at += end;
            }
            // What follows the line may be fine.
            _ => {
                let line = bytes
                    .get(..at)
                    .unwrap_or_default()
                    .iter()
                    .filter(|byte| **byte == b'\n')
                    .count();
                let blank = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                let breaks = rest.iter().take(blank).filter(|byte| **byte == b'\n').count();
                unreadable.push(line + breaks + 1);
                let skip = rest.iter().skip(blank).position(|byte| *byte == b'\n');
                at += skip.map_or(rest.len(), |skip| blank + skip + 1);
            }
        }
    }
    (found, unreadable)
}

fn unpacked(bytes: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(bytes.as_slice())
        .take(MOST_BYTES)
        .read_to_end(&mut unpacked)
        .context("cannot be unpacked")?;
    Ok(unpacked)
}

async fn objects(args: &ReplayArgs) -> anyhow::Result<(Archive, Vec<String>)> {
    let Some(bucket) = &args.bucket else {
        if args.files.is_empty() {
            bail!("expected --bucket, the stack's output ArchiveBucketName, or --files");
        }
        let names = args.files.iter().map(|file| file.display().to_string());
        return Ok((Archive::Files, names.collect()));
    };
    let Some(since) = args.since else {
        bail!("expected --since with --bucket: an archive is long");
    };
    let until = args.until.unwrap_or_else(Timestamp::now);
    if until <= since {
        bail!("expected --until after --since");
    }
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let mut settings = aws_sdk_s3::config::Builder::from(&config);
    if std::env::var_os("AWS_ENDPOINT_URL").is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some() {
        // A local S3 has no name for each bucket.
        settings = settings.force_path_style(true);
    }
    let s3 = aws_sdk_s3::Client::from_conf(settings.build());
    let mut names = Vec::new();
    let mut day = since.saturating_sub(AROUND).unwrap_or(since);
    let last = until.saturating_add(AROUND).unwrap_or(until);
    let mut days = BTreeSet::new();
    while day < last {
        days.insert(day.strftime("%Y/%m/%d").to_string());
        day = day.saturating_add(SignedDuration::from_hours(24)).unwrap_or(last);
    }
    days.insert(last.strftime("%Y/%m/%d").to_string());
    for day in days {
        let prefix = format!("{}{day}/", args.prefix);
        let request = s3.list_objects_v2().bucket(bucket).prefix(prefix);
        let mut pages = request.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| s3_failed("ListObjectsV2", &error))?;
            names.extend(
                page.contents
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(|object| object.key),
            );
        }
    }
    let name = bucket.clone();
    Ok((Archive::Bucket { s3, name }, names))
}

impl Archive {
    async fn read(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Files => std::fs::read(name).with_context(|| name.to_owned()),
            Self::Bucket { s3, name: bucket } => {
                let request = s3.get_object().bucket(bucket).key(name).send().await;
                let object = request.map_err(|error| s3_failed("GetObject", &error))?;
                let body = object.body.collect().await;
                Ok(body.map_err(|error| s3_failed("GetObject", &error))?.to_vec())
            }
        }
    }
}

fn s3_failed(operation: &str, error: &(dyn std::error::Error + 'static)) -> AwsFailed {
    AwsFailed::new(format!("{operation}: {}", DisplayErrorContext(error)))
}

/// Objects that an earlier run finished, one a line.
fn finished(file: Option<&Path>) -> anyhow::Result<BTreeSet<String>> {
    let Some(file) = file else { return Ok(BTreeSet::new()) };
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(error).with_context(|| file.display().to_string()),
    }
}

fn finish(file: &Path, name: &str) -> anyhow::Result<()> {
    let open = std::fs::OpenOptions::new().create(true).append(true).open(file);
    let written = open.and_then(|mut file| writeln!(file, "{name}"));
    written.with_context(|| file.display().to_string())
}

fn as_text(counts: &Counts, args: &ReplayArgs) -> anyhow::Result<String> {
    let mut text = String::new();
    let all: usize = counts.found.values().sum();
    writeln!(text, "{} object(s) with {all} notification(s)", counts.objects)?;
    if counts.skipped_objects > 0 {
        writeln!(text, "{} object(s) were finished before", counts.skipped_objects)?;
    }
    for (kind, found) in &counts.found {
        let chosen = counts.chosen.get(kind).copied().unwrap_or_default();
        writeln!(text, "  {chosen:>8} of {found:>8}  {kind}")?;
    }
    for place in &counts.unreadable {
        writeln!(text, "unreadable, left out: {place}")?;
    }
    let chosen: usize = counts.chosen.values().sum();
    match args.dry_run {
        true => writeln!(text, "a dry run: {chosen} would be sent")?,
        false => writeln!(text, "{} sent", counts.sent)?,
    }
    Ok(text)
}

fn as_json(counts: &Counts, dry_run: bool) -> String {
    let told = json!({
        "objects": counts.objects, "objectsFinishedBefore": counts.skipped_objects, "found": counts.found,
        "chosen": counts.chosen, "unreadable": counts.unreadable, "sent": counts.sent, "dryRun": dry_run,
    });
    format!("{told:#}\n")
}

#[cfg(test)]
mod tests {
    use super::envelopes;

    #[test]
    fn envelopes_are_read_with_and_without_line_breaks() {
        let cases: [(&str, &[&str], &[usize]); 8] = [
            (
                "{\"a\":1}\n{\"b\":\"x\\n}{\"}\n",
                &["{\"a\":1}", "{\"b\":\"x\\n}{\"}"],
                &[],
            ),
            ("{\"a\":1}{\"b\":2}", &["{\"a\":1}", "{\"b\":2}"], &[]),
            ("\n\n {\"a\": 1 } \r\n", &["{\"a\": 1 }"], &[]),
            ("{\"a\":1}\nbroken{\n{\"b\":2}\n", &["{\"a\":1}", "{\"b\":2}"], &[2]),
            ("{\"a\":1}\n\n\n{\"cut\":", &["{\"a\":1}"], &[4]),
            ("12\n[]\n{}", &["{}"], &[1, 2]),
            ("{\"a\":1}{\"cut\n{\"b\":2}", &["{\"a\":1}", "{\"b\":2}"], &[1]),
            ("", &[], &[]),
        ];
        for (text, found, unreadable) in cases {
            assert_eq!(
                envelopes(text.as_bytes()),
                (found.to_vec(), unreadable.to_vec()),
                "{text:?}"
            );
        }
        assert_eq!(envelopes(b"\xff\xfe{}\n{}\n"), (vec!["{}"], vec![1]));
    }
}
