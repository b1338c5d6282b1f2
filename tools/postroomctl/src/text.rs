//! Text for the terminal. Every text that a command prints is built here, so nothing that a stranger wrote can move the
//! cursor, change colors, reverse the direction of the text or add a line.

use std::fmt;

use operations::{is_unsafe, push_escaped};
use serde_json::Value;

/// Lines of text without control and bidirectional characters. `writeln!` adds one line.
#[derive(Debug, Default)]
pub(crate) struct Text(String);

impl Text {
    /// Creates a text of one line.
    pub(crate) fn of_line(line: &str) -> Self {
        let mut text = Self::default();
        text.push_line(line);
        text
    }

    /// Creates the text of a JSON value, as `--json` prints it. JSON escapes most control characters; the others and the
    /// bidirectional characters, which occur only in its strings, are escaped in the same way.
    pub(crate) fn of_json(value: &Value) -> Self {
        let json = format!("{value:#}");
        let mut text = String::with_capacity(json.len() + 1);
        for character in json.chars() {
            match character {
                '\n' => text.push('\n'),
                _ if is_unsafe(character) => text.push_str(&format!("\\u{:04x}", u32::from(character))),
                _ => text.push(character),
            }
        }
        text.push('\n');
        Self(text)
    }

    /// Adds the lines of a text.
    pub(crate) fn push(&mut self, text: &Self) {
        self.0.push_str(&text.0);
    }

    /// Adds one line. A line break in it is escaped.
    pub(crate) fn push_line(&mut self, line: &str) {
        push_escaped(&mut self.0, line, false);
        self.0.push('\n');
    }

    /// Takes all lines.
    pub(crate) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The target of `writeln!`: adds one line. Do not use `write!`, because the end of its text is no end of a line.
    pub(crate) fn write_fmt(&mut self, line: fmt::Arguments<'_>) -> fmt::Result {
        let line = line.to_string();
        self.push_line(line.strip_suffix('\n').unwrap_or(&line));
        Ok(())
    }
}

/// Escapes a message for standard error, which may have several lines.
pub(crate) fn escape_message(message: &str) -> String {
    let mut escaped = String::with_capacity(message.len());
    push_escaped(&mut escaped, message, true);
    escaped
}

#[cfg(test)]
mod tests {
    use super::{Text, escape_message};
    use serde_json::{Value, json};

    const HOSTILE: &str = "\u{1b}[31mred\u{9b}0m\r\n\u{202e}gpj\u{2066}\u{2028}\u{7f}\u{61c} caf\u{e9} \u{1f600}\n";

    #[test]
    fn a_line_stays_one_line_without_control_and_bidirectional_characters() {
        let mut text = Text::of_line(HOSTILE);
        writeln!(text, "  {HOSTILE}").unwrap();
        writeln!(text).unwrap();
        insta::assert_snapshot!(text.as_str(), @r"
        \u{1b}[31mred\u{9b}0m\r\n\u{202e}gpj\u{2066}\u{2028}\u{7f}\u{61c} café 😀\n
          \u{1b}[31mred\u{9b}0m\r\n\u{202e}gpj\u{2066}\u{2028}\u{7f}\u{61c} café 😀\n
        ");
        assert_eq!(escape_message("a\n\u{202e}b\u{1b}"), "a\n\\u{202e}b\\u{1b}");
    }

    #[test]
    fn json_is_escaped_and_reads_the_same() {
        let value = json!({HOSTILE: [HOSTILE]});
        let text = Text::of_json(&value);
        assert!(
            !text.as_str().contains(|c: char| c != '\n' && super::is_unsafe(c)),
            "{text:?}"
        );
        assert_eq!(serde_json::from_str::<Value>(text.as_str()).unwrap(), value);
    }
}
