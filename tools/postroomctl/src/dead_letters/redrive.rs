//! `postroomctl dlq redrive`.
//!
//! Not StartMessageMoveTask of SQS, which moves all messages or none, has no dry run, and fails for messages that were not
//! moved to the queue by SQS, such as those from SNS and from the delegate router. Each message is sent before it is
//! deleted: after an interruption a message may be in both queues, but never in none.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use serde_json::{Value, json};

use super::cause::Cause;
use super::message::{DeadLetter, Selection, peek};
use crate::arguments::parse_limit;
use crate::output::{Output, json_text};
use crate::queue::{EMPTY_RESPONSES, OutgoingMessage, Queue, QueueMessage};

/// How long received messages are invisible to other receivers at most.
const REDRIVE_VISIBILITY: Duration = Duration::from_secs(300);

#[derive(Debug, Args)]
pub(crate) struct RedriveArgs {
    /// The URL of the dead-letter queue.
    #[arg(value_name = "QUEUE_URL")]
    queue: String,
    /// The queue to send to. Default: the queue whose redrive policy names this dead-letter queue.
    #[arg(long, value_name = "QUEUE_URL")]
    to: Option<String>,
    #[command(flatten)]
    selection: Selection,
    /// Send the messages. Default: show them.
    #[arg(long)]
    yes: bool,
    /// The maximum number of messages per second.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// The maximum number of messages.
    #[arg(long, default_value = "10000", value_name = "MESSAGES", value_parser = parse_limit)]
    limit: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &RedriveArgs) -> anyhow::Result<Output> {
    let queue = Queue::open(&args.queue).await;
    let to = match &args.to {
        Some(url) => url.clone(),
        None => source_queue(&queue).await?,
    };
    if to == args.queue {
        bail!("--to is the dead-letter queue itself");
    }
    if !args.yes {
        let letters = peek(&queue, args.limit, args.selection.function).await?;
        let selected: Vec<&DeadLetter> = letters
            .iter()
            .filter(|letter| args.selection.contains(letter))
            .collect();
        return dry_run(args, &to, &selected, letters.len());
    }
    let target = Queue::open(&to).await;
    let redrive = Redrive::new(args, &queue, &target).run().await?;
    redrive.report(args, &to)
}

async fn source_queue(queue: &Queue) -> anyhow::Result<String> {
    match queue.source_queues().await?.as_slice() {
        [url] => Ok(url.clone()),
        [] => bail!(
            "no queue has {} as its dead-letter queue: name the queue to send to with --to",
            queue.name()
        ),
        urls => bail!(
            "several queues have {} as their dead-letter queue: name one with --to: {}",
            queue.name(),
            urls.join(", ")
        ),
    }
}

fn dry_run(args: &RedriveArgs, to: &str, selected: &[&DeadLetter], read: usize) -> anyhow::Result<Output> {
    let nothing_to_send = selected.is_empty();
    if args.json {
        let rows: Vec<Value> = selected.iter().map(|letter| letter.json()).collect();
        let value = json!({"to": to, "dryRun": true, "selected": rows});
        return Ok(Output::answer(nothing_to_send, json_text(&value)));
    }
    let mut text = String::new();
    for letter in selected {
        letter.write(&mut text)?;
    }
    let failing_causes: BTreeSet<Cause> = selected
        .iter()
        .map(|letter| letter.finding.cause)
        .filter(|cause| *cause != Cause::Dependency)
        .collect();
    for cause in failing_causes {
        writeln!(text, "note: {cause}: {}", cause.redrive_advice())?;
    }
    writeln!(
        text,
        "dry run: {} of {read} message(s) selected for {to}; send them with --yes",
        selected.len()
    )?;
    Ok(Output::answer(nothing_to_send, text))
}

/// A redrive in progress.
struct Redrive<'a> {
    args: &'a RedriveArgs,
    from: &'a Queue,
    to: &'a Queue,
    /// The ids of all received messages, so that no message is sent twice.
    seen: BTreeSet<String>,
    /// Received, but not sent.
    kept: Vec<QueueMessage>,
    moved: Vec<(String, Cause)>,
    /// Sent, but not deleted.
    in_both_queues: Vec<String>,
    /// Message ids with errors.
    failed: Vec<(String, String)>,
}

impl<'a> Redrive<'a> {
    fn new(args: &'a RedriveArgs, from: &'a Queue, to: &'a Queue) -> Self {
        Self {
            args,
            from,
            to,
            seen: BTreeSet::new(),
            kept: Vec::new(),
            moved: Vec::new(),
            in_both_queues: Vec::new(),
            failed: Vec::new(),
        }
    }

