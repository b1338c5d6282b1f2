//! Bounces and complaints that arrive as mail, as the notifications they would have been.
//!
//! Read are delivery status notifications (RFC 3464, and RFC 6533 for internationalised mail) and feedback reports
//! (RFC 5965), as SES forwards them when feedback forwarding by e-mail is on. Prose is not read: the old bounces of qmail
//! and Exim name nobody that a machine could rely on.
//!
//! A report is the word of whoever wrote it, and it returns the header it likes. So what is made of it says only what the
//! returned header says (whom the message was sent to, when, under which id), and the feedback function, which counts a
//! bounce only against addresses the message was sent to, judges it as it judges every other. A `Bcc` recipient is not in
//! that header: the bounce is noted, and suppresses nobody.

use std::borrow::Cow;

use jiff::Timestamp;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use notification_model::{EmailAddress, StatusCode};
use serde_json::{Value, json};

use super::facts::parse_date;
use super::{Field, Head, HeadError, Limits, text};

/// A delivery status notification or feedback report.
#[derive(Clone, PartialEq, Eq)]
pub struct Report {
    kind: Kind,
    original: Original,
}

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Delivery {
        reporting_mta: Option<String>,
        recipients: Vec<Recipient>,
    },
    Feedback {
        feedback_type: Option<String>,
        user_agent: Option<String>,
        arrival_date: Option<Timestamp>,
        complained: Vec<String>,
    },
}

/// One recipient of a delivery status notification.
#[derive(Clone, PartialEq, Eq)]
struct Recipient {
    address: EmailAddress,
    action: Option<String>,
    status: Option<StatusCode>,
    diagnostic: Option<String>,
}

/// What the report returns of the message it is about.
#[derive(Clone, Default, PartialEq, Eq)]
struct Original {
    ses_id: Option<String>,
    header_id: Option<String>,
    envelope_id: Option<String>,
    source: Option<String>,
    destination: Vec<String>,
    date: Option<Timestamp>,
}

/// How a report came.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// SES's id of the mail that is the report: becomes the `feedbackId`.
    pub message_id: &'a str,
    /// When SES received it: becomes the event's timestamp.
    pub at: Timestamp,
}

/// Why a mail gives no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// The header block, or a part's, can't be read.
    #[error("cannot read the header block: {0}")]
    Head(#[from] HeadError),
    /// Larger than [`Limits::report_bytes`].
    #[error("the report has more than {limit} octets")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// Not a `multipart/report` with a delivery status or a feedback report.
    #[error("the mail is neither a delivery status notification nor a feedback report")]
    NotAReport,
    /// A report that names nobody.
    #[error("the report names no recipient")]
    NoRecipient,
}

/// More recipients than SES takes for one message are not read.
const RECIPIENTS: usize = 50;
const DIAGNOSTIC_CHARS: usize = 1000;

/// Reads a report.
///
/// # Errors
/// When it is none, names nobody, or exceeds the limits.
pub fn read(mail: &[u8], limits: &Limits) -> Result<Report, ReportError> {
    if mail.len() > limits.report_bytes {
        return Err(ReportError::TooLarge {
            limit: limits.report_bytes,
        });
    }
    let head = Head::parse(mail, limits)?;
    let body = mail.get(head.body_offset()..).unwrap_or_default();
    let boundary = report_boundary(&head).ok_or(ReportError::NotAReport)?;
    let mut machine_part = None;
    let mut original = Original::default();
    for part in parts(body, boundary.as_bytes(), limits.parts) {
        let part_head = Head::parse(part, limits)?;
        let content = part.get(part_head.body_offset()..).unwrap_or_default();
        match media_type(&part_head).as_str() {
            "message/delivery-status" | "message/global-delivery-status" if machine_part.is_none() => {
                machine_part = Some((MachinePart::DeliveryStatus, decoded(&part_head, content)));
            }
            "message/feedback-report" if machine_part.is_none() => {
                machine_part = Some((MachinePart::FeedbackReport, decoded(&part_head, content)));
            }
            "message/rfc822"
            | "message/global"
            | "text/rfc822-headers"
            | "text/rfc822-header"
            | "message/rfc822-headers"
            | "message/global-headers" => {
                original = Original::of(&Head::parse(&decoded(&part_head, content), limits)?);
            }
            _ => {}
        }
    }
    let (which, content) = machine_part.ok_or(ReportError::NotAReport)?;
    match which {
        MachinePart::DeliveryStatus => delivery_status(&content, original, limits),
        MachinePart::FeedbackReport => feedback_report(&content, original, limits),
    }
}

