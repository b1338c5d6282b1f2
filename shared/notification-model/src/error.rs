//! Errors with the place and the expectation, without the payload.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

/// A text is not an SES message. The error can be logged, because it contains no payload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The text is neither JSON nor a known set-up message.
    #[error("not JSON (line {line}, column {column})")]
    NotJson {
        /// The line, starting at 1.
        line: usize,
        /// The column, starting at 1.
        column: usize,
    },
    /// The text is JSON without `notificationType`, `eventType` and `receipt`.
    #[error("expected notificationType, eventType or receipt: not a message from SES")]
    NotFromSes,
    /// A field is missing or has the wrong type.
    #[error("{path}: {problem}")]
    Invalid {
        /// The JSON path of the field. `.` is the root.
        path: String,
        /// What is expected there.
        problem: String,
    },
}

/// Returns the error of a text that could not be read, with its place.
pub(crate) fn locate<'de, T: Deserialize<'de>>(text: &'de str) -> ParseError {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let error = match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Err(error) => error,
        // The value is valid, so the error is in the text after it.
        Ok(_) => {
            return ParseError::Invalid {
                path: ".".to_owned(),
                problem: "expected one JSON value".to_owned(),
            };
        }
    };
    let path = safe_path(error.path());
    let inner = error.inner();
    match inner.classify() {
        Category::Data => ParseError::Invalid {
            path,
            problem: problem(&inner.to_string()),
        },
        Category::Io | Category::Syntax | Category::Eof => ParseError::NotJson {
            line: inner.line(),
            column: inner.column(),
        },
    }
}

/// Returns the error of a value at `path` that cannot be read, or `None` if it can be read.
pub(crate) fn of_value<T: DeserializeOwned>(value: &serde_json::Value, path: &str) -> Option<ParseError> {
    let error = serde_path_to_error::deserialize::<_, T>(value).err()?;
    let path = match safe_path(error.path()).as_str() {
        "." => path.to_owned(),
        inner => format!("{path}.{inner}"),
    };
    Some(ParseError::Invalid {
        path,
        problem: problem(&error.inner().to_string()),
    })
}

/// Returns the error of a text that does not start with `{`. (serde would read a list as the fields of an object in order.)
pub(crate) fn not_an_object(text: &str) -> ParseError {
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => ParseError::Invalid {
            path: ".".to_owned(),
            problem: "expected an object".to_owned(),
        },
        Err(error) => ParseError::NotJson {
            line: error.line(),
            column: error.column(),
        },
    }
}

/// Returns the path without the keys of `tags` and `linkTags`, which the sender chooses.
fn safe_path(path: &serde_path_to_error::Path) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            serde_path_to_error::Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            serde_path_to_error::Segment::Map { key } => {
                if text.ends_with("ags") {
                    text.push_str(".*");
                    continue;
                }
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            _ => {}
        }
    }
    if text.is_empty() { ".".to_owned() } else { text }
}

/// Returns the part of the message of serde that describes the expected type, without the part that quotes the payload
/// (`invalid type: string "...", expected a map at line 1 column 9`).
fn problem(message: &str) -> String {
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    if let Some((_, expected)) = message.rsplit_once(", expected ") {
        return match expected {
            "a sequence" => "expected a list".to_owned(),
            "a map" => "expected an object".to_owned(),
            _ if expected.starts_with("struct ") => "expected an object".to_owned(),
            _ => format!("expected {expected}"),
        };
    }
    let ours = ["missing field", "expected ", "duplicate field"]
        .iter()
        .any(|start| message.starts_with(start));
    if ours {
        message.to_owned()
    } else {
        "unexpected value".to_owned()
    }
}
