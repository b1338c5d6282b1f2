//! Suppressions as JSON.

use serde_json::{Value, json};
use store::Block;

/// `at` is the time of the newest event that caused the suppression.
pub(super) fn suppression_json(block: &Block) -> Value {
    json!({
        "scope": block.scope.to_string(),
        "source": block.source.to_string(),
        "reason": block.entry.reason,
        "at": block.entry.at.to_string(),
        "until": block.entry.until.map(|until| until.to_string()),
        "id": block.entry.id,
        "evidence": block.entry.evidence,
    })
}

/// A suppression with one more field.
pub(super) fn suppression_json_with(block: &Block, name: &str, value: &str) -> Value {
    let mut suppression = suppression_json(block);
    if let Some(fields) = suppression.as_object_mut() {
        fields.insert(name.to_owned(), json!(value));
    }
    suppression
}
