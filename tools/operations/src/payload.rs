//! Files with SES messages: one or more events, each in any layer of envelopes.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use intake::{Batch, ShapeError};
use notification_model::ParseError;
use serde_json::{Deserializer, Value, json};

/// A part of a file.
#[derive(Debug)]
pub struct Input {
    /// The file and the line on which the part starts: `bounce.json:1`.
    pub position: String,
    /// The records of the part.
    pub batch: Batch,
    /// Whether the part is a Lambda event. Everything else becomes the body of an SQS record.
    is_lambda_event: bool,
}

/// Reads a file, or standard input for `-`: a JSON value, several JSON values (such as JSON lines), or a message in plain
/// text. The elements of an array are parts of their own.
///
/// # Errors
/// If the file cannot be read or has no messages.
pub fn read_inputs(file: &Path) -> anyhow::Result<Vec<Input>> {
    let name = match file.as_os_str() == "-" {
        true => "standard input".to_owned(),
        false => file.display().to_string(),
    };
    inputs_of(&name, read_bytes(file).with_context(|| name.clone())?)
}

/// Reads the content of a file with this name, or a pasted text, as [`read_inputs`] does.
///
/// # Errors
/// If the content has no messages.
pub fn inputs_of(name: &str, content: Vec<u8>) -> anyhow::Result<Vec<Input>> {
    let text = decode(content).with_context(|| name.to_owned())?;
    let mut inputs = Vec::new();
    for (line, value) in parse_values(&text).map_err(|(line, problem)| anyhow!("{name}:{line}: {problem}"))? {
        let position = format!("{name}:{line}");
        let parts = parts(&value).with_context(|| position.clone())?;
        inputs.extend(parts.into_iter().map(|(batch, is_lambda_event)| Input {
            position: position.clone(),
            batch,
            is_lambda_event,
        }));
    }
    Ok(inputs)
}

impl Input {
    /// Returns the error of an envelope, without the path of an SQS record that is not in the file.
    #[must_use]
    pub fn shape_error(&self, error: &ShapeError) -> String {
        let inner = error.path.split_once(".body");
        match inner.filter(|_| !self.is_lambda_event) {
            Some((_, path)) => match path.trim_start_matches('.') {
                "" => error.problem.clone(),
                path => format!("{path}: {}", error.problem),
            },
            None => error.to_string(),
        }
    }

    /// Returns whether the input cannot be a message that SES sent. A function that receives such a record fails it, but
    /// outside a Lambda event it is more likely that the wrong file was given.
    #[must_use]
    pub fn is_wrong_file(&self, error: &ParseError) -> bool {
        !self.is_lambda_event && matches!(error, ParseError::NotJson { .. } | ParseError::NotFromSes)
    }
}

fn read_bytes(file: &Path) -> std::io::Result<Vec<u8>> {
    if file.as_os_str() != "-" {
        return std::fs::read(file);
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Decodes UTF-8, with or without a byte order mark, and UTF-16 with one, which PowerShell writes.
fn decode(bytes: Vec<u8>) -> anyhow::Result<String> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (units, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = units.iter().copied().map(unit).collect();
        String::from_utf16(&units)
            .ok()
            .filter(|_| rest.is_empty())
            .context("not valid UTF-16")
    };
    match bytes.as_slice() {
        [0xff, 0xfe, text @ ..] => utf16(text, u16::from_le_bytes),
        [0xfe, 0xff, text @ ..] => utf16(text, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, text @ ..] => Ok(std::str::from_utf8(text).context("not UTF-8")?.to_owned()),
        _ => String::from_utf8(bytes).context("not UTF-8"),
    }
}

/// Returns the JSON values with the lines on which they start. An error has the line of the problem.
fn parse_values(text: &str) -> Result<Vec<(usize, Value)>, (usize, String)> {
    if text.trim().is_empty() {
        return Err((
            1,
            "empty: expected an SNS message, a Lambda event or an SES JSON".to_owned(),
        ));
    }
    if !text.trim_start().starts_with(['{', '[', '"']) {
        let start = text.len() - text.trim_start().len();
        return Ok(vec![(line_of(text, start), Value::String(text.trim().to_owned()))]);
    }
    let mut values = Vec::new();
    let mut stream = Deserializer::from_str(text).into_iter::<Value>();
    loop {
        let rest = text.get(stream.byte_offset()..).unwrap_or_default();
        let start = text.len() - rest.trim_start().len();
        match stream.next() {
            None => return Ok(values),
            Some(Ok(value)) => values.push((line_of(text, start), value)),
            Some(Err(error)) => {
                let first = line_of(text, start);
                let (line, error) = match broken_json_line(rest) {
                    Some(error) => (first, error),
                    None => (error.line(), error),
                };
                return Err((line, format!("expected valid JSON: {}", syntax_problem(&error))));
            }
        }
    }
}

/// Returns the error of the first line if the text after it continues with a complete JSON value, as in JSON lines. The
/// parser finds the end of a line that was cut off only somewhere in the next one.
fn broken_json_line(text: &str) -> Option<serde_json::Error> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let error = serde_json::from_str::<Value>(lines.next()?).err()?;
    let next = lines.next()?.trim_start();
    let is_value = next.starts_with('{') && serde_json::from_str::<Value>(next).is_ok();
    is_value.then_some(error)
}

/// The message of a syntax error with its column. The line is that of the position.
fn syntax_problem(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = message
        .rsplit_once(" at line ")
        .map_or(message.as_str(), |(message, _)| message);
    format!("{message} at column {}", error.column())
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// The batches in a JSON value, each with whether it is a Lambda event.
fn parts(value: &Value) -> anyhow::Result<Vec<(Batch, bool)>> {
    if let Value::Array(values) = value {
        let mut all = Vec::new();
        for value in values {
            all.extend(parts(value)?);
        }
        return Ok(all);
    }
    let is_event_bridge = value.get("detail-type").is_some() && value.get("id").is_some();
    if value.get("Records").is_some() || is_event_bridge {
        return Ok(vec![(Batch::from_event(value)?, true)]);
    }
    let bodies = message_bodies(value);
    if bodies.is_empty() {
        bail!("no messages");
    }
    let record = |(index, body): (usize, &String)| json!({"eventSource": "aws:sqs", "messageId": format!("message {}", index + 1), "body": body});
    let records: Vec<Value> = bodies.iter().enumerate().map(record).collect();
    Ok(vec![(Batch::from_event(&json!({"Records": records}))?, false)])
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
    // An SNS message is recognized in a body by `Type` and `TopicArn`. The SNS record of a Lambda event has no `Type`, and a
    // message that was copied in parts may have neither.
    let text = inner.as_str().and_then(|text| serde_json::from_str(text).ok());
    let message = text.as_ref().unwrap_or(inner);
    let is_envelope = message.get("TopicArn").is_some() && message.get("Type").is_some();
    let inner = match message.get("Message").filter(|_| !is_envelope) {
        Some(message) => message,
        None => inner,
    };
    vec![inner.as_str().map_or_else(|| inner.to_string(), str::to_owned)]
}
