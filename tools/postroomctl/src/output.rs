//! What a command prints, and its exit code.

use serde_json::Value;

/// The text on standard output, and whether the exit code is 0 (yes, done) or 1 (no).
pub(crate) struct Output {
    pub(crate) text: String,
    pub(crate) is_yes: bool,
}

impl Output {
    /// Exit code 0.
    pub(crate) fn done(text: String) -> Self {
        Self { text, is_yes: true }
    }

    /// Exit code 0 for yes, 1 for no.
    pub(crate) fn answer(is_yes: bool, text: String) -> Self {
        Self { text, is_yes }
    }
}

/// JSON as `--json` prints it.
pub(crate) fn json_text(value: &Value) -> String {
    format!("{value:#}\n")
}

/// The warnings about a configuration file, one a line.
pub(crate) fn warnings_text(warnings: &[String]) -> String {
    warnings.iter().map(|warning| format!("warning: {warning}\n")).collect()
}
