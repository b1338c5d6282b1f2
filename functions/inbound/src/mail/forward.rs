//! A forward: a new header, and the body byte for byte.
//!
//! SES signs what it sends in our name and refuses a mail whose header it dislikes, so the header is written anew; a field
//! that is kept and clean keeps its bytes. [SES's rules](https://docs.aws.amazon.com/ses/latest/dg/header-fields.html).
//!
//! | field | in the forward | why |
//! |---|---|---|
//! | `From` | the verified address; name `Jane Doe (jane at shop.example)` | SES sends from verified addresses only. The reader sees who wrote. `at`, as a name that holds another address than the field's is what spam filters look for |
//! | `Reply-To` | the original's, else its `From` | an answer goes to the writer, not to us |
//! | `Original-From`, `Original-Message-ID`, `X-Postroom-Original-Date` | the original's values | SES replaces `Message-ID` and `Date` |
//! | `References` | with the original's `Message-ID` behind | an answer to the forward joins the writer's thread (RFC 5322 section 3.6.4) |
//! | `To`, `Cc` | kept, written anew from their addresses | for the reader; nobody there gets mail. SES refuses the mail for an address that is none, so such a field goes to `X-Postroom-Original-To` |
//! | `Resent-From`, `-To`, `-Date`, `-Message-ID` | ours, above older ones | RFC 5322 section 3.6.6 |
//! | `X-Postroom-Forwarded` | the mailbox, above older ones | the loop header |
//! | `X-Postroom-Verdicts` | SES's verdicts | a stranger's `X-Postroom-*` is dropped |
//! | fields SES takes once only | the first | it refuses duplicates |
//! | `Content-*`, `MIME-Version` | the first of each | the body is the original's |
//! | `Date` | kept if it is one; what is nearly one is written anew; else the time of the forward | a mail has one |
//! | `Message-ID`, `Return-Path`, `Sender`, `Errors-To`, `Bounces-To` | dropped | they name somebody else for what we send; SES writes its own |
//! | `DKIM-Signature`, `ARC-*`, ... | dropped | they cover `From`: what is broken is worse than nothing |
//! | `Authentication-Results`, `Received-SPF`, `X-Spam-*`, `X-MS-Exchange-Organization-*` | dropped | a stranger can write them, and the next server would believe us |
//! | `X-SES-*`, `Feedback-ID` | dropped | they steer SES: identity, configuration set, tenant, list |
//! | `Bcc`, `Resent-Bcc`, `Delivered-To` | dropped | secrets of others; a loop to the next server, which has its own way to find one |
//! | `Disposition-Notification-To`, `Return-Receipt-To`, ... | dropped | a receipt would tell the writer where the mail went |
//! | everything else | kept | `Received`, `List-*`, `Subject`, ... |
//!
//! 8-bit text becomes encoded words (RFC 2047) or, in MIME parameters, RFC 2231. A value whose encoded words decode to
//! line breaks is written anew without them.

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use notification_model::EmailAddress;

use super::facts::parse_date;
use super::text::{self, Written};
use super::{Field, Head, HeadError, Limits};

/// The loop header: the mailboxes that forwarded a mail, one field each, the last on top.
pub const LOOP_FIELD: &str = "X-Postroom-Forwarded";

/// What a forward says about itself.
#[derive(Debug, Clone, Copy)]
pub struct Rewrite<'a> {
    /// The mailbox, as an address or a domain: the loop header. Not `*`: a catch-all mailbox that forwards to that of another
    /// Postroom is no loop.
    pub mailbox: &'a str,
    /// The verified address that it is sent from.
    pub from: &'a EmailAddress,
    /// Whom this copy goes to: `Resent-To`. Give SESv2 the same addresses as `Destination`: with it SES takes no recipient
    /// from the header, so those in `To` and `Cc`, which stay for the reader, get nothing.
    pub to: &'a [EmailAddress],
    /// SES's verdicts in words, for `X-Postroom-Verdicts`: `spam=PASS; virus=PASS; spf=GRAY`.
    pub verdicts: &'a str,
    /// SES's id of the mail: makes `Resent-Message-ID`.
    pub message_id: &'a str,
    /// When: `Resent-Date`.
    pub at: Timestamp,
}

/// A forward, the body still where it was: 40 MB are copied once, by [`to_vec`](Self::to_vec).
#[derive(Clone, PartialEq, Eq)]
pub struct Forward<'a> {
    /// The new header block with its empty line.
    pub header: Vec<u8>,
    /// The original's body.
    pub body: &'a [u8],
}