#[derive(Clone, Copy)]
enum MachinePart {
    DeliveryStatus,
    FeedbackReport,
}

fn report_boundary(head: &Head<'_>) -> Option<String> {
    let content_type = text::content_type(&head.get("Content-Type")?.unfolded())?;
    let is_report = content_type.ctype() == "multipart" && content_type.subtype() == Some("report");
    let boundary = content_type
        .attribute("boundary")
        .filter(|boundary| !boundary.is_empty())?;
    is_report.then(|| boundary.to_owned())
}

fn media_type(head: &Head<'_>) -> String {
    head.get("Content-Type")
        .and_then(|field| text::content_type(&field.unfolded()))
        .map(|one| format!("{}/{}", one.ctype(), one.subtype().unwrap_or_default()).to_ascii_lowercase())
        .unwrap_or_default()
}

/// The content without its transfer encoding; as it is when that is none, unknown or broken.
fn decoded<'a>(head: &Head<'_>, content: &'a [u8]) -> Cow<'a, [u8]> {
    let encoding = head
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

/// The parts between the boundary's lines. What stands before the first and behind the last is nobody's.
fn parts<'a>(body: &'a [u8], boundary: &[u8], most: usize) -> Vec<&'a [u8]> {
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
        if is_end || parts.len() == most {
            return parts;
        }
        at = next;
    }
    parts.extend(start.and_then(|start| body.get(start..)));
    parts
}

/// The groups of fields of a delivery status, with an empty line between them, at most so many.
fn groups<'a>(content: &'a [u8], limits: &Limits) -> Result<Vec<Head<'a>>, HeadError> {
    let mut groups = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        let next = at + line.len();
        let is_empty = line.trim_ascii().is_empty();
        if is_empty || next == content.len() {
            let group = content.get(start..next).unwrap_or_default();
            if !group.trim_ascii().is_empty() {
                groups.push(Head::parse(group, limits)?);
            }
            start = next;
        }
        if groups.len() > RECIPIENTS {
            break;
        }
        at = next;
    }
    Ok(groups)
}

fn delivery_status(content: &[u8], mut original: Original, limits: &Limits) -> Result<Report, ReportError> {
    let groups = groups(content, limits)?;
    let field = |name: &str| groups.iter().find_map(|group| group.get(name)).map(Field::text);
    original.envelope_id = field("Original-Envelope-Id").filter(|id| !id.is_empty());
    let recipients: Vec<_> = groups
        .iter()
        .filter_map(|group| Recipient::of(group, &original))
        .collect();
    if recipients.is_empty() {
        return Err(ReportError::NoRecipient);
    }
    let kind = Kind::Delivery {
        reporting_mta: field("Reporting-MTA").map(|mta| text::clip(&mta, 300)),
        recipients,
    };
    Ok(Report { kind, original })
}

fn feedback_report(content: &[u8], original: Original, limits: &Limits) -> Result<Report, ReportError> {
    let head = Head::parse(content.trim_ascii_start(), limits)?;
    let recipients = head.all("Original-Rcpt-To").take(RECIPIENTS);
    let mut complained: Vec<_> = recipients.filter_map(|field| address_in(&field.unfolded())).collect();
    if complained.is_empty() {
        // Most providers leave the complainer out; SES then names everyone the message went to.
        complained.clone_from(&original.destination);
    }
    if complained.is_empty() {
        return Err(ReportError::NoRecipient);
    }
    let clipped = |name| {
        head.text(name)
            .filter(|value| !value.is_empty())
            .map(|value| text::clip(&value, 200))
    };
    let arrival = head.get("Arrival-Date").or_else(|| head.get("Received-Date"));
    let kind = Kind::Feedback {
        feedback_type: clipped("Feedback-Type").map(|value| value.to_ascii_lowercase()),
        user_agent: clipped("User-Agent"),
        arrival_date: arrival.and_then(|field| parse_date(&field.unfolded())),
        complained,
    };
    Ok(Report { kind, original })
}

