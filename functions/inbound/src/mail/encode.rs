//! Header fields in the form that SES accepts: quoted, encoded and folded.

/// Preferred and maximum length of a written line.
const PREFERRED_LINE_OCTETS: usize = 78;
const MAX_LINE_OCTETS: usize = 990;

/// Text for an unstructured field: ASCII unchanged, else encoded words. Text that looks like an encoded word is encoded as
/// well, so that a mail program does not decode it.
pub(super) fn encode(text: &str) -> String {
    if text.is_ascii() && !text.contains("=?") {
        return text.to_owned();
    }
    encoded_words(text)
}

/// A display name with its address: `"Jane Doe" <jane@example.com>`.
pub(super) fn encode_mailbox(name: Option<&str>, address: &str) -> String {
    match name.filter(|name| !name.is_empty()) {
        None => address.to_owned(),
        Some(name) if name.is_ascii() && !name.contains("=?") => {
            format!("\"{}\" <{address}>", name.replace('\\', "\\\\").replace('"', "\\\""))
        }
        Some(name) => format!("{} <{address}>", encoded_words(name)),
    }
}

fn encoded_words(text: &str) -> String {
    // RFC 2047 allows 75 characters. `=?UTF-8?B?` and `?=` leave 63: 60 characters of base64, which hold 45 octets.
    const OCTETS: usize = 45;
    let mut words = Vec::new();
    let mut chunk = String::new();
    for c in text.chars() {
        if chunk.len() + c.len_utf8() > OCTETS {
            words.push(encoded_word(&chunk));
            chunk.clear();
        }
        chunk.push(c);
    }
    if !chunk.is_empty() {
        words.push(encoded_word(&chunk));
    }
    words.join(" ")
}

fn encoded_word(chunk: &str) -> String {
    format!("=?UTF-8?B?{}?=", data_encoding::BASE64.encode(chunk.as_bytes()))
}

/// Encodes parameters with 8-bit text by RFC 2231: `filename="Ü.pdf"` becomes `filename*=utf-8''%C3%9C.pdf`.
pub(super) fn encode_parameters(line: &str) -> String {
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
                format!("{name}*=utf-8''{}", percent_encode(&value))
            }
            _ => part.replace(|c: char| !c.is_ascii(), "_"),
        })
        .collect::<Vec<_>>()
        .join(";")
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

fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

/// Writes a field, folded at spaces. For any value, the lines are printable ASCII within SES's line limit, and no line begins
/// another field.
pub(super) fn push_field(out: &mut Vec<u8>, name: &str, value: &str) {
    let value: String = value
        .chars()
        .map(|c| match c {
            '\t' => ' ',
            c if c.is_ascii_graphic() || c == ' ' => c,
            c if c.is_control() => ' ',
            // `?` could begin or end an encoded word.
            _ => '_',
        })
        .collect();
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b":");
    let mut length = name.len() + 1;
    let mut is_first = true;
    for word in words(value.trim()) {
        if !is_first && length + word.len() > PREFERRED_LINE_OCTETS {
            out.extend_from_slice(b"\r\n");
            length = 0;
        }
        if is_first {
            out.push(b' ');
            length += 1;
        }
        is_first = false;
        for (index, piece) in word
            .as_bytes()
            .chunks(MAX_LINE_OCTETS - PREFERRED_LINE_OCTETS * 2)
            .enumerate()
        {
            if index > 0 {
                out.extend_from_slice(b"\r\n ");
                length = 1;
            }
            out.extend_from_slice(piece);
            length += piece.len();
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// The words of a line, each with the spaces before it. Joined, they are the line.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let spaces = rest.len() - rest.trim_start_matches(' ').len();
        let end = rest
            .get(spaces..)?
            .find(' ')
            .map_or(rest.len(), |length| spaces + length);
        let (word, behind) = rest.split_at_checked(end)?;
        rest = behind;
        (!word.is_empty()).then_some(word)
    })
}
