//! Explanations of records, and their text.

use std::fmt::Write;

use serde::Serialize;

/// One record of the payload.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Explanation {
    pub(super) record: String,
    pub(super) via: Option<String>,
    pub(super) message: String,
    pub(super) message_id: Option<String>,
    /// Set when the function fails the record, which then ends in the dead-letter queue.
    pub(super) error: Option<String>,
    pub(super) outcomes: Vec<Outcome>,
}

/// What is done for a recipient or mailbox, or for the whole message.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome {
    /// The recipient or mailbox; none for the whole message.
    pub(super) subject: Option<String>,
    pub(super) action: &'static str,
    pub(super) scope: Option<String>,
    pub(super) until: Option<String>,
    pub(super) description: String,
    pub(super) reason: Option<String>,
}

impl Outcome {
    /// An outcome without scope and end.
    pub(super) fn new(
        subject: Option<String>,
        action: &'static str,
        description: impl Into<String>,
        reason: Option<String>,
    ) -> Self {
        Self {
            subject,
            action,
            scope: None,
            until: None,
            description: description.into(),
            reason,
        }
    }

    pub(super) fn nothing(reason: &str) -> Self {
        Self::new(None, "acknowledge", "nothing to do", Some(reason.to_owned()))
    }
}

pub(super) fn explanations_text(explanations: &[Explanation]) -> anyhow::Result<String> {
    let mut text = String::new();
    for (index, explanation) in explanations.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        write_explanation(&mut text, explanation)?;
    }
    if explanations.is_empty() {
        writeln!(text, "nothing to do: an event without records")?;
    }
    Ok(text)
}

fn write_explanation(text: &mut String, explanation: &Explanation) -> std::fmt::Result {
    writeln!(text, "{}", explanation.message)?;
    write!(text, "  record {}", explanation.record)?;
    if let Some(via) = &explanation.via {
        write!(text, " via {via}")?;
    }
    if let Some(id) = &explanation.message_id {
        write!(text, ", message {id}")?;
    }
    writeln!(text)?;
    if let Some(error) = &explanation.error {
        writeln!(text, "  fails, ends in the dead-letter queue: {error}")?;
    }
    for outcome in &explanation.outcomes {
        let subject = outcome.subject.as_deref().unwrap_or("the message");
        writeln!(text, "  {subject}: {}", outcome.description)?;
        if let Some(reason) = &outcome.reason {
            writeln!(text, "      because: {reason}")?;
        }
    }
    Ok(())
}