impl Recipient {
    fn of(group: &Head<'_>, original: &Original) -> Option<Self> {
        let typed = |name| group.get(name).and_then(|field| typed_address(&field.unfolded()));
        let named = [typed("Final-Recipient"), typed("Original-Recipient")]
            .into_iter()
            .flatten();
        let named: Vec<_> = named
            .flat_map(|text| [decode_xtext(&text), Some(text)].into_iter().flatten())
            .collect();
        let addresses: Vec<_> = named
            .iter()
            .rev()
            .filter_map(|text| EmailAddress::parse(text))
            .collect();
        // After forwarding the final recipient is not whom the message was sent to; the original recipient may be.
        let mailed = addresses.iter().rev().find(|address| original.was_sent_to(address));
        let as_written = || typed("Final-Recipient").or_else(|| typed("Original-Recipient"));
        let address = mailed.cloned().or_else(|| EmailAddress::parse(&as_written()?))?;
        let diagnostic = group.text("Diagnostic-Code").filter(|text| !text.is_empty());
        Some(Self {
            address,
            action: group
                .text("Action")
                .map(|action| text::clip(&action, 40).to_ascii_lowercase()),
            status: group
                .text("Status")
                .and_then(|status| StatusCode::find_in(&status))
                .or_else(|| StatusCode::find_in(diagnostic.as_deref()?)),
            diagnostic: diagnostic.map(|text| text::clip(&text, DIAGNOSTIC_CHARS)),
        })
    }

    /// A delay or a success is no bounce. Without an action, the status tells.
    fn bounced(&self) -> bool {
        match self.action.as_deref() {
            Some("delayed" | "delivered" | "relayed" | "expanded") => false,
            Some("failed") => true,
            _ => self.status.is_some_and(StatusCode::is_permanent),
        }
    }

    fn bounce_type(&self) -> (&'static str, &'static str) {
        match self.status {
            Some(status) if status.is_permanent() => ("Permanent", "General"),
            Some(status) if status.is_transient() => ("Transient", "General"),
            _ => ("Undetermined", "Undetermined"),
        }
    }

    fn to_json(&self) -> Value {
        let mut recipient = json!({ "emailAddress": self.address.as_str() });
        set(&mut recipient, "action", self.action.clone().map(Value::from));
        set(
            &mut recipient,
            "status",
            self.status.map(|status| status.to_string().into()),
        );
        set(
            &mut recipient,
            "diagnosticCode",
            self.diagnostic.clone().map(Value::from),
        );
        recipient
    }
}

impl Original {
    fn of(head: &Head<'_>) -> Self {
        let addresses = |name: &str| -> Vec<String> {
            let fields = head.all(name).flat_map(|field| text::mailboxes(&field.unfolded()).0);
            fields.filter_map(|one| address_in(&one.address?)).collect()
        };
        let header_id = head
            .get("Message-ID")
            .and_then(|field| text::message_ids(&field.unfolded()).pop())
            .map(|id| id.trim_matches(['<', '>']).to_owned());
        let mut destination = addresses("To");
        destination.extend(addresses("Cc"));
        destination.truncate(RECIPIENTS);
        Self {
            ses_id: header_id.as_deref().and_then(ses_id),
            header_id,
            envelope_id: None,
            source: addresses("From").into_iter().next(),
            destination,
            date: head.get("Date").and_then(|field| parse_date(&field.unfolded())),
        }
    }

    fn was_sent_to(&self, address: &EmailAddress) -> bool {
        let sent_to = self.destination.iter().filter_map(|text| EmailAddress::parse(text));
        sent_to.into_iter().any(|one| one.key() == address.key())
    }

    /// The `mail` object. Every notification needs an id and a time: without the returned ones, what comes closest.
    fn to_json(&self, arrival: &Arrival<'_>) -> Value {
        let id = [&self.ses_id, &self.header_id, &self.envelope_id];
        let id = id
            .into_iter()
            .flatten()
            .next()
            .map_or(arrival.message_id, String::as_str);
        // The date is the report's word: a message is not sent after it bounced.
        let sent = self.date.map_or(arrival.at, |date| date.min(arrival.at));
        let mut mail = json!({ "timestamp": sent.to_string(), "messageId": text::clip(id, 300) });
        set(&mut mail, "source", self.source.clone().map(Value::from));
        let destination = (!self.destination.is_empty()).then(|| self.destination.clone().into());
        set(&mut mail, "destination", destination);
        mail
    }
}

impl Report {
    /// The report as SES's own JSON, ready for `notification_model::parse` and the feedback function: at most one bounce
    /// per bounce type, or one complaint. Empty when it reports nothing bad: a delay, a delivery.
    #[must_use]
    pub fn notifications(&self, arrival: &Arrival<'_>) -> Vec<String> {
        let mail = self.original.to_json(arrival);
        match &self.kind {
            Kind::Delivery {
                reporting_mta,
                recipients,
            } => bounces(&mail, reporting_mta.as_deref(), recipients, arrival),
            Kind::Feedback {
                feedback_type,
                user_agent,
                arrival_date,
                complained,
            } => {
                let complained: Vec<_> = complained
                    .iter()
                    .map(|address| json!({ "emailAddress": address }))
                    .collect();
                let mut complaint = json!({
                    "complainedRecipients": complained,
                    "timestamp": arrival.at.to_string(),
                    "feedbackId": arrival.message_id,
                });
                set(
                    &mut complaint,
                    "complaintFeedbackType",
                    feedback_type.clone().map(Value::from),
                );
                set(&mut complaint, "userAgent", user_agent.clone().map(Value::from));
                set(
                    &mut complaint,
                    "arrivalDate",
                    arrival_date.map(|date| date.to_string().into()),
                );
                vec![json!({ "notificationType": "Complaint", "complaint": complaint, "mail": mail }).to_string()]
            }
        }
    }
}