/// Why a mail was not made a forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ForwardError {
    /// The header block can't be read.
    #[error("cannot read the header block: {0}")]
    Head(#[from] HeadError),
    /// SES would refuse it.
    #[error("the forward would have {size} octets, more than {limit}")]
    TooLarge {
        /// What it would have.
        size: usize,
        /// [`Limits::forward_bytes`]
        limit: usize,
    },
    /// The address to send from can't be one of SES's: it has no domain, or a local part that is not ASCII.
    #[error("the address to forward from is not one that SES can send from")]
    BadSender,
}

impl Forward<'_> {
    /// The whole mail, for SESv2's raw content.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        [&self.header, self.body].concat()
    }
}

/// Makes a forward.
///
/// # Errors
/// When the header block exceeds the limits, the forward would be too large, or the address to send from is none.
pub fn rewrite<'a>(mail: &'a [u8], rewrite: &Rewrite<'_>, limits: &Limits) -> Result<Forward<'a>, ForwardError> {
    let head = Head::parse(mail, limits)?;
    let header = Header::of(&head, rewrite)?;
    let body = mail.get(head.body_offset()..).unwrap_or_default();
    let size = header.len() + body.len();
    if size > limits.forward_bytes {
        return Err(ForwardError::TooLarge {
            size,
            limit: limits.forward_bytes,
        });
    }
    Ok(Forward { header, body })
}

/// Fields that are never passed on, whatever their case; see the table above.
const DROPPED: [&str; 25] = [
    "Apparently-To",
    "Authentication-Results",
    "Bcc",
    "Bounces-To",
    "Delivered-To",
    "Disposition-Notification-Options",
    "Disposition-Notification-To",
    "DKIM-Signature",
    "DomainKey-Signature",
    "Errors-To",
    "Feedback-ID",
    "Generate-Delivery-Report",
    "Message-ID",
    "Original-From",
    "Original-Message-ID",
    "Prevent-NonDelivery-Report",
    "Received-SPF",
    "Resent-Bcc",
    "Return-Path",
    "Return-Receipt-To",
    "Sender",
    "X-Confirm-Reading-To",
    "X-Google-DKIM-Signature",
    "X-Original-Authentication-Results",
    "X-Pmrqc",
];

const DROPPED_PREFIXES: [&str; 5] = [
    "ARC-",
    "X-SES-",
    "X-Postroom-",
    "X-Spam-",
    "X-MS-Exchange-Organization-",
];

/// Fields SES refuses twice, besides those of `DROPPED`, those written anew and `Content-*`.
const SINGLE: [&str; 39] = [
    "Accept-Language",
    "acceptLanguage",
    "Archived-At",
    "Auto-Submitted",
    "Comments",
    "Date",
    "Importance",
    "In-Reply-To",
    "Keywords",
    "List-Archive",
    "List-Help",
    "List-Id",
    "List-Owner",
    "List-Post",
    "List-Subscribe",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Message-Context",
    "MIME-Version",
    "Organization",
    "Original-Recipient",
    "Original-Subject",
    "Precedence",
    "Priority",
    "References",
    "Reply-To",
    "Sensitivity",
    "Solicitation",
    "Subject",
    "Thread-Index",
    "Thread-Topic",
    "User-Agent",
    "VBR-Info",
    "X-Auto-Response-Suppress",
    "X-Mailer",
    "X-MSMail-Priority",
    "X-MimeOLE",
    "X-Original-To",
    "X-Priority",
];

/// Fields with a grammar in which an encoded word has no place.
const STRUCTURED: [&str; 20] = [
    "Archived-At",
    "Auto-Submitted",
    "Date",
    "In-Reply-To",
    "List-Archive",
    "List-Help",
    "List-Owner",
    "List-Post",
    "List-Subscribe",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "MIME-Version",
    "Precedence",
    "Received",
    "Resent-Date",
    "Resent-Message-ID",
    "Thread-Index",
    "VBR-Info",
    "X-Auto-Response-Suppress",
    "X-Received",
];

/// A value beyond this is left out: no mail program needs it, and decoding it costs time.
const LONGEST_VALUE: usize = 32 * 1024;
const LONGEST_NAME: usize = 76;
/// SES allows no more recipients; more answers than that is nobody's wish.
const REPLY_TO: usize = 50;
const REFERENCES: usize = 50;

/// The header block of a forward in the making.
struct Header<'a> {
    head: &'a Head<'a>,
    rewrite: &'a Rewrite<'a>,
    out: Vec<u8>,
}

