//! Composes the mail that Postroom writes itself: automatic replies, and notices that replace a forward.
//!
//! Both are `text/plain` in UTF-8 and declare themselves automatic (RFC 3834), so that other systems do not reply to them.

use jiff::Timestamp;
use notification_model::EmailAddress;

use super::MailFacts;
use super::addresses::sendable_address;
use super::automation::LOOP_FIELD;
use super::date::format_date;
use super::decode::{clean, truncate};
use super::encode::{encode, encode_mailbox, push_field};

/// The parameters of an automatic reply.
#[derive(Clone, Copy)]
pub struct AutoReply<'a> {
    /// The verified address that replies.
    pub from: &'a EmailAddress,
    /// The return path of the mail ([`MailFacts::return_path`]). A reply goes to no other address.
    pub to: &'a EmailAddress,
    /// The subject. Default: `Auto: ` and the subject of the mail.
    pub subject: Option<&'a str>,
    /// The text.
    pub text: &'a str,
    /// The mail that is replied to.
    pub about: &'a MailFacts,
    /// The time, for `Date`.
    pub at: Timestamp,
}

/// The parameters of a notice that replaces a forward.
#[derive(Clone, Copy)]
pub struct Notice<'a> {
    /// The verified address that would send the forward.
    pub from: &'a EmailAddress,
    /// The recipients of the forward.
    pub to: &'a [EmailAddress],
    /// The mailbox, for the text and the loop header.
    pub mailbox: &'a str,
    /// The envelope recipients of the mail that belong to the mailbox.
    pub recipients: &'a [EmailAddress],
    /// The author of the mail, else its envelope sender.
    pub sender: &'a str,
    /// The mail's subject.
    pub subject: &'a str,
    /// The size of the mail in octets, if known.
    pub size: Option<u64>,
    /// The location of the mail: `s3://bucket/key`.
    pub location: Option<&'a str>,
    /// Why the mail is not forwarded, for example `the mail has 50000000 octets, more than 40000000`.
    pub reason: &'a str,
    /// The time, for `Date`.
    pub at: Timestamp,
}

/// The parameters of a notice to the owner of a mailbox about a suppressed forward target.
#[derive(Clone, Copy)]
pub struct OwnerNotice<'a> {
    /// The verified address that forwards.
    pub from: &'a EmailAddress,
    /// The owner.
    pub owner: &'a EmailAddress,
    /// The mailbox.
    pub mailbox: &'a str,
    /// The forward target.
    pub target: &'a str,
    /// Why it is suppressed. A remote server may have written a part of it.
    pub reason: &'a str,
    /// Whether forwarding goes on.
    pub goes_on: bool,
    /// SES's id of the mail that is affected.
    pub message_id: &'a str,
    /// The time, for `Date`.
    pub at: Timestamp,
}

/// Composes an automatic reply (RFC 3834): `Auto-Submitted: auto-replied`, in the thread of the mail, to its return path.
#[must_use]
pub fn auto_reply(reply: &AutoReply<'_>) -> Vec<u8> {
    let about = reply.about;
    let original_subject = about.subject.as_deref().unwrap_or_default();
    let subject = match reply.subject {
        Some(subject) => subject.to_owned(),
        None if original_subject.is_empty() => "Auto: your mail".to_owned(),
        None => format!("Auto: {original_subject}"),
    };
    let mut out = Vec::new();
    push_addresses(&mut out, "From", std::slice::from_ref(reply.from));
    push_addresses(&mut out, "To", std::slice::from_ref(reply.to));
    push_text(&mut out, "Subject", &subject);
    push_field(&mut out, "Date", &format_date(reply.at));
    if let Some(id) = &about.message_id {
        push_field(&mut out, "In-Reply-To", id);
        let mut references: Vec<_> = about
            .references
            .iter()
            .rev()
            .take(MAX_REFERENCES)
            .rev()
            .cloned()
            .collect();
        references.retain(|reference| reference != id);
        references.push(id.clone());
        push_field(&mut out, "References", &references.join(" "));
    }
    push_field(&mut out, "Auto-Submitted", "auto-replied");
    push_body(&mut out, reply.text);
    out
}

