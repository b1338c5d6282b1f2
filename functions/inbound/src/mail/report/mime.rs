//! The MIME structure of a report: its parts, their content, and the field groups of a delivery status.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;

use crate::mail::decode::content_type;
use crate::mail::{Field, HeaderBlock, HeaderError, Limits};

/// The boundary of a `multipart/report`; `None` for any other content type.
pub(super) fn report_boundary(header: &HeaderBlock<'_>) -> Option<String> {
    let content_type = content_type(&header.get("Content-Type")?.unfolded())?;
    let is_report = content_type.ctype() == "multipart" && content_type.subtype() == Some("report");
    let boundary = content_type
        .attribute("boundary")
        .filter(|boundary| !boundary.is_empty())?;
    is_report.then(|| boundary.to_owned())
}

/// The content type of a part in lower case, without parameters: `message/rfc822`.
pub(super) fn media_type(header: &HeaderBlock<'_>) -> String {
    header
        .get("Content-Type")
        .and_then(|field| content_type(&field.unfolded()))
        .map(|media| format!("{}/{}", media.ctype(), media.subtype().unwrap_or_default()).to_ascii_lowercase())
        .unwrap_or_default()
}

/// Decodes the transfer encoding of a part. Content with an unknown or invalid encoding is returned unchanged.
pub(super) fn decode_content<'a>(header: &HeaderBlock<'_>, content: &'a [u8]) -> Cow<'a, [u8]> {
    let encoding = header
        .get("Content-Transfer-Encoding")
        .map(Field::unfolded)
        .unwrap_or_default();
    let decoded = match encoding.to_ascii_lowercase().as_str() {
        "base64" => base64_decode(content),
        "quoted-printable" => quoted_printable_decode(content),
        _ => None,
    };
    decoded.map_or(Cow::Borrowed(content), Cow::Owned)
}

/// The parts of a body, at most `max_parts`. Text before the first boundary and after the last is ignored.
pub(super) fn parts<'a>(body: &'a [u8], boundary: &[u8], max_parts: usize) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut start = None;
    let mut at = 0;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let next = at + line.len();
        let delimiter = line.strip_prefix(b"--").and_then(|rest| rest.strip_prefix(boundary));
        let is_end = match delimiter.map(<[u8]>::trim_ascii) {
            Some(b"") => false,
            Some(b"--") => true,
            _ => {
                at = next;
                continue;
            }
        };
        parts.extend(start.and_then(|start| body.get(start..at)));
        start = (!is_end).then_some(next);
        if is_end || parts.len() == max_parts {
            return parts;
        }
        at = next;
    }
    parts.extend(start.and_then(|start| body.get(start..)));
    parts
}

/// The field groups of a delivery status, which are separated by empty lines: at most `max_groups` and one more.
pub(super) fn field_groups<'a>(
    content: &'a [u8],
    limits: &Limits,
    max_groups: usize,
) -> Result<Vec<HeaderBlock<'a>>, HeaderError> {
    let mut groups = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        let next = at + line.len();
        let is_empty = line.trim_ascii().is_empty();
        if is_empty || next == content.len() {
            let group = content.get(start..next).unwrap_or_default();
            if !group.trim_ascii().is_empty() {
                groups.push(HeaderBlock::parse(group, limits)?);
            }
            start = next;
        }
        if groups.len() > max_groups {
            break;
        }
        at = next;
    }
    Ok(groups)
}
