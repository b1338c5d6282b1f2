//! Header values as text: unfolded, decoded, and without characters that mislead a reader.

use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::parsers::MessageStream;
use mail_parser::{ContentType, HeaderValue};

/// Decodes bytes of one character set.
pub(super) type Decoder = fn(&[u8]) -> String;

/// Longer values are not decoded, because the decoder may scan the rest of a value again for every `=?`.
const MAX_DECODED_OCTETS: usize = 64 * 1024;
const MAX_ENCODED_WORDS: usize = 1000;

/// Reads 8-bit text as UTF-8, unencoded ISO-2022-JP, or else with the decoder of the character set that the mail declares.
/// Without one, octets that are not UTF-8 become U+FFFD: a guess would show wrong text.
fn to_string(bytes: &[u8], declared: Option<Decoder>) -> String {
    let decoder = match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains("\u{1b}$") => return text.to_owned(),
        Ok(_) => charset_decoder(b"iso-2022-jp"),
        Err(_) => declared,
    };
    match decoder {
        Some(decode) => decode(bytes),
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// A value in one line without control characters. Encoded words stay encoded. `declared` decodes the character set that the
/// mail declares.
pub(super) fn unfold(value: &[u8], declared: Option<Decoder>) -> String {
    let text = to_string(value, declared);
    let mut line = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' | '\n' if matches!(chars.peek(), Some(' ' | '\t' | '\r' | '\n')) => {}
            c if c.is_control() => line.push(' '),
            c => line.push(c),
        }
    }
    line.trim().to_owned()
}

/// A value for display. It is cleaned after decoding, because an encoded word can hold any character.
pub(super) fn decode(line: &str) -> String {
    clean(&decode_words(line).unwrap_or_else(|| line.to_owned()))
}

/// Whether encoded words in a line decode to control characters or line breaks.
pub(super) fn has_encoded_controls(line: &str) -> bool {
    line.contains("=?") && decode_words(line).is_none_or(|text| text.chars().any(is_line_breaking))
}

/// `None` if the line is too long or has too many encoded words.
fn decode_words(line: &str) -> Option<String> {
    if !is_decodable(line) {
        return None;
    }
    let line = format!("{}\n", line.replace(['\r', '\n'], " "));
    Some(match MessageStream::new(line.as_bytes()).parse_unstructured() {
        HeaderValue::Text(text) => text.into_owned(),
        _ => String::new(),
    })
}

pub(super) fn is_decodable(line: &str) -> bool {
    line.len() <= MAX_DECODED_OCTETS && line.matches("=?").count() <= MAX_ENCODED_WORDS
}

fn is_line_breaking(c: char) -> bool {
    (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Removes control characters, characters that change the text direction and zero-width characters; collapses white space.
pub(super) fn clean(text: &str) -> String {
    let visible = text.chars().filter(|c| {
        !matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
            | '\u{feff}' | '\u{61c}' | '\u{e0000}'..='\u{e007f}')
    });
    let mut cleaned = String::with_capacity(text.len());
    for c in visible {
        if !(c.is_control() || c.is_whitespace()) {
            cleaned.push(c);
        } else if !cleaned.ends_with(' ') {
            cleaned.push(' ');
        }
    }
    cleaned.trim().to_owned()
}

/// The first characters of a text, at most `chars`, with an ellipsis if it is longer.
pub(super) fn truncate(text: &str, chars: usize) -> String {
    if text.chars().nth(chars).is_none() {
        return text.to_owned();
    }
    let kept: String = text.chars().take(chars.saturating_sub(3)).collect();
    format!("{}...", kept.trim_end())
}

/// Parses a `Content-Type` value. `None` if it has no type.
pub(super) fn content_type(line: &str) -> Option<ContentType<'static>> {
    // A parameter lookup is linear, so the number of parameters is bounded.
    if line.len() > 16 * 1024 {
        return None;
    }
    let line = format!("{}\n", line.replace(['\r', '\n'], " "));
    match MessageStream::new(line.as_bytes()).parse_content_type().into_owned() {
        HeaderValue::ContentType(content_type) => Some(content_type),
        _ => None,
    }
}
