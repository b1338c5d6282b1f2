//! The header block: found and split without changing a byte.
//!
//! - A line ends with LF, with or without CR before it. A CR alone ends a line only in a block that has no LF at all
//!   (old Macintosh mail); elsewhere it is a character of the line, so that no header can be smuggled in behind one.
//! - A line that begins with a space or tab continues the field before it, also one of nothing but spaces.
//! - A first line `From ...` or `>From ...` is a mailbox file's and belongs to nobody.
//! - The block ends at the first empty line, or at the first line that is no field: that one is the body's first, as
//!   Postfix has it, so that nothing below it can ever be a header.

use super::{Limits, text};

/// The header block of a mail, and where its body begins.
#[derive(Clone)]
pub struct Head<'a> {
    raw: &'a [u8],
    fields: Vec<Field<'a>>,
    body_offset: usize,
}

/// One field as it was written.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    name: &'a str,
    value: &'a [u8],
}

/// Why a header block was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// Only the beginning of the mail was given, and the header block goes on behind it.
    #[error("the header block does not end within the part of the mail that was read")]
    Incomplete,
    /// More octets than [`Limits::header_bytes`].
    #[error("the header block is longer than {limit} octets")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// More fields than [`Limits::header_fields`].
    #[error("the header block has more than {limit} fields")]
    TooManyFields {
        /// The limit.
        limit: usize,
    },
}

impl<'a> Head<'a> {
    /// Reads the header block of a whole mail. An empty mail, or one without any field, is a mail with an empty block.
    ///
    /// # Errors
    /// When the block exceeds the limits.
    pub fn parse(mail: &'a [u8], limits: &Limits) -> Result<Self, HeadError> {
        scan(mail, limits, true)
    }

    /// Reads the header block from the beginning of a mail: a ranged read, for example.
    ///
    /// # Errors
    /// When the block exceeds the limits, or does not end within `beginning`.
    pub fn parse_beginning(beginning: &'a [u8], limits: &Limits) -> Result<Self, HeadError> {
        scan(beginning, limits, false)
    }

    /// Where the body begins: behind the empty line.
    #[must_use]
    pub fn body_offset(&self) -> usize {
        self.body_offset
    }

    /// The header block, with the empty line.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.raw
    }

    /// The fields in their order.
    #[must_use]
    pub fn fields(&self) -> &[Field<'a>] {
        &self.fields
    }

    /// The first field of a name, its case ignored.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| field.is(name))
    }

    /// All fields of a name, its case ignored.
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
    /// The name as written, without the spaces that some programs put before the colon.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Whether it is the field of that name, whatever its case.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// What stands behind the colon, folds included, without the last line end.
    #[must_use]
    pub fn raw_value(&self) -> &'a [u8] {
        self.value
    }

    /// The value in one line, encoded words as they are. No control characters; 8-bit text is UTF-8, else Windows-1252.
    #[must_use]
    pub fn unfolded(&self) -> String {
        text::unfold(self.value)
    }

    /// The value for people: in one line, encoded words decoded, control and direction characters removed afterwards.
    #[must_use]
    pub fn text(&self) -> String {
        text::decode(&self.unfolded())
    }
}

struct SendingStream<'a> {
    text: &'a [u8],
    next: usize,
}

/// Where the block stops being the block we may look at, and which octet ends its lines.
struct Scanner<'a> {
    bytes: &'a [u8],
    end: u8,
}

impl<'a> Scanner<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        // A mail with CR alone has none but these, so one LF anywhere in the window settles it.
        let end = if bytes.contains(&b'\n') || !bytes.contains(&b'\r') {
            b'\n'
        } else {
            b'\r'
        };
        Self { bytes, end }
    }

    /// The line at an offset, without its end. `None` behind the last one.
    fn line(&self, at: usize) -> Option<SendingStream<'a>> {
        let rest = self.bytes.get(at..).filter(|rest| !rest.is_empty())?;
        match rest.iter().position(|byte| *byte == self.end) {
            Some(length) => {
                let text = rest.get(..length).unwrap_or_default();
                Some(SendingStream {
                    text: text.strip_suffix(b"\r").unwrap_or(text),
                    next: at + length + 1,
                })
            }
            None => Some(SendingStream {
                text: rest,
                next: self.bytes.len(),
            }),
        }
    }

    /// Whether the line before this offset was ended by a line end, not by the end of the bytes.
    fn is_ended(&self, next: usize) -> bool {
        next.checked_sub(1).and_then(|last| self.bytes.get(last)) == Some(&self.end)
    }
}

fn scan<'a>(mail: &'a [u8], limits: &Limits, whole: bool) -> Result<Head<'a>, HeadError> {
    // One octet more than allowed tells a block that just fits from one that does not.
    let window = mail.get(..limits.header_bytes.saturating_add(1)).unwrap_or(mail);
    let beyond = || {
        if window.len() > limits.header_bytes {
            HeadError::TooLong {
                limit: limits.header_bytes,
            }
        } else {
            HeadError::Incomplete
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
                return Err(HeadError::TooManyFields {
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
    let fields = fields
        .into_iter()
        .map(|(name, start, end)| Field {
            name,
            value: window.get(start..end).unwrap_or_default(),
        })
        .collect();
    Ok(Head {
        raw: window.get(..body_offset).unwrap_or_default(),
        fields,
        body_offset,
    })
}

/// The name of the field a line begins, and where its colon is.
fn field_name(line: &[u8]) -> Option<(&str, usize)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = line.get(..colon)?.trim_ascii_end();
    let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    Some((std::str::from_utf8(name).ok().filter(|_| is_name)?, colon))
}
