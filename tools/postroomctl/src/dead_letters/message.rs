//! Messages of a dead-letter queue with their diagnosis, and the selection of some.

use std::fmt::Write;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::cause::Cause;
use super::finding::Finding;
use super::function::Function;
use crate::aws_error::AwsError;
use crate::queue::{Queue, QueueMessage};

/// How long peeked messages are invisible to other receivers at most.
const PEEK_VISIBILITY: Duration = Duration::from_secs(60);

pub(super) struct DeadLetter {
    pub(super) message: QueueMessage,
    pub(super) finding: Finding,
}

#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Select messages by their SQS message ids.
    #[arg(long, value_name = "MESSAGE_ID", value_delimiter = ',')]
    id: Vec<String>,
    /// Select messages by cause.
    #[arg(long, value_delimiter = ',')]
    cause: Vec<Cause>,
    /// The function the messages are for. Default: derived from the name of the queue.
    #[arg(long)]
    pub(super) function: Option<Function>,
}

impl Selection {
    pub(super) fn contains(&self, letter: &DeadLetter) -> bool {
        let has_id = self.id.is_empty() || self.id.contains(&letter.message.id);
        let has_cause = self.cause.is_empty() || self.cause.contains(&letter.finding.cause);
        has_id && has_cause
    }
}

impl DeadLetter {
    pub(super) fn new(message: QueueMessage, queue: &Queue, function: Option<Function>) -> Self {
        let function = function.unwrap_or_else(|| Function::detect(queue.name(), &message.body));
        let rejection = message.attributes.get("reason");
        let rejection = rejection.and_then(|attribute| attribute.string_value());
        let finding = function.diagnose(&message.body, rejection);
        Self { message, finding }
    }

    pub(super) fn write(&self, text: &mut String) -> std::fmt::Result {
        let Self { message, finding } = self;
        writeln!(text, "{}", finding.message)?;
        let sent = message.sent_at.map(|at| format!(", sent {at}")).unwrap_or_default();
        writeln!(text, "  id {}{sent}", message.id)?;
        writeln!(text, "  {}: {}", finding.cause, finding.reason)
    }

    pub(super) fn json(&self) -> Value {
        let Self { message, finding } = self;
        json!({
            "id": message.id, "sent": message.sent_at.map(|at| at.to_string()), "message": finding.message,
            "cause": finding.cause.as_str(), "reason": finding.reason,
        })
    }
}

/// Up to `limit` messages of a queue, oldest first.
pub(super) async fn peek(queue: &Queue, limit: usize, function: Option<Function>) -> Result<Vec<DeadLetter>, AwsError> {
    let messages = queue.peek(limit, PEEK_VISIBILITY).await?;
    let mut letters: Vec<DeadLetter> = messages
        .into_iter()
        .map(|message| DeadLetter::new(message, queue, function))
        .collect();
    letters.sort_by(|a, b| (a.message.sent_at, &a.message.id).cmp(&(b.message.sent_at, &b.message.id)));
    Ok(letters)
}
