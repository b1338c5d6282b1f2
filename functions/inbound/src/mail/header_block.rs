//! Splits the header block of a mail into fields without changing a byte.
//!
//! - A line ends with LF, with or without CR before it. CR alone ends a line only in a block without any LF (old Macintosh
//!   mail); elsewhere it is part of the line, so that a sender cannot hide a header field behind one.
//! - A line that begins with a space or tab continues the field before it, even if it has nothing but spaces.
//! - A first line `From ...` or `>From ...` comes from an mbox file and is skipped.
//! - The block ends at the first empty line, or at the first line that is not a field. Such a line is the first line of the
//!   body, as in Postfix, so that no later line becomes a header field.

use super::Limits;
use super::charset;
use super::decode::{Decoder, decode, unfold};

/// The header block of a mail, and the offset of the body.
#[derive(Clone)]
pub struct HeaderBlock<'a> {
    raw: &'a [u8],
    fields: Vec<Field<'a>>,
    body_offset: usize,
}

/// One header field in its original bytes.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    name: &'a str,
    value: &'a [u8],
    /// Decodes the character set that the mail declares, if the header block is not UTF-8.
    declared: Option<Decoder>,
}

/// Why a header block cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Only the beginning of the mail was given, and the header block continues after it.
    #[error("the header block does not end within the part of the mail that was read")]
    Incomplete,
    /// The block has more octets than [`Limits::header_bytes`].
    #[error("the header block is longer than {limit} octets")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// The block has more fields than [`Limits::header_fields`].
    #[error("the header block has more than {limit} fields")]
    TooManyFields {
        /// The limit.
        limit: usize,
    },
}

impl<'a> HeaderBlock<'a> {
    /// Parses the header block of a whole mail. A mail without any field has an empty block.
    ///
    /// # Errors
    /// If the block exceeds the limits.
    pub fn parse(mail: &'a [u8], limits: &Limits) -> Result<Self, HeaderError> {
        scan(mail, limits, true)
    }

    /// Parses the header block from the beginning of a mail, for example from a ranged read.
    ///
    /// # Errors
    /// If the block exceeds the limits, or does not end within `beginning`.
    pub fn parse_beginning(beginning: &'a [u8], limits: &Limits) -> Result<Self, HeaderError> {
        scan(beginning, limits, false)
    }

    /// The offset of the body: after the empty line.
    #[must_use]
    pub fn body_offset(&self) -> usize {
        self.body_offset
    }

    /// The header block, including the empty line.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.raw
    }

    /// The fields in their original order.
    #[must_use]
    pub fn fields(&self) -> &[Field<'a>] {
        &self.fields
    }

    /// The first field of a name. Names are compared without regard to case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| field.is(name))
    }

    /// All fields of a name. Names are compared without regard to case.
    pub fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b Field<'a>> {
        self.fields.iter().filter(move |field| field.is(name))
    }

    /// The first field of a name, decoded as in [`Field::text`].
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(Field::text)
    }
}

impl<'a> Field<'a> {
    /// The name in its original case, without spaces before the colon.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Whether the field has this name. Case is ignored.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The bytes after the colon, including folds, without the last line end.
    #[must_use]
    pub fn raw_value(&self) -> &'a [u8] {
        self.value
    }

    /// The value in one line without control characters. Encoded words stay encoded; 8-bit text is read as UTF-8, else in the
    /// character set that the mail declares.
    #[must_use]
    pub fn unfolded(&self) -> String {
        unfold(self.value, self.declared)
    }

    /// Whether the value has octets in an unknown character set, which [`unfolded`](Self::unfolded) replaces.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        self.declared.is_none() && std::str::from_utf8(self.value).is_err()
    }

    /// The value in one line for display: encoded words are decoded, then control and direction characters are removed.
    #[must_use]
    pub fn text(&self) -> String {
        decode(&self.unfolded())
    }
}

struct Line<'a> {
    text: &'a [u8],
    next: usize,
}

