//! Writes the header block of a forward.

use super::field_rules::{is_content_field, is_kept, is_single, is_structured};
use super::rewrite::{ForwardMark, Rewrite};
use crate::mail::addresses::{ParsedMailbox, parse_mailboxes, sendable_address};
use crate::mail::automation::LOOP_FIELD;
use crate::mail::date::{format_date, is_valid_date, parse_date};
use crate::mail::decode::{clean, decode, has_encoded_controls, truncate};
use crate::mail::encode::{encode, encode_mailbox, encode_unknown, push_field};
use crate::mail::message_ids::{own_message_id, references};
use crate::mail::parameters::{TextCharset, encode_parameters, repair_parameters};
use crate::mail::{Field, HeaderBlock};

/// SES allows 50 recipients for a message. A reply goes to at most that many addresses.
const MAX_REPLY_TO: usize = 50;
const MAX_REFERENCES: usize = 50;
/// The mark of mail that fails DMARC with a policy that forbids it.
const DMARC_MARK: &str = "[DMARC failed]";

/// The header block of a forward, including the empty line. `sender` is the address of `From` in the form SES accepts.
pub(super) fn write_header(header: &HeaderBlock<'_>, rewrite: &Rewrite<'_>, sender: &str) -> Vec<u8> {
    let mut writer = HeaderWriter {
        header,
        rewrite,
        out: Vec::with_capacity(header.as_bytes().len() + 1024),
    };
    writer.push_own_fields(sender);
    writer.push_originators(sender);
    writer.push_destinations("To");
    writer.push_destinations("Cc");
    writer.push_references();
    writer.push_kept_fields();
    writer.out.extend_from_slice(b"\r\n");
    writer.out
}

struct HeaderWriter<'a> {
    header: &'a HeaderBlock<'a>,
    rewrite: &'a Rewrite<'a>,
    out: Vec<u8>,
}

