//! The character set of 8-bit header fields.
//!
//! Header fields with 8-bit text are UTF-8 (RFC 6532). Older programs write them in the character set of the body, which the
//! mail declares in `Content-Type`. Text in any other character set is not guessed.

use mail_parser::decoders::charsets::map::charset_decoder;

use super::decode::{Decoder, content_type, unfold};

/// How much of the body is searched for the declaration of the first part.
const SEARCHED_BODY_OCTETS: usize = 8 * 1024;

/// The decoder of the character set that a mail declares: in its `Content-Type`, else in that of its first parts.
pub(super) fn declared(content_type_field: Option<&[u8]>, body: &[u8]) -> Option<Decoder> {
    let value = unfold(content_type_field?, None);
    if let Some(decoder) = of_content_type(&value) {
        return Some(decoder);
    }
    let is_multipart = value
        .get(..10)
        .is_some_and(|start| start.eq_ignore_ascii_case("multipart/"));
    if !is_multipart {
        return None;
    }
    let body = body.get(..SEARCHED_BODY_OCTETS).unwrap_or(body);
    let mut lines = body.split(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        let Some(value) = content_type_value(line) else {
            continue;
        };
        let mut value = value.to_vec();
        while let Some(folded) = lines.next_if(|line| matches!(line, [b' ' | b'\t', ..])) {
            value.extend_from_slice(folded);
        }
        if let Some(decoder) = of_content_type(&unfold(&value, None)) {
            return Some(decoder);
        }
    }
    None
}

fn content_type_value(line: &[u8]) -> Option<&[u8]> {
    const NAME: &[u8] = b"content-type:";
    let (name, value) = line.split_at_checked(NAME.len())?;
    name.eq_ignore_ascii_case(NAME).then_some(value)
}

fn of_content_type(value: &str) -> Option<Decoder> {
    let content_type = content_type(value)?;
    let charset = content_type.attribute("charset")?.trim();
    // The text is not valid in these, or it would not need a decoder.
    let says_nothing = ["utf-8", "utf8", "us-ascii", "ascii"];
    if says_nothing.iter().any(|name| name.eq_ignore_ascii_case(charset)) {
        return None;
    }
    charset_decoder(charset.as_bytes())
}