/// Finds lines in the bytes that may be read.
struct Scanner<'a> {
    bytes: &'a [u8],
    end: u8,
}

impl<'a> Scanner<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        // A mail with CR line ends has no LF at all.
        let end = if bytes.contains(&b'\n') || !bytes.contains(&b'\r') {
            b'\n'
        } else {
            b'\r'
        };
        Self { bytes, end }
    }

    /// The line at an offset, without its line end. `None` after the last line.
    fn line(&self, at: usize) -> Option<Line<'a>> {
        let rest = self.bytes.get(at..).filter(|rest| !rest.is_empty())?;
        match rest.iter().position(|byte| *byte == self.end) {
            Some(length) => {
                let text = rest.get(..length).unwrap_or_default();
                Some(Line {
                    text: text.strip_suffix(b"\r").unwrap_or(text),
                    next: at + length + 1,
                })
            }
            None => Some(Line {
                text: rest,
                next: self.bytes.len(),
            }),
        }
    }

    /// Whether the line before this offset has a line end.
    fn is_ended(&self, next: usize) -> bool {
        next.checked_sub(1).and_then(|last| self.bytes.get(last)) == Some(&self.end)
    }
}

fn scan<'a>(mail: &'a [u8], limits: &Limits, whole: bool) -> Result<HeaderBlock<'a>, HeaderError> {
    // One octet more than the limit shows whether the block fits.
    let window = mail.get(..limits.header_bytes.saturating_add(1)).unwrap_or(mail);
    let beyond = || {
        if window.len() > limits.header_bytes {
            HeaderError::TooLong {
                limit: limits.header_bytes,
            }
        } else {
            HeaderError::Incomplete
        }
    };
    let is_all = whole && window.len() == mail.len() && window.len() <= limits.header_bytes;
    let scanner = Scanner::new(window);
    let mut fields: Vec<(&'a str, usize, usize)> = Vec::new();
    let mut at = 0;
    let body_offset = loop {
        let Some(line) = scanner.line(at) else {
            if is_all {
                break window.len();
            }
            return Err(beyond());
        };
        if !scanner.is_ended(line.next) && !is_all {
            return Err(beyond());
        }
        if line.text.is_empty() {
            break line.next;
        }
        let line_end = at + line.text.len();
        if at == 0 && (line.text.starts_with(b"From ") || line.text.starts_with(b">From ")) {
            at = line.next;
            continue;
        }
        if let ([b' ' | b'\t', ..], Some((_, _, end))) = (line.text, fields.last_mut()) {
            *end = line_end;
        } else if let Some((name, colon)) = field_name(line.text) {
            if fields.len() == limits.header_fields {
                return Err(HeaderError::TooManyFields {
                    limit: limits.header_fields,
                });
            }
            fields.push((name, at + colon + 1, line_end));
        } else {
            break at;
        }
        at = line.next;
    };
    if body_offset > limits.header_bytes {
        return Err(beyond());
    }
    let raw = window.get(..body_offset).unwrap_or_default();
    let value = |start: usize, end: usize| window.get(start..end).unwrap_or_default();
    let declared = match std::str::from_utf8(raw) {
        Ok(_) => None,
        Err(_) => {
            let content_type = fields
                .iter()
                .find(|(name, ..)| name.eq_ignore_ascii_case("Content-Type"));
            let content_type = content_type.map(|(_, start, end)| value(*start, *end));
            charset::declared(content_type, mail.get(body_offset..).unwrap_or_default())
        }
    };
    let fields = fields.into_iter().map(|(name, start, end)| Field {
        name,
        value: value(start, end),
        declared,
    });
    Ok(HeaderBlock {
        raw,
        fields: fields.collect(),
        body_offset,
    })
}

/// The field name at the beginning of a line, and the offset of the colon.
fn field_name(line: &[u8]) -> Option<(&str, usize)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = line.get(..colon)?.trim_ascii_end();
    let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    Some((std::str::from_utf8(name).ok().filter(|_| is_name)?, colon))
}
