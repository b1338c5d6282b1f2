//! Mail that Postroom writes itself: automatic answers, and notices in place of a forward.
//!
//! Both are `text/plain` in UTF-8 and say that they are automatic (RFC 3834), so that no other machine answers them.

use jiff::Timestamp;
use notification_model::EmailAddress;

use super::{MailFacts, forward, text};

/// An automatic answer.
#[derive(Clone, Copy)]
pub struct AutoReply<'a> {
    /// The verified address that answers.
    pub from: &'a EmailAddress,
    /// Whom: the return path, nobody else ([`MailFacts::return_path`]).
    pub to: &'a EmailAddress,
    /// The subject; without one `Auto: ` and the mail's own.
    pub subject: Option<&'a str>,
    /// The text.
    pub text: &'a str,
    /// The mail that is answered.
    pub about: &'a MailFacts,
    /// When.
    pub at: Timestamp,
}

/// What is said in place of a forward.
#[derive(Clone, Copy)]
pub struct Notice<'a> {
    /// The verified address the forward would have been sent from.
    pub from: &'a EmailAddress,
    /// Whom the forward would have gone to.
    pub to: &'a [EmailAddress],
    /// The mailbox, for the reader and the loop header.
    pub mailbox: &'a str,
    /// Who wrote the mail, as the header or SES says it.
    pub sender: &'a str,
    /// The mail's subject.
    pub subject: &'a str,
    /// The mail's size in octets, when known.
    pub size: Option<u64>,
    /// Where the mail is: `s3://bucket/key`.
    pub location: Option<&'a str>,
    /// Why it was not forwarded, in words: `it is larger than SES sends`.
    pub reason: &'a str,
    /// When.
    pub at: Timestamp,
}

/// An automatic answer, RFC 3834: `Auto-Submitted: auto-replied`, threaded, to the return path only.
#[must_use]
pub fn auto_reply(reply: &AutoReply<'_>) -> Vec<u8> {
    let about = reply.about;
    let own = about.subject.as_deref().unwrap_or_default();
    let subject = match reply.subject {
        Some(subject) => subject.to_owned(),
        None if own.is_empty() => "Auto: your mail".to_owned(),
        None => format!("Auto: {own}"),
    };
    let mut out = Vec::new();
    push_addresses(&mut out, "From", std::slice::from_ref(reply.from));
    push_addresses(&mut out, "To", std::slice::from_ref(reply.to));
    push_text(&mut out, "Subject", &subject);
    text::push_field(&mut out, "Date", &forward::date(reply.at));
    if let Some(id) = &about.message_id {
        text::push_field(&mut out, "In-Reply-To", id);
        let mut references: Vec<_> = about.references.iter().rev().take(REFERENCES).rev().cloned().collect();
        references.retain(|one| one != id);
        references.push(id.clone());
        text::push_field(&mut out, "References", &references.join(" "));
    }
    text::push_field(&mut out, "Auto-Submitted", "auto-replied");
    push_body(&mut out, reply.text);
    out
}

/// A notice that a mail was not forwarded: who, what, how large, where it is and why.
#[must_use]
pub fn notice(notice: &Notice<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    push_addresses(&mut out, "From", std::slice::from_ref(notice.from));
    push_addresses(&mut out, "To", notice.to);
    push_text(
        &mut out,
        "Subject",
        &format!("Not forwarded: {}", or_none(notice.subject)),
    );
    text::push_field(&mut out, "Date", &forward::date(notice.at));
    text::push_field(&mut out, forward::LOOP_FIELD, notice.mailbox);
    text::push_field(&mut out, "Auto-Submitted", "auto-generated");
    let size = notice.size.map_or_else(|| "unknown".to_owned(), size_in_words);
    let body = format!(
        "A mail to {} was not forwarded to you: {}.\n\nFrom:    {}\nSubject: {}\nSize:    {size}\nMail:    {}\n",
        one_line(notice.mailbox),
        one_line(notice.reason),
        or_none(notice.sender),
        or_none(notice.subject),
        or_none(notice.location.unwrap_or("not kept")),
    );
    push_body(&mut out, &body);
    out
}

/// An answer names the end of a long thread; the mail answered is the last of it.
const REFERENCES: usize = 20;
const SUBJECT_CHARS: usize = 300;

fn push_addresses(out: &mut Vec<u8>, name: &str, addresses: &[EmailAddress]) {
    let written = addresses.iter().filter_map(|address| {
        let name = address.name().map(text::clean).filter(|name| !name.is_empty());
        Some(text::encode_mailbox(name.as_deref(), &text::usable(address.as_str())?))
    });
    let written: Vec<_> = written.collect();
    if !written.is_empty() {
        text::push_field(out, name, &written.join(", "));
    }
}

fn push_text(out: &mut Vec<u8>, name: &str, value: &str) {
    text::push_field(
        out,
        name,
        &text::encode(&text::clip(&text::clean(value), SUBJECT_CHARS)),
    );
}

fn one_line(value: &str) -> String {
    text::clip(&text::clean(value), SUBJECT_CHARS)
}

fn or_none(value: &str) -> String {
    let line = one_line(value);
    if line.is_empty() { "(none)".to_owned() } else { line }
}

fn size_in_words(octets: u64) -> String {
    match octets {
        0..1_000_000 => format!("{} KB", octets.div_ceil(1000)),
        _ => format!("{}.{} MB", octets / 1_000_000, octets % 1_000_000 / 100_000),
    }
}

/// The rest of the mail: as it is when it is ASCII in short lines, else in base64.
fn push_body(out: &mut Vec<u8>, body: &str) {
    let lines = || body.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let is_plain =
        lines().all(|line| line.len() <= 998 && line.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b)));
    text::push_field(out, "X-Auto-Response-Suppress", "All");
    text::push_field(out, "MIME-Version", "1.0");
    text::push_field(out, "Content-Type", "text/plain; charset=utf-8");
    text::push_field(
        out,
        "Content-Transfer-Encoding",
        if is_plain { "7bit" } else { "base64" },
    );
    out.extend_from_slice(b"\r\n");
    let text = lines().collect::<Vec<_>>().join("\r\n");
    let text = text.trim_end();
    if is_plain {
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(b"\r\n");
        return;
    }
    for line in data_encoding::BASE64.encode(text.as_bytes()).as_bytes().chunks(76) {
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
}
