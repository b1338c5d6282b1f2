//! Suppressions as JSON.

use serde_json::{Value, json};
use store::ActiveSuppression;

/// `at` is the time of the newest event that caused the suppression.
pub(super) fn suppression_json(suppression: &ActiveSuppression) -> Value {
    json!({
        "scope": suppression.scope.to_string(),
        "source": suppression.source.to_string(),
        "reason": suppression.entry.reason,
        "at": suppression.entry.at.to_string(),
        "until": suppression.entry.until.map(|until| until.to_string()),
        "id": suppression.entry.id,
        "evidence": suppression.entry.evidence,
    })
}

/// A suppression with one more field.
pub(super) fn suppression_json_with(suppression: &ActiveSuppression, name: &str, value: &str) -> Value {
    let mut object = suppression_json(suppression);
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), json!(value));
    }
    object
}
