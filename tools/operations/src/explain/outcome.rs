//! Explanations of records.

use serde::Serialize;

/// One record of the payload.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The file and line: `bounce.json:1`.
    pub position: String,
    /// The id of the record in the payload.
    pub record: String,
    /// The services that the record came through.
    pub via: Option<String>,
    /// What the message is, in words.
    pub message: String,
    /// SES's id of the mail.
    pub message_id: Option<String>,
    /// Set when the function fails the record, which then ends in the dead-letter queue.
    pub error: Option<String>,
    /// What the function does with the record.
    pub outcomes: Vec<Outcome>,
}

/// What is done for a recipient or mailbox, or for the whole message.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The recipient or mailbox; none for the whole message.
    pub subject: Option<String>,
    /// The recipient; none for a mailbox or the whole message.
    pub recipient: Option<String>,
    /// The name of the action: `suppress`.
    pub action: &'static str,
    /// For whom the action holds, as a scope.
    pub scope: Option<String>,
    /// When a suppression ends (RFC 3339).
    pub until: Option<String>,
    /// What the event is for the recipient, as in the history: `hard`, `complaint`.
    pub kind: Option<String>,
    /// Why the message bounced: `user-unknown`.
    pub reason: Option<String>,
    /// How well the kind and the reason of a bounce are known: `stated`.
    pub certainty: Option<String>,
    /// The evidence that decided.
    pub because: Option<String>,
    /// The action in a sentence.
    pub description: String,
    /// The reason of the action in a sentence.
    pub explanation: Option<String>,
    /// A mail or notification that the action sends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub content: Vec<String>,
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
