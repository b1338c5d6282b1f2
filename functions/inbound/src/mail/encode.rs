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

/// Octets in an unknown character set as encoded words (RFC 1428), so that none is lost.
pub(super) fn encode_unknown(octets: &[u8]) -> String {
    // RFC 2047 allows 75 characters. `=?unknown-8bit?Q?` and `?=` leave 56: 18 octets of 3 characters.
    const OCTETS: usize = 18;
    let word = |chunk: &[u8]| {
        let text = chunk.iter().fold(String::new(), |mut text, byte| {
            match byte {
                b' ' => text.push('_'),
                byte if byte.is_ascii_alphanumeric() => text.push(char::from(*byte)),
                byte => text.push_str(&format!("={byte:02X}")),
            }
            text
        });
        format!("=?unknown-8bit?Q?{text}?=")
    };
    let words: Vec<String> = octets.chunks(OCTETS).map(word).collect();
    words.join(" ")
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
