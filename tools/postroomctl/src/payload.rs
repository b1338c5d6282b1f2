//! Files with SES messages, in any layer of envelopes.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail};
use intake::Batch;
use serde_json::{Value, json};

/// Reads a file, or standard input for `-`, and finds the records in it.
pub(crate) fn read_batch(file: &Path) -> anyhow::Result<Batch> {
    parse_batch(&read_text(file)?).with_context(|| file.display().to_string())
}

fn read_text(file: &Path) -> anyhow::Result<String> {
    let bytes = if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .context("standard input")?;
        bytes
    } else {
        std::fs::read(file).with_context(|| file.display().to_string())?
    };
    String::from_utf8(bytes).with_context(|| format!("{}: not UTF-8", file.display()))
}

/// Reads a Lambda event as the functions do. Everything else is read as the body of an SQS message: an SNS message, an
/// EventBridge event or an SES JSON.
fn parse_batch(text: &str) -> anyhow::Result<Batch> {
    if text.trim().is_empty() {
        bail!("empty: expected an SNS message, a Lambda event or an SES JSON");
    }
    let parsed = serde_json::from_str::<Value>(text);
    if let Ok(event) = &parsed
        && (event.get("Records").is_some() || event.get("detail-type").is_some())
    {
        return Ok(Batch::from_event(event)?);
    }
    let bodies = parsed.map_or_else(|_| vec![text.trim().to_owned()], |value| message_bodies(&value));
    let record = |(index, body): (usize, &String)| json!({"eventSource": "aws:sqs", "messageId": format!("message {}", index + 1), "body": body});
    let records: Vec<Value> = bodies.iter().enumerate().map(record).collect();
    Ok(Batch::from_event(&json!({"Records": records}))?)
}

/// The bodies in the output of `aws sqs receive-message` or one message of it, a record of a Lambda event, a quoted body,
/// or the message itself.
fn message_bodies(value: &Value) -> Vec<String> {
    if let Some(messages) = value.get("Messages").and_then(Value::as_array) {
        return messages.iter().flat_map(message_bodies).collect();
    }
    let inner = ["Body", "body", "Sns", "ses"]
        .iter()
        .find_map(|name| value.get(name))
        .unwrap_or(value);
    // The SNS record of a Lambda event has no `Type`, which marks an SNS message in a body.
    let inner = if value.get("Sns").is_some() {
        inner.get("Message").unwrap_or(inner)
    } else {
        inner
    };
    vec![inner.as_str().map_or_else(|| inner.to_string(), str::to_owned)]
}