impl HeaderWriter<'_> {
    fn push(&mut self, name: &str, value: &str) {
        push_field(&mut self.out, name, value);
    }

    /// Writes the loop header, the verdicts and the `Resent-*` fields.
    fn push_own_fields(&mut self, sender: &str) {
        let Rewrite {
            mailbox,
            to,
            recipients,
            verdicts,
            message_id,
            at,
            ..
        } = *self.rewrite;
        self.push(LOOP_FIELD, &plain(mailbox));
        for older in self.header.all(LOOP_FIELD) {
            self.push(LOOP_FIELD, &plain(&truncate(&older.unfolded(), 320)));
        }
        let recipients: Vec<&str> = recipients.iter().map(|recipient| recipient.as_str()).collect();
        if !recipients.is_empty() {
            let recipients = encode(&truncate(&clean(&recipients.join(", ")), 2000));
            self.push("X-Original-To", &recipients);
        }
        if !verdicts.is_empty() {
            self.push("X-Postroom-Verdicts", &plain(verdicts));
        }
        self.push("Resent-From", sender);
        let to: Vec<_> = to
            .iter()
            .filter_map(|address| sendable_address(address.as_str()))
            .collect();
        if !to.is_empty() {
            self.push("Resent-To", &to.join(", "));
        }
        self.push("Resent-Date", &format_date(at));
        let domain = sender.rsplit_once('@').map_or("", |(_, domain)| domain);
        let id: String = message_id
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
            .collect();
        if !id.is_empty() {
            self.push("Resent-Message-ID", &format!("<{id}.forward@{domain}>"));
        }
    }

    /// Writes `From`, `Reply-To` and `Original-From`.
    fn push_originators(&mut self, sender: &str) {
        let authors = self.mailboxes("From").0;
        let mut reply_to: Vec<_> = self.mailboxes("Reply-To").0.iter().filter_map(encoded).collect();
        if reply_to.is_empty() {
            reply_to = authors.iter().filter_map(encoded).collect();
        }
        reply_to.truncate(MAX_REPLY_TO);
        let mut name = sender_name(&authors);
        if reply_to.is_empty() && authors.iter().any(|author| author.address.is_some()) {
            name.push_str(" - a reply does not reach this address, write to it directly");
        }
        if self.rewrite.mark == ForwardMark::Name {
            name = format!("{DMARC_MARK} {name}");
        }
        let from = encode_mailbox(Some(&name), sender);
        self.push("From", &from);
        if !reply_to.is_empty() {
            self.push("Reply-To", &reply_to.join(", "));
        }
        if let Some(field) = self.header.get("From") {
            let original = match field.is_unreadable() {
                true => encode_unknown(&unfolded_octets(field, 600)),
                false => encode(&truncate(&field.text(), 2000)),
            };
            self.push("Original-From", &original);
        }
    }

    /// Writes the subject with the mark.
    fn push_marked_subject(&mut self, field: Option<&Field<'_>>) {
        let subject = match field {
            None => DMARC_MARK.to_owned(),
            Some(field) if field.is_unreadable() => {
                format!(
                    "{DMARC_MARK} {}",
                    encode_unknown(&unfolded_octets(field, MAX_UNKNOWN_OCTETS))
                )
            }
            Some(field) => encode(&format!("{DMARC_MARK} {}", decode(&field.unfolded()))),
        };
        self.push("Subject", &subject);
    }

    /// Writes one address field from all original fields of this name.
    fn push_destinations(&mut self, name: &str) {
        let (mailboxes, mut lost) = self.mailboxes(name);
        let sendable: Vec<_> = mailboxes.iter().filter_map(encoded).collect();
        lost |= sendable.len() < mailboxes.len();
        if !sendable.is_empty() {
            self.push(name, &sendable.join(", "));
        }
        if lost {
            let original: Vec<_> = self.header.all(name).map(Field::text).collect();
            let original = encode(&truncate(&original.join(", "), 2000));
            self.push(&format!("X-Postroom-Original-{name}"), &original);
        }
    }

    /// The mailboxes of all fields of a name. The flag is true if a part of a field is not a mailbox.
    fn mailboxes(&self, name: &str) -> (Vec<ParsedMailbox>, bool) {
        let mut all = (Vec::new(), false);
        for field in self.header.all(name) {
            let (mailboxes, lost) = parse_mailboxes(&field.unfolded());
            all.0.extend(mailboxes);
            all.1 |= lost;
        }
        all
    }

    fn push_references(&mut self) {
        let mut references = references(self.header);
        references.extend(own_message_id(self.header).filter(|id| !references.contains(id)));
        // The first id names the thread, and the last ids name the nearest ancestors. RFC 5322 section 3.6.4 allows to leave
        // out ids between them.
        if references.len() > MAX_REFERENCES {
            references.drain(1..=references.len() - MAX_REFERENCES);
        }
        if !references.is_empty() {
            self.push("References", &references.join(" "));
        }
        let original = self.header.get("Message-ID").map(Field::unfolded);
        if let Some(original) = original.filter(|id| id.is_ascii() && !id.is_empty()) {
            self.push("Original-Message-ID", &plain(&truncate(&original, 900)));
        }
        if let Some(date) = self.header.get("Date") {
            self.push("X-Postroom-Original-Date", &plain(&truncate(&date.unfolded(), 200)));
        }
    }

    /// Writes the fields that are kept, in their original order.
    fn push_kept_fields(&mut self) {
        let fields = self.header.fields();
        let mut seen: Vec<String> = Vec::new();
        for field in fields.iter().filter(|field| is_kept(field)) {
            if is_single(field) {
                let name = field.name().to_ascii_lowercase();
                if seen.contains(&name) {
                    continue;
                }
                seen.push(name);
            }
            if field.is("Date") || field.is("Resent-Date") {
                self.push_date(field);
            } else if field.is("Subject") && self.rewrite.mark == ForwardMark::Subject {
                self.push_marked_subject(Some(field));
            } else {
                self.push_kept(field);
            }
        }
        if self.rewrite.mark == ForwardMark::Subject && !seen.iter().any(|name| name == "subject") {
            self.push_marked_subject(None);
        }
        if !seen.iter().any(|name| name == "date") {
            self.push("Date", &format_date(self.rewrite.at));
        }
        if !seen.iter().any(|name| name == "mime-version") && seen.iter().any(|name| name.starts_with("content-")) {
            self.push("MIME-Version", "1.0");
        }
    }

    /// Writes a date: a valid one unchanged, any other in valid form, a missing `Date` as the time of the forward.
    fn push_date(&mut self, field: &Field<'_>) {
        let line = field.unfolded();
        if is_valid_date(&line) && is_clean(field) {
            self.push_kept(field);
        } else if let Some(at) = parse_date(&line).or(field.is("Date").then_some(self.rewrite.at)) {
            self.push(field.name(), &format_date(at));
        }
    }

    /// Writes a field: unchanged if it is clean and SES accepts its parameters, else encoded.
    fn push_kept(&mut self, field: &Field<'_>) {
        let has_parameters = field.is("Content-Type") || field.is("Content-Disposition");
        if is_clean(field) && !(has_parameters && repair_parameters(&field.unfolded()).is_some()) {
            self.out.extend_from_slice(field.name().as_bytes());
            self.out.push(b':');
            let lines = field.raw_value().split(|byte| *byte == b'\n');
            for line in lines {
                self.out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
                self.out.extend_from_slice(b"\r\n");
            }
            return;
        }
        let line = field.unfolded();
        let value = if is_content_field(field) && !field.is("Content-Description") {
            let encoded = match field.is_unreadable() {
                true => encode_parameters(&octets_as_characters(field), TextCharset::Unknown8Bit),
                false => encode_parameters(&line, TextCharset::Utf8),
            };
            let repaired = repair_parameters(&encoded).filter(|_| has_parameters);
            plain(&repaired.unwrap_or(encoded))
        } else if is_structured(field) {
            plain(&line)
        } else if field.is_unreadable() {
            encode_unknown(&unfolded_octets(field, MAX_UNKNOWN_OCTETS))
        } else if line.is_ascii() && !has_encoded_controls(&line) {
            line
        } else {
            encode(&decode(&line))
        };
        if !value.is_empty() {
            self.push(field.name(), &value);
        }
    }
}