impl<'a> Header<'a> {
    fn of(head: &'a Head<'a>, rewrite: &'a Rewrite<'a>) -> Result<Vec<u8>, ForwardError> {
        let sender = text::usable(rewrite.from.as_str()).ok_or(ForwardError::BadSender)?;
        let mut header = Self {
            head,
            rewrite,
            out: Vec::with_capacity(head.as_bytes().len() + 1024),
        };
        header.push_own(&sender);
        header.push_originators(&sender);
        header.push_destinations("To");
        header.push_destinations("Cc");
        header.push_references();
        header.push_kept();
        header.out.extend_from_slice(b"\r\n");
        Ok(header.out)
    }

    fn push(&mut self, name: &str, value: &str) {
        text::push_field(&mut self.out, name, value);
    }

    /// What this forward says about itself, and the older loop headers.
    fn push_own(&mut self, sender: &str) {
        let Rewrite {
            mailbox,
            to,
            verdicts,
            message_id,
            at,
            ..
        } = *self.rewrite;
        self.push(LOOP_FIELD, &plain(mailbox));
        for older in self.head.all(LOOP_FIELD) {
            self.push(LOOP_FIELD, &plain(&text::clip(&older.unfolded(), 320)));
        }
        if !verdicts.is_empty() {
            self.push("X-Postroom-Verdicts", &plain(verdicts));
        }
        self.push("Resent-From", sender);
        let to: Vec<_> = to.iter().filter_map(|address| text::usable(address.as_str())).collect();
        if !to.is_empty() {
            self.push("Resent-To", &to.join(", "));
        }
        self.push("Resent-Date", &date(at));
        let domain = sender.rsplit_once('@').map_or("", |(_, domain)| domain);
        let id: String = message_id
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
            .collect();
        if !id.is_empty() {
            self.push("Resent-Message-ID", &format!("<{id}.forward@{domain}>"));
        }
    }

    /// `From`, `Reply-To`, `Original-From`.
    fn push_originators(&mut self, sender: &str) {
        let authors = self.mailboxes("From").0;
        let from = text::encode_mailbox(Some(&name_of(&authors)), sender);
        self.push("From", &from);
        let mut reply_to: Vec<_> = self.mailboxes("Reply-To").0.iter().filter_map(encoded).collect();
        if reply_to.is_empty() {
            reply_to = authors.iter().filter_map(encoded).collect();
        }
        reply_to.truncate(REPLY_TO);
        if !reply_to.is_empty() {
            self.push("Reply-To", &reply_to.join(", "));
        }
        if let Some(field) = self.head.get("From") {
            let original = text::encode(&text::clip(&field.text(), 2000));
            self.push("Original-From", &original);
        }
    }

    /// One address field from all of its name.
    fn push_destinations(&mut self, name: &str) {
        let (mailboxes, mut lost) = self.mailboxes(name);
        let usable: Vec<_> = mailboxes.iter().filter_map(encoded).collect();
        lost |= usable.len() < mailboxes.len();
        if !usable.is_empty() {
            self.push(name, &usable.join(", "));
        }
        if lost {
            let written: Vec<_> = self.head.all(name).map(Field::text).collect();
            let original = text::encode(&text::clip(&written.join(", "), 2000));
            self.push(&format!("X-Postroom-Original-{name}"), &original);
        }
    }

    /// The mailboxes of all fields of a name, and whether anything written there is lost.
    fn mailboxes(&self, name: &str) -> (Vec<Written>, bool) {
        let mut all = (Vec::new(), false);
        for field in self.head.all(name) {
            let (mailboxes, lost) = text::mailboxes(&field.unfolded());
            all.0.extend(mailboxes);
            all.1 |= lost;
        }
        all
    }

    fn push_references(&mut self) {
        let original = self.head.get("Message-ID").map(Field::unfolded);
        let id = original.as_deref().and_then(|line| text::message_ids(line).pop());
        let ids = |name| self.head.get(name).map(|field| text::message_ids(&field.unfolded()));
        let mut references = ids("References").or_else(|| ids("In-Reply-To")).unwrap_or_default();
        references.extend(id.filter(|id| !references.contains(id)));
        // The first names the thread; of the others the last are of use (RFC 5322 section 3.6.4 allows to cut).
        if references.len() > REFERENCES {
            references.drain(1..=references.len() - REFERENCES);
        }
        if !references.is_empty() {
            self.push("References", &references.join(" "));
        }
        if let Some(original) = original.filter(|id| id.is_ascii() && !id.is_empty()) {
            self.push("Original-Message-ID", &plain(&text::clip(&original, 900)));
        }
        if let Some(date) = self.head.get("Date") {
            self.push("X-Postroom-Original-Date", &plain(&text::clip(&date.unfolded(), 200)));
        }
    }