    async fn run(mut self) -> anyhow::Result<Self> {
        let mut empty_responses = 0;
        let mut receive_error = None;
        while empty_responses < EMPTY_RESPONSES && self.moved.len() < self.args.limit {
            let received = match self.from.receive(REDRIVE_VISIBILITY).await {
                Ok(received) => received,
                Err(error) => {
                    receive_error = Some(error);
                    break;
                }
            };
            // A kept message is received again after its visibility timeout.
            let (new, repeated): (Vec<QueueMessage>, Vec<QueueMessage>) = received
                .into_iter()
                .partition(|message| self.seen.insert(message.id.clone()));
            self.kept.extend(repeated);
            empty_responses = if new.is_empty() { empty_responses + 1 } else { 0 };
            self.move_batch(new).await;
            if !self.failed.is_empty() {
                break;
            }
        }
        let made_visible = self.from.make_visible(&self.kept).await;
        match receive_error {
            Some(error) if self.moved.is_empty() => Err(error.into()),
            // Reported with the messages that were moved before it.
            Some(error) => {
                self.failed
                    .push(("the dead-letter queue".to_owned(), error.to_string()));
                Ok(self)
            }
            None => {
                made_visible?;
                Ok(self)
            }
        }
    }

    async fn move_batch(&mut self, new: Vec<QueueMessage>) {
        let (mut selected, mut others): (Vec<DeadLetter>, Vec<DeadLetter>) = new
            .into_iter()
            .map(|message| DeadLetter::new(message, self.from, self.args.selection.function))
            .partition(|letter| self.args.selection.contains(letter));
        let remaining = self.args.limit - self.moved.len();
        others.extend(selected.split_off(selected.len().min(remaining)));
        self.kept.extend(others.into_iter().map(|letter| letter.message));
        if selected.is_empty() {
            return;
        }
        let messages: Vec<OutgoingMessage<'_>> = selected
            .iter()
            .map(|letter| OutgoingMessage {
                body: &letter.message.body,
                attributes: &letter.message.attributes,
            })
            .collect();
        let failures = self.to.send(&messages).await;
        let has_failed = |index: usize| failures.iter().any(|failure| failure.index == index);
        let sent: Vec<&DeadLetter> = selected
            .iter()
            .enumerate()
            .filter(|(index, _)| !has_failed(*index))
            .map(|(_, letter)| letter)
            .collect();
        let sent_messages: Vec<&QueueMessage> = sent.iter().map(|letter| &letter.message).collect();
        self.in_both_queues.extend(self.from.delete(&sent_messages).await);
        self.moved.extend(
            sent.iter()
                .map(|letter| (letter.message.id.clone(), letter.finding.cause)),
        );
        let sent_count = f64::from(u32::try_from(sent.len()).unwrap_or(u32::MAX));
        for failure in failures {
            if let Some(letter) = selected.get(failure.index) {
                self.failed.push((letter.message.id.clone(), failure.error));
                self.kept.push(letter.message.clone());
            }
        }
        tokio::time::sleep(Duration::from_secs_f64(sent_count / f64::from(self.args.rate))).await;
    }

    fn report(&self, args: &RedriveArgs, to: &str) -> anyhow::Result<Output> {
        let is_complete = self.failed.is_empty() && self.in_both_queues.is_empty();
        if args.json {
            let moved = self.moved.iter();
            let moved: Vec<Value> = moved
                .map(|(id, cause)| json!({"id": id, "cause": cause.as_str()}))
                .collect();
            let failed = self.failed.iter();
            let failed: Vec<Value> = failed.map(|(id, error)| json!({"id": id, "error": error})).collect();
            let value = json!({
                "to": to, "dryRun": false, "moved": moved, "inBothQueues": self.in_both_queues, "failed": failed,
            });
            return Ok(Output::answer(is_complete, json_text(&value)));
        }
        let mut text = String::new();
        for (id, cause) in &self.moved {
            writeln!(text, "{id}  {cause}")?;
        }
        writeln!(text, "{} message(s) sent to {to}", self.moved.len())?;
        if !self.in_both_queues.is_empty() {
            writeln!(
                text,
                "{} of them could not be deleted and are in both queues; handling them twice has no further effect: {}",
                self.in_both_queues.len(),
                self.in_both_queues.join(", ")
            )?;
        }
        for (id, error) in &self.failed {
            writeln!(text, "stopped at {id}, which stays in the dead-letter queue: {error}")?;
        }
        Ok(Output::answer(is_complete, text))
    }
}
