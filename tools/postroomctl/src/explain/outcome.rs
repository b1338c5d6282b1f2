//! Explanations of records, and their text.

use serde::Serialize;

use crate::text::Text;

/// One record of the payload.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Explanation {
    /// The file and line: `bounce.json:1`.
    pub(super) position: String,
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
    /// The recipient; none for a mailbox or the whole message.
    pub(super) recipient: Option<String>,
    pub(super) action: &'static str,
    pub(super) scope: Option<String>,
    pub(super) until: Option<String>,
    /// What the event is for the recipient, as in the history: `hard`, `complaint`.
    pub(super) kind: Option<String>,
    /// Why the message bounced: `user-unknown`.
    pub(super) reason: Option<String>,
    /// How well the kind and the reason of a bounce are known: `stated`.
    pub(super) certainty: Option<String>,
    /// The evidence that decided.
    pub(super) because: Option<String>,
    /// The action in a sentence.
    pub(super) description: String,
    /// The reason of the action in a sentence.
    pub(super) explanation: Option<String>,
    /// A mail or notification that the action sends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) content: Vec<String>,
}

impl Outcome {
    /// An outcome with the explanation as its evidence.
    pub(super) fn new(
        subject: Option<String>,
        action: &'static str,
        description: impl Into<String>,
        explanation: Option<String>,
    ) -> Self {
        Self {
            subject,
            recipient: None,
            action,
            scope: None,
            until: None,
            kind: None,
            reason: None,
            certainty: None,
            because: explanation.clone(),
            description: description.into(),
            explanation,
            content: Vec::new(),
        }
    }

    /// An outcome for a recipient.
    pub(super) fn of_recipient(
        recipient: &str,
        action: &'static str,
        description: impl Into<String>,
        explanation: Option<String>,
    ) -> Self {
        Self {
            recipient: Some(recipient.to_owned()),
            ..Self::new(Some(recipient.to_owned()), action, description, explanation)
        }
    }

    pub(super) fn nothing(reason: &str) -> Self {
        Self::new(None, "acknowledge", "nothing to do", Some(reason.to_owned()))
    }
}

pub(super) fn explanations_text(explanations: &[Explanation]) -> anyhow::Result<Text> {
    let mut text = Text::default();
    for (index, explanation) in explanations.iter().enumerate() {
        if index > 0 {
            writeln!(text)?;
        }
        write_explanation(&mut text, explanation)?;
    }
    if explanations.is_empty() {
        writeln!(text, "nothing to do: an event without records")?;
    }
    Ok(text)
}

fn write_explanation(text: &mut Text, explanation: &Explanation) -> std::fmt::Result {
    writeln!(text, "{}", explanation.message)?;
    let via = explanation
        .via
        .as_ref()
        .map_or_else(String::new, |via| format!(" via {via}"));
    let id = explanation.message_id.as_ref();
    let id = id.map_or_else(String::new, |id| format!(", message {id}"));
    writeln!(text, "  record {}{via}{id}", explanation.record)?;
    if let Some(error) = &explanation.error {
        writeln!(text, "  {}: {error}", explanation.position)?;
        writeln!(text, "      the record fails and ends in the dead-letter queue")?;
    }
    for outcome in &explanation.outcomes {
        let subject = outcome.subject.as_deref().unwrap_or("the message");
        writeln!(text, "  {subject}: {}", outcome.description)?;
        if let Some(explanation) = &outcome.explanation {
            writeln!(text, "      because: {explanation}")?;
        }
        for line in outcome.content.iter().flat_map(|content| content.lines()) {
            writeln!(text, "      | {line}")?;
        }
    }
    Ok(())
}