    /// The original's other fields in their order.
    fn push_kept(&mut self) {
        let fields = self.head.fields();
        let mut seen: Vec<String> = Vec::new();
        for field in fields.iter().filter(|field| is_kept(field)) {
            let name = field.name().to_ascii_lowercase();
            if SINGLE.iter().any(|single| field.is(single)) || name.starts_with("content-") {
                if seen.contains(&name) {
                    continue;
                }
                seen.push(name);
            }
            match field.is("Date") || field.is("Resent-Date") {
                true => self.push_date(field),
                false => self.push_field(field),
            }
        }
        if !seen.iter().any(|name| name == "date") {
            self.push("Date", &date(self.rewrite.at));
        }
        if !seen.iter().any(|name| name == "mime-version") && seen.iter().any(|name| name.starts_with("content-")) {
            self.push("MIME-Version", "1.0");
        }
    }

    /// A date that is one keeps its bytes; what only a lenient reader takes for one is written anew.
    fn push_date(&mut self, field: &Field<'_>) {
        let line = field.unfolded();
        if rfc2822::parse(&line).is_ok() && is_clean(field) {
            self.push_field(field);
        } else if let Some(at) = parse_date(&line).or(field.is("Date").then_some(self.rewrite.at)) {
            self.push(field.name(), &date(at));
        }
    }

    fn push_field(&mut self, field: &Field<'_>) {
        if is_clean(field) {
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
        let is_mime = field
            .name()
            .get(..8)
            .is_some_and(|start| start.eq_ignore_ascii_case("Content-"));
        let value = if is_mime && !field.is("Content-Description") {
            plain(&text::encode_parameters(&line))
        } else if STRUCTURED.iter().any(|name| field.is(name)) {
            plain(&line)
        } else if line.is_ascii() && !text::hides_controls(&line) {
            line
        } else {
            text::encode(&text::decode(&line))
        };
        if !value.is_empty() {
            self.push(field.name(), &value);
        }
    }
}

fn is_kept(field: &Field<'_>) -> bool {
    let rewritten = ["From", "To", "Cc", "Reply-To", "References"];
    let name = field.name();
    let has_prefix = |prefix: &&str| {
        name.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    name.len() <= LONGEST_NAME
        && field.raw_value().len() <= LONGEST_VALUE
        && !rewritten.iter().chain(&DROPPED).any(|dropped| field.is(dropped))
        && !DROPPED_PREFIXES.iter().any(has_prefix)
}

/// Whether a field can be passed on as it is: printable ASCII, lines that are neither blank nor too long, and nothing
/// hidden in encoded words.
fn is_clean(field: &Field<'_>) -> bool {
    let value = field.raw_value();
    let is_line = |(index, line): (usize, &[u8])| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let taken = if index == 0 { field.name().len() + 1 } else { 0 };
        line.len() + taken <= 998
            && !line.trim_ascii().is_empty()
            && line
                .iter()
                .all(|byte| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t'))
    };
    value.split(|byte| *byte == b'\n').enumerate().all(is_line) && !text::hides_controls(&field.unfolded())
}

/// `Jane Doe (jane at shop.example)`.
fn name_of(authors: &[Written]) -> String {
    let without_at = |text: &str| text::clean(&text.replace(['@', '\u{ff20}', '\u{fe6b}'], " at "));
    let first = authors.iter().find(|one| one.address.is_some()).or(authors.first());
    let name = first
        .and_then(|one| one.name.as_deref())
        .map(|name| text::clip(&without_at(name), 100));
    let address = first
        .and_then(|one| one.address.as_deref())
        .map(|address| text::clip(&without_at(address), 200));
    let others = if authors.len() > 1 { " and others" } else { "" };
    match (name, address) {
        (Some(name), Some(address)) if name == address => format!("{name}{others}"),
        (Some(name), Some(address)) => format!("{name}{others} ({address})"),
        (Some(only), None) | (None, Some(only)) => format!("{only}{others}"),
        (None, None) => "unknown sender".to_owned(),
    }
}

/// A mailbox as a header takes it; absent if SES would refuse its address.
fn encoded(mailbox: &Written) -> Option<String> {
    let address = text::usable(mailbox.address.as_deref()?)?;
    let name = mailbox.name.as_deref().map(|name| text::clip(name, 100));
    Some(text::encode_mailbox(name.as_deref(), &address))
}

/// ASCII for a field without encoded words: nothing in it is taken for one, not even after its other characters are gone.
fn plain(text: &str) -> String {
    let text = text.replace(|c: char| !c.is_ascii(), "_");
    if text::hides_controls(&text) {
        text.replace("=?", "-?")
    } else {
        text
    }
}

pub(super) fn date(at: Timestamp) -> String {
    rfc2822::to_string(&at.to_zoned(jiff::tz::TimeZone::UTC)).unwrap_or_default()
}