fn bounces(mail: &Value, reporting_mta: Option<&str>, recipients: &[Recipient], arrival: &Arrival<'_>) -> Vec<String> {
    let kinds = [
        ("Permanent", "General"),
        ("Transient", "General"),
        ("Undetermined", "Undetermined"),
    ];
    let bounced = |kind| -> Vec<Value> {
        let of_kind = recipients
            .iter()
            .filter(|one| one.bounced() && one.bounce_type() == kind);
        of_kind.map(Recipient::to_json).collect()
    };
    kinds
        .into_iter()
        .map(|kind| (kind, bounced(kind)))
        .filter(|(_, recipients)| !recipients.is_empty())
        .map(|((bounce_type, sub_type), recipients)| {
            let mut bounce = json!({
                "bounceType": bounce_type,
                "bounceSubType": sub_type,
                "bouncedRecipients": recipients,
                "timestamp": arrival.at.to_string(),
                "feedbackId": arrival.message_id,
            });
            set(&mut bounce, "reportingMTA", reporting_mta.map(Value::from));
            json!({ "notificationType": "Bounce", "bounce": bounce, "mail": mail }).to_string()
        })
        .collect()
}

fn set(object: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(object), Some(value)) = (object.as_object_mut(), value) {
        object.insert(name.to_owned(), value);
    }
}

/// The id SES gave a message, from the `Message-ID` it wrote: `<id@email.amazonses.com>` in us-east-1,
/// `<id@region.amazonses.com>` elsewhere.
fn ses_id(header_id: &str) -> Option<String> {
    let (id, domain) = header_id.rsplit_once('@')?;
    let host = domain.to_ascii_lowercase();
    let is_region = host
        .strip_suffix(".amazonses.com")
        .is_some_and(|label| !label.contains('.'));
    (is_region && !id.is_empty()).then(|| id.to_owned())
}

/// The address of `rfc822; jane@example.com` or `utf-8; ...`. Other types are no mail addresses.
fn typed_address(line: &str) -> Option<String> {
    let (kind, address) = line.split_once(';').unwrap_or(("rfc822", line));
    match kind.trim().to_ascii_lowercase().as_str() {
        "rfc822" => address_in(address),
        "utf-8" => address_in(&decode_unitext(address)),
        _ => None,
    }
}

/// One address, cleaned. Absent if it is none, or redacted by the provider.
fn address_in(text: &str) -> Option<String> {
    let address = EmailAddress::parse(&text::clean(text))?;
    let (local, domain) = address.as_str().rsplit_once('@')?;
    let is_redacted = local.to_ascii_lowercase().contains("redacted") || local.chars().all(|c| c == 'x' || c == '*');
    let is_address = !local.is_empty() && domain.contains('.') && !address.as_str().contains(char::is_whitespace);
    (is_address && !is_redacted && address.as_str().len() <= 320).then(|| address.as_str().to_owned())
}

/// `+2B` and the like (RFC 3461 section 4), that some servers leave in the original recipient. `None` if there are none.
fn decode_xtext(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    let mut found = false;
    while let Some((byte, behind)) = rest.split_first() {
        let hex = behind.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let is_hex = |hex: &&str| hex.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b));
        match hex.filter(is_hex).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(octet) if *byte == b'+' => {
                decoded.push(octet);
                rest = behind.get(2..).unwrap_or_default();
                found = true;
            }
            _ => {
                decoded.push(*byte);
                rest = behind;
            }
        }
    }
    String::from_utf8(decoded).ok().filter(|_| found)
}

/// `\x{FC}` (RFC 6533 section 3): how a `utf-8` address is written where only ASCII can be.
fn decode_unitext(text: &str) -> String {
    let mut pieces = text.split("\\x{");
    let mut decoded = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let code = piece
            .split_once('}')
            .and_then(|(hex, rest)| Some((char::from_u32(u32::from_str_radix(hex, 16).ok()?)?, rest)));
        match code {
            Some((c, rest)) => {
                decoded.push(c);
                decoded.push_str(rest);
            }
            None => decoded.push_str(piece),
        }
    }
    decoded
}
