//! Parameters of MIME fields: `text/plain; charset=utf-8`.
//!
//! SES rejects a mail with parameters that RFC 2045 does not allow, although every mail program reads them.

/// How the text of a MIME field is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextCharset {
    /// The text was read.
    Utf8,
    /// Each character stands for one octet in an unknown character set.
    Unknown8Bit,
}

/// Encodes parameters with 8-bit text by RFC 2231: `filename="Ü.pdf"` becomes `filename*=utf-8''%C3%9C.pdf`.
pub(super) fn encode_parameters(line: &str, charset: TextCharset) -> String {
    split_parameters(line)
        .into_iter()
        .map(|part| match part.split_once('=') {
            Some((name, value)) if !value.is_ascii() && name.is_ascii() => {
                let value = value
                    .trim()
                    .trim_matches('"')
                    .replace("\\\"", "\"")
                    .replace("\\\\", "\\");
                let name = name.trim_end().trim_end_matches('*');
                match charset {
                    TextCharset::Utf8 => format!("{name}*=utf-8''{}", percent_encode(value.bytes())),
                    TextCharset::Unknown8Bit => {
                        let octets = value.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'));
                        format!("{name}*=unknown-8bit''{}", percent_encode(octets))
                    }
                }
            }
            _ => part.replace(|c: char| !c.is_ascii(), "_"),
        })
        .collect::<Vec<_>>()
        .join(";")
}

/// Corrects parameters that SES rejects: one without a value is dropped, and a value with spaces is quoted. `None` if there
/// are none.
pub(super) fn repair_parameters(line: &str) -> Option<String> {
    let mut parts = split_parameters(line).into_iter();
    let mut repaired = parts.next().unwrap_or_default().trim_end().to_owned();
    let mut is_changed = false;
    for part in parts {
        // A semicolon at the end is common, and SES accepts it.
        if part.trim().is_empty() {
            continue;
        }
        match repair_parameter(part.trim()) {
            Repair::Keep => repaired.push_str(&format!(";{part}")),
            Repair::Replace(text) => {
                repaired.push_str(&format!("; {text}"));
                is_changed = true;
            }
            Repair::Drop => is_changed = true,
        }
    }
    is_changed.then_some(repaired)
}

enum Repair {
    Keep,
    Replace(String),
    Drop,
}

fn repair_parameter(part: &str) -> Repair {
    let Some((name, value)) = part.split_once('=') else {
        return Repair::Drop;
    };
    let (name, value) = (name.trim(), value.trim());
    let is_name = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_graphic() && !"()<>@,;:\\\"/[]?=".contains(c));
    if !is_name || value.is_empty() {
        return Repair::Drop;
    }
    let value = without_comment(value);
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) if value.len() >= 2 && is_quotable(inner) => Repair::Keep,
        None if !value.contains(char::is_whitespace) && !value.contains(['"', '\\']) => Repair::Keep,
        _ => {
            let text = value.trim_matches('"').replace(['"', '\\'], "");
            Repair::Replace(format!("{name}=\"{text}\""))
        }
    }
}

/// Whether a text between quotes has no quote of its own.
fn is_quotable(inner: &str) -> bool {
    let mut escaped = false;
    for c in inner.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return false,
            _ => {}
        }
    }
    !escaped
}

/// `utf-8 (a comment)` is the value `utf-8`.
fn without_comment(value: &str) -> &str {
    match value.split_once(" (") {
        Some((before, comment)) if comment.ends_with(')') && !before.contains(['"', ' ']) => before.trim_end(),
        _ => value,
    }
}

/// Splits at semicolons outside quotes.
fn split_parameters(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                parts.extend(line.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(line.get(start..));
    parts
}

fn percent_encode(octets: impl Iterator<Item = u8>) -> String {
    octets.fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::repair_parameters;

    #[test]
    fn only_parameters_that_ses_rejects_are_changed() {
        let cases = [
            ("text/plain; charset", Some("text/plain")),
            ("text/plain; charset=; format=flowed", Some("text/plain; format=flowed")),
            (
                "application/pdf; name=my file.pdf",
                Some("application/pdf; name=\"my file.pdf\""),
            ),
            ("a/b; name=\"x;y\"; =z", Some("a/b; name=\"x;y\"")),
            ("a/b; name=\"open", Some("a/b; name=\"open\"")),
            ("a/b; name=\"a\"b\"", Some("a/b; name=\"ab\"")),
            ("text/plain; charset=utf-8", None),
            ("text/plain; charset=utf-8;", None),
            ("text/plain; charset=us-ascii (plain text)", None),
            ("multipart/mixed; boundary=----=_Part_1", None),
            ("a/b; name=\"my file \\\"1\\\".pdf\"", None),
            ("a/b; name*=utf-8''%C3%9C.pdf", None),
        ];
        for (line, expected) in cases {
            assert_eq!(repair_parameters(line).as_deref(), expected, "{line}");
        }
    }
}
