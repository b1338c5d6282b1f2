//! `postroomctl dlq list`.

use std::collections::BTreeMap;
use std::fmt::Write;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::cause::Cause;
use super::function::Function;
use super::message::peek;
use crate::arguments::parse_limit;
use crate::output::{Output, json_text};
use crate::queue::Queue;

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The URLs of the dead-letter queues (the stack's outputs that end with DeadLetterQueueUrl).
    #[arg(
        required = true,
        value_name = "QUEUE_URL",
        env = "POSTROOM_DLQS",
        value_delimiter = ','
    )]
    queues: Vec<String>,
    /// The maximum number of messages to read from each queue.
    #[arg(long, default_value = "500", value_name = "MESSAGES", value_parser = parse_limit)]
    sample: usize,
    /// The function the messages are for. Default: derived from the name of the queue.
    #[arg(long)]
    function: Option<Function>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The content of one queue.
struct Summary {
    url: String,
    name: String,
    /// Approximate.
    messages: u64,
    read: usize,
    causes: BTreeMap<Cause, usize>,
    oldest: Option<Timestamp>,
    /// When SQS deletes the oldest message.
    oldest_expires_at: Option<Timestamp>,
}

pub(crate) async fn run(args: &ListArgs) -> anyhow::Result<Output> {
    let now = Timestamp::now();
    let mut summaries = Vec::new();
    for url in &args.queues {
        summaries.push(summarize(url, args).await?);
    }
    if args.json {
        let rows: Vec<Value> = summaries.iter().map(summary_json).collect();
        return Ok(Output::done(json_text(&json!(rows))));
    }
    let mut text = String::new();
    for summary in &summaries {
        write_summary(&mut text, summary, now)?;
    }
    Ok(Output::done(text))
}

async fn summarize(url: &str, args: &ListArgs) -> anyhow::Result<Summary> {
    let queue = Queue::open(url).await;
    let info = queue.info().await?;
    let letters = peek(&queue, args.sample, args.function).await?;
    let oldest = letters.iter().filter_map(|letter| letter.message.sent_at).min();
    let mut causes: BTreeMap<Cause, usize> = BTreeMap::new();
    for letter in &letters {
        *causes.entry(letter.finding.cause).or_default() += 1;
    }
    Ok(Summary {
        url: url.to_owned(),
        name: queue.name().to_owned(),
        messages: info.messages,
        read: letters.len(),
        causes,
        oldest,
        oldest_expires_at: oldest
            .zip(info.retention)
            .and_then(|(oldest, retention)| oldest.checked_add(retention).ok()),
    })
}

fn write_summary(text: &mut String, summary: &Summary, now: Timestamp) -> std::fmt::Result {
    writeln!(text, "{}", summary.name)?;
    if summary.read == 0 {
        return match summary.messages {
            0 => writeln!(text, "  empty"),
            count => writeln!(text, "  about {count} messages, all in flight to other receivers"),
        };
    }
    if usize::try_from(summary.messages).is_ok_and(|messages| messages > summary.read) {
        writeln!(
            text,
            "  about {} messages, {} of them read",
            summary.messages, summary.read
        )?;
    } else {
        writeln!(text, "  {} message(s)", summary.read)?;
    }
    for (cause, count) in &summary.causes {
        writeln!(text, "  {count:>6}  {cause}: {}", cause.redrive_advice())?;
    }
    if let Some(oldest) = summary.oldest {
        write!(text, "  oldest: sent {} ago", duration_text(now.duration_since(oldest)))?;
        if let Some(expires_at) = summary.oldest_expires_at {
            write!(text, ", expires in {}", duration_text(expires_at.duration_since(now)))?;
        }
        writeln!(text)?;
    }
    Ok(())
}

fn summary_json(summary: &Summary) -> Value {
    let causes: Map<String, Value> = summary
        .causes
        .iter()
        .map(|(cause, count)| (cause.to_string(), json!(count)))
        .collect();
    json!({
        "queue": summary.url, "messages": summary.messages, "read": summary.read, "causes": causes,
        "oldest": summary.oldest.map(|at| at.to_string()),
        "oldestExpiresAt": summary.oldest_expires_at.map(|at| at.to_string()),
    })
}

/// The two largest units of a duration, such as `3 d 4 h`.
fn duration_text(duration: SignedDuration) -> String {
    let minutes = duration.as_mins().max(0);
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}
