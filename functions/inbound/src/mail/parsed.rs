//! The content of a mail for a program: header fields, text, HTML and attachments.
//!
//! Unlike a forward, this walks the MIME tree, with mail-parser. The sender chooses the tree, so its size is limited before
//! it is built.

use std::borrow::Cow;

use mail_parser::{MessageParser, MessagePart, MimeHeaders, PartType};

use super::decode::{clean, truncate};
use super::{Field, HeaderBlock, HeaderError, Limits};

/// Nested multiparts and messages. Each may make the parser search the rest of the mail.
const MAX_NESTED: usize = 100;
/// Lines that may begin a part.
const MAX_DELIMITERS: usize = 5000;
const MAX_NAME_CHARS: usize = 200;
const MAX_TYPE_CHARS: usize = 100;
const MAX_HEADER_VALUE_CHARS: usize = 2000;

/// The content of a mail.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ParsedMail {
    /// The header fields in their order: name and decoded value.
    pub headers: Vec<(String, String)>,
    /// The parts of the body in plain text.
    pub text: Option<String>,
    /// The parts of the body in HTML, as the sender wrote them. They may contain scripts.
    pub html: Option<String>,
    /// All other parts.
    pub attachments: Vec<Attachment>,
}

/// A part of a mail that is not its body.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The file name, as the sender wrote it, without control characters. It may contain a path.
    pub name: Option<String>,
    /// The media type in lower case, such as `application/pdf`. The content may be something else.
    pub media_type: String,
    /// `Content-ID` without angle brackets. HTML refers to it with `cid:`.
    pub content_id: Option<String>,
    /// The content, without its transfer encoding.
    pub content: Vec<u8>,
}

/// Why a mail is not parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseMailError {
    /// The header block cannot be read.
    #[error("the header block cannot be read: {0}")]
    Header(#[from] HeaderError),
    /// The mail is larger than [`Limits::parsed_bytes`].
    #[error("the mail has more than {limit} octets")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The mail has more parts than [`Limits::parsed_parts`], or they are nested too deeply.
    #[error("the mail has more than {limit} parts, or they are nested too deeply")]
    TooManyParts {
        /// The limit.
        limit: usize,
    },
    /// The parser finds no mail.
    #[error("the mail has no MIME structure")]
    Unreadable,
}

/// Parses a mail.
///
/// # Errors
/// If the mail exceeds the limits.
pub fn parse(mail: &[u8], limits: &Limits) -> Result<ParsedMail, ParseMailError> {
    if mail.len() > limits.parsed_bytes {
        return Err(ParseMailError::TooLarge {
            limit: limits.parsed_bytes,
        });
    }
    let header = HeaderBlock::parse(mail, limits)?;
    let too_many = ParseMailError::TooManyParts {
        limit: limits.parsed_parts,
    };
    if !is_bounded(mail) {
        return Err(too_many);
    }
    let message = MessageParser::default().parse(mail).ok_or(ParseMailError::Unreadable)?;
    if message.parts.len() > limits.parsed_parts {
        return Err(too_many);
    }
    let text = |ids: &[u32], wanted: fn(&PartType<'_>) -> Option<String>| {
        let parts = ids
            .iter()
            .filter_map(|id| message.parts.get(usize::try_from(*id).ok()?));
        let texts: Vec<String> = parts.filter_map(|part| wanted(&part.body)).collect();
        (!texts.is_empty()).then(|| texts.join("\n"))
    };
    Ok(ParsedMail {
        headers: header.fields().iter().map(header_field).collect(),
        text: text(&message.text_body, |body| match body {
            PartType::Text(text) => Some(text.to_string()),
            _ => None,
        }),
        html: text(&message.html_body, |body| match body {
            PartType::Html(html) => Some(html.to_string()),
            _ => None,
        }),
        attachments: message.attachments().map(attachment).collect(),
    })
}

fn header_field(field: &Field<'_>) -> (String, String) {
    (field.name().to_owned(), truncate(&field.text(), MAX_HEADER_VALUE_CHARS))
}

fn attachment(part: &MessagePart<'_>) -> Attachment {
    let media_type = part.content_type().map(|media| {
        let subtype = media.subtype().unwrap_or("octet-stream");
        truncate(&clean(&format!("{}/{subtype}", media.ctype())), MAX_TYPE_CHARS).to_ascii_lowercase()
    });
    let content = match &part.body {
        PartType::Message(message) => Cow::Borrowed(message.raw_message.as_ref()),
        _ => Cow::Borrowed(part.contents()),
    };
    Attachment {
        name: part
            .attachment_name()
            .map(|name| truncate(&clean(name), MAX_NAME_CHARS)),
        media_type: media_type.unwrap_or_else(|| "text/plain".to_owned()),
        content_id: part.content_id().map(|id| truncate(&clean(id), MAX_NAME_CHARS)),
        content: content.into_owned(),
    }
}

/// Whether the tree is small enough to be built. The parser keeps each part in memory, and releases nested messages
/// recursively.
fn is_bounded(mail: &[u8]) -> bool {
    let (mut delimiters, mut nested) = (0, 0);
    for line in mail.split(|byte| *byte == b'\n') {
        delimiters += usize::from(line.starts_with(b"--"));
        // A longer line is no field.
        if line.len() <= 1000 && line.contains(&b'/') {
            let line = line.to_ascii_lowercase();
            nested += usize::from(contains(&line, b"multipart/"));
            nested += usize::from(contains(&line, b"/rfc822") || contains(&line, b"/global"));
        }
        if delimiters > MAX_DELIMITERS || nested > MAX_NESTED {
            return false;
        }
    }
    true
}

fn contains(line: &[u8], word: &[u8]) -> bool {
    line.windows(word.len()).any(|window| window == word)
}
