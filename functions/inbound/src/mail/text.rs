//! Header text: unfolded, decoded and cleaned for reading; quoted, encoded and folded for writing.

use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::parsers::MessageStream;
use mail_parser::{Addr, Address, ContentType, HeaderValue};
use notification_model::normalise_domain;

/// Longer values are not decoded: the decoder may read the rest of a value again for every `=?` in it.
const DECODED_OCTETS: usize = 64 * 1024;
const DECODED_WORDS: usize = 1000;

/// Where a written line should end, and where it must.
const GOOD_LINE: usize = 78;
const LONGEST_LINE: usize = 990;

/// Eight-bit text as a string: UTF-8, unencoded ISO-2022-JP, else Windows-1252.
pub(super) fn to_str(bytes: &[u8]) -> String {
    let charset: &[u8] = match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains("\u{1b}$") => return text.to_owned(),
        Ok(_) => b"iso-2022-jp",
        Err(_) => b"windows-1252",
    };
    match charset_decoder(charset) {
        Some(decode) => decode(bytes),
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// A value in one line, without control characters; encoded words stay.
pub(super) fn unfold(value: &[u8]) -> String {
    let text = to_str(value);
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

/// A value for people: encoded words decoded, and cleaned afterwards, because an encoded word can hold anything.
pub(super) fn decode(line: &str) -> String {
    clean(&decode_words(line).unwrap_or_else(|| line.to_owned()))
}

/// Whether encoded words in a line decode to control characters.
pub(super) fn hides_controls(line: &str) -> bool {
    line.contains("=?") && decode_words(line).is_none_or(|text| text.chars().any(is_line_breaking))
}

/// `None` when the line is too long, or has too many encoded words, for the decoder.
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

fn is_decodable(line: &str) -> bool {
    line.len() <= DECODED_OCTETS && line.matches("=?").count() <= DECODED_WORDS
}

fn is_line_breaking(c: char) -> bool {
    (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Without control characters, without those that change the direction of text or have no width, spaces in a row as one.
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

/// At most so many characters.
pub(super) fn clip(text: &str, chars: usize) -> String {
    if text.chars().nth(chars).is_none() {
        return text.to_owned();
    }
    let kept: String = text.chars().take(chars.saturating_sub(3)).collect();
    format!("{}...", kept.trim_end())
}

/// A mailbox as somebody wrote it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) name: Option<String>,
    /// Whatever stands where an address should.
    pub(super) address: Option<String>,
}

/// The mailboxes of an address list, and whether anything of it (a group's name, words without an address) is lost.
pub(super) fn mailboxes(line: &str) -> (Vec<Written>, bool) {
    if !is_decodable(line) {
        return (Vec::new(), true);
    }
    let line = format!("{}\n", line.replace(['\r', '\n'], " "));
    let (parsed, is_group) = match MessageStream::new(line.as_bytes()).parse_address() {
        HeaderValue::Address(Address::List(list)) => (list, false),
        HeaderValue::Address(Address::Group(groups)) => {
            (groups.into_iter().flat_map(|group| group.addresses).collect(), true)
        }
        _ => (Vec::new(), !line.trim().is_empty()),
    };
    let mut mailboxes = Vec::new();
    let mut pieces: Vec<String> = Vec::new();
    let mut lost = is_group;
    for Addr { name, address } in parsed {
        let name = name
            .map(|name| clean_name(&decode_leftover(&name)))
            .filter(|name| !name.is_empty());
        let address = address
            .map(|address| clean(&address).trim_matches(['<', '>', ' ']).to_owned())
            .filter(|address| !address.is_empty());
        match (name, address) {
            // `Doe, Jane <jane@example.com>`: a comma in a name that should have been quoted.
            (Some(name), Some(address)) if address.contains('@') => {
                pieces.push(name);
                mailboxes.push(Written {
                    name: Some(std::mem::take(&mut pieces).join(", ")),
                    address: Some(address),
                });
            }
            (name, Some(address)) => {
                lost |= !pieces.is_empty();
                pieces.clear();
                mailboxes.push(Written {
                    name,
                    address: Some(address),
                });
            }
            (Some(name), None) => pieces.push(name),
            (None, None) => {}
        }
    }
    if !pieces.is_empty() {
        lost = true;
        mailboxes.push(Written {
            name: Some(pieces.join(", ")),
            address: None,
        });
    }
    (mailboxes, lost)
}

/// Inside quotes an encoded word is no encoded word, but half the world's programs write and read it as one.
fn decode_leftover(name: &str) -> String {
    if name.contains("=?") {
        decode(name)
    } else {
        name.to_owned()
    }
}

fn clean_name(name: &str) -> String {
    let name = clean(name).replace(['<', '>'], "");
    name.trim_matches(['"', '\'', ',', ' ']).to_owned()
}

/// An address as SES takes it in a header: ASCII, `dot-atom@domain`, the domain in its IDNA form. Anything else is
/// refused there ("Missing final '@domain'", "Local address contains dot-dot", ...), and the mail with it.
pub(super) fn usable(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let domain = normalise_domain(domain);
    let is_atext = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    let is_local = local.len() <= 64
        && local
            .split('.')
            .all(|atom| !atom.is_empty() && atom.chars().all(is_atext));
    let is_domain = domain.len() <= 253 && domain.contains('.') && domain.split('.').all(is_label);
    (is_local && is_domain && !local.contains("=?")).then(|| format!("{local}@{domain}"))
}

/// A `Content-Type` (or `-Disposition`) value; absent when there is no type in it.
pub(super) fn content_type(line: &str) -> Option<ContentType<'static>> {
    // Parameters are looked up in a list, so their number is bounded.
    if line.len() > 16 * 1024 {
        return None;
    }
    let line = format!("{}\n", line.replace(['\r', '\n'], " "));
    match MessageStream::new(line.as_bytes()).parse_content_type().into_owned() {
        HeaderValue::ContentType(content_type) => Some(content_type),
        _ => None,
    }
}

/// Ids with their angle brackets, as in `References`. Those with anything but printable ASCII are left out.
pub(super) fn message_ids(line: &str) -> Vec<String> {
    line.split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>').map(|(id, _)| id.trim()))
        .filter(|id| (1..=500).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()))
        .filter(|id| !id.contains("=?"))
        .map(|id| format!("<{id}>"))
        .collect()
}

/// Text for an unstructured field: ASCII as it is, else encoded words. What looks like an encoded word is encoded too,
/// or a reader would decode what we did not.
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
    // `=?UTF-8?B?` and `?=` leave 63 of an encoded word's 75 characters: 60 of base64, 45 octets.
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

/// Parameters with 8-bit text as RFC 2231 has them: `filename="Ü.pdf"` becomes `filename*=utf-8''%C3%9C.pdf`.
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

/// At the semicolons that are not in quotes.
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

/// Writes a field, folded at spaces. Whatever the value holds, the lines are printable ASCII and short enough, and none
/// begins a field of its own.
pub(super) fn push_field(out: &mut Vec<u8>, name: &str, value: &str) {
    let value: String = value
        .chars()
        .map(|c| match c {
            '\t' => ' ',
            c if c.is_ascii_graphic() || c == ' ' => c,
            c if c.is_control() => ' ',
            // Not `?`, which could begin or end an encoded word.
            _ => '_',
        })
        .collect();
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b":");
    let mut length = name.len() + 1;
    let mut is_first = true;
    for word in words(value.trim()) {
        if !is_first && length + word.len() > GOOD_LINE {
            out.extend_from_slice(b"\r\n");
            length = 0;
        }
        if is_first {
            out.push(b' ');
            length += 1;
        }
        is_first = false;
        for (index, piece) in word.as_bytes().chunks(LONGEST_LINE - GOOD_LINE * 2).enumerate() {
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

/// The words of a line, each with the spaces before it, so that joined they are the line again.
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
