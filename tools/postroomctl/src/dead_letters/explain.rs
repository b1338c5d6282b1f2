//! `postroomctl dlq explain`.

use std::fmt::Write;

use clap::Args;
use serde_json::{Value, json};

use super::message::{DeadLetter, Selection, peek};
use crate::arguments::parse_limit;
use crate::output::{Output, json_text};
use crate::queue::Queue;

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The URL of the dead-letter queue.
    #[arg(value_name = "QUEUE_URL")]
    queue: String,
    /// The maximum number of messages to read.
    #[arg(long, default_value = "500", value_name = "MESSAGES", value_parser = parse_limit)]
    sample: usize,
    #[command(flatten)]
    selection: Selection,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &ExplainArgs) -> anyhow::Result<Output> {
    let queue = Queue::open(&args.queue).await;
    let letters = peek(&queue, args.sample, args.selection.function).await?;
    let selected: Vec<&DeadLetter> = letters
        .iter()
        .filter(|letter| args.selection.contains(letter))
        .collect();
    if args.json {
        let rows: Vec<Value> = selected.iter().map(|letter| letter.json()).collect();
        return Ok(Output::done(json_text(&json!(rows))));
    }
    let mut text = String::new();
    for letter in &selected {
        letter.write(&mut text)?;
        writeln!(text, "  redrive: {}", letter.finding.cause.redrive_advice())?;
    }
    if selected.is_empty() {
        writeln!(text, "no message selected, {} read", letters.len())?;
    }
    Ok(Output::done(text))
}