/// Composes a notice that a mail was not forwarded. It has the author, subject, size and location of the mail, and the reason.
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
    push_field(&mut out, "Date", &format_date(notice.at));
    push_field(&mut out, LOOP_FIELD, notice.mailbox);
    push_field(&mut out, "Auto-Submitted", "auto-generated");
    let recipients: Vec<&str> = notice.recipients.iter().map(|recipient| recipient.as_str()).collect();
    let size = notice.size.map_or_else(|| "unknown".to_owned(), format_size);
    let body = format!(
        "A mail to {} was not forwarded to you: {}.\n\nFrom:    {}\nTo:      {}\nSubject: {}\nSize:    {size}\nMail:    {}\n",
        one_line(notice.mailbox),
        one_line(notice.reason),
        or_none(notice.sender),
        or_none(&recipients.join(", ")),
        or_none(notice.subject),
        or_none(notice.location.unwrap_or("not kept")),
    );
    push_body(&mut out, &body);
    out
}

/// Composes a notice that a forward target is suppressed: why, whether forwarding goes on, and what to do.
#[must_use]
pub fn owner_notice(notice: &OwnerNotice<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    push_addresses(&mut out, "From", std::slice::from_ref(notice.from));
    push_addresses(&mut out, "To", std::slice::from_ref(notice.owner));
    let subject = format!("Forwards of {} to {}", notice.mailbox, notice.target);
    push_text(&mut out, "Subject", &subject);
    push_field(&mut out, "Date", &format_date(notice.at));
    push_field(&mut out, LOOP_FIELD, notice.mailbox);
    push_field(&mut out, "Auto-Submitted", "auto-generated");
    let mailbox = one_line(notice.mailbox);
    let effect = match notice.goes_on {
        true => "Forwarding goes on. To stop it, set when-suppressed = \"stop\" in postroom.toml.".to_owned(),
        false => format!(
            "Forwarding to this address has stopped. The mail is kept. To forward again:\n\n  \
             postroomctl suppression release {} --scope forward:{mailbox} --reason \"...\"\n  \
             postroomctl mail list {mailbox} --not-sent\n  \
             postroomctl mail send-again MESSAGE_ID\n\n\
             If the address does not exist any more (scope global), remove it from postroom.toml.",
            one_line(notice.target)
        ),
    };
    let body = format!(
        "Mail to {mailbox} is forwarded to {}, and this address is suppressed: {}.\n\n{effect}\n\nFirst mail that is \
         affected: {}\n",
        one_line(notice.target),
        one_line(notice.reason),
        one_line(notice.message_id),
    );
    push_body(&mut out, &body);
    out
}

/// A reply to a long thread has only its last references.
const MAX_REFERENCES: usize = 20;
const MAX_SUBJECT_CHARS: usize = 300;

fn push_addresses(out: &mut Vec<u8>, name: &str, addresses: &[EmailAddress]) {
    let encoded = addresses.iter().filter_map(|address| {
        let name = address.name().map(clean).filter(|name| !name.is_empty());
        Some(encode_mailbox(name.as_deref(), &sendable_address(address.as_str())?))
    });
    let encoded: Vec<_> = encoded.collect();
    if !encoded.is_empty() {
        push_field(out, name, &encoded.join(", "));
    }
}

fn push_text(out: &mut Vec<u8>, name: &str, value: &str) {
    push_field(out, name, &encode(&truncate(&clean(value), MAX_SUBJECT_CHARS)));
}

fn one_line(value: &str) -> String {
    truncate(&clean(value), MAX_SUBJECT_CHARS)
}

fn or_none(value: &str) -> String {
    let line = one_line(value);
    if line.is_empty() { "(none)".to_owned() } else { line }
}

fn format_size(octets: u64) -> String {
    match octets {
        0..1_000_000 => format!("{} KB", octets.div_ceil(1000)),
        _ => format!("{}.{} MB", octets / 1_000_000, octets % 1_000_000 / 100_000),
    }
}

/// Writes the MIME fields and the body: unchanged if it is ASCII in short lines, else in base64.
fn push_body(out: &mut Vec<u8>, body: &str) {
    let lines = || body.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let is_plain =
        lines().all(|line| line.len() <= 998 && line.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b)));
    push_field(out, "X-Auto-Response-Suppress", "All");
    push_field(out, "MIME-Version", "1.0");
    push_field(out, "Content-Type", "text/plain; charset=utf-8");
    push_field(
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