/// A longer value in an unknown character set is cut off: each octet needs three characters.
const MAX_UNKNOWN_OCTETS: usize = 4000;

/// The first octets of a value in one line, without control characters.
fn unfolded_octets(field: &Field<'_>, limit: usize) -> Vec<u8> {
    let octets = field.raw_value().iter().copied();
    let visible = octets.filter(|byte| !matches!(byte, b'\r' | b'\n'));
    let mut line: Vec<u8> = visible
        .map(|byte| if byte.is_ascii_control() { b' ' } else { byte })
        .take(limit)
        .collect();
    line.drain(..line.len() - line.trim_ascii_start().len());
    line
}

/// The value as a text with one character for each octet.
fn octets_as_characters(field: &Field<'_>) -> String {
    unfolded_octets(field, usize::MAX).into_iter().map(char::from).collect()
}

/// Whether a field can be kept unchanged: printable ASCII, no blank or too long line, and no control characters in encoded
/// words.
fn is_clean(field: &Field<'_>) -> bool {
    let is_valid_line = |(index, line): (usize, &[u8])| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let name_octets = if index == 0 { field.name().len() + 1 } else { 0 };
        line.len() + name_octets <= 998
            && !line.trim_ascii().is_empty()
            && line
                .iter()
                .all(|byte| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t'))
    };
    let mut lines = field.raw_value().split(|byte| *byte == b'\n').enumerate();
    lines.all(is_valid_line) && !has_encoded_controls(&field.unfolded())
}

/// The display name of `From`: `Jane Doe (jane at shop.example)`.
fn sender_name(authors: &[ParsedMailbox]) -> String {
    let without_at = |text: &str| clean(&text.replace(['@', '\u{ff20}', '\u{fe6b}'], " at "));
    let first = authors
        .iter()
        .find(|author| author.address.is_some())
        .or(authors.first());
    let name = first
        .and_then(|author| author.name.as_deref())
        .map(|name| truncate(&without_at(name), 100));
    let address = first
        .and_then(|author| author.address.as_deref())
        .map(|address| truncate(&without_at(address), 200));
    let others = if authors.len() > 1 { " and others" } else { "" };
    match (name, address) {
        (Some(name), Some(address)) if name == address => format!("{name}{others}"),
        (Some(name), Some(address)) => format!("{name}{others} ({address})"),
        (Some(only), None) | (None, Some(only)) => format!("{only}{others}"),
        (None, None) => "unknown sender".to_owned(),
    }
}

/// A mailbox in the form that SES accepts; `None` if SES would reject its address.
fn encoded(mailbox: &ParsedMailbox) -> Option<String> {
    let address = sendable_address(mailbox.address.as_deref()?)?;
    let name = mailbox.name.as_deref().map(|name| truncate(name, 100));
    Some(encode_mailbox(name.as_deref(), &address))
}

/// ASCII for a field without encoded words. Replacing the other characters does not create an encoded word with control
/// characters.
fn plain(text: &str) -> String {
    let text = text.replace(|c: char| !c.is_ascii(), "_");
    if has_encoded_controls(&text) {
        text.replace("=?", "-?")
    } else {
        text
    }
}
