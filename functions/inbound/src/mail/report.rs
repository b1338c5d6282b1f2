//! Converts bounces and complaints that arrive as mail into SES notifications.
//!
//! It reads delivery status notifications (RFC 3464, and RFC 6533 for internationalised mail) and feedback reports (RFC 5965),
//! as SES sends them if feedback forwarding by e-mail is on. It does not read prose: the bounces of qmail and old Exim
//! versions name no recipient in a machine-readable form.
//!
//! A report is an unverified claim, and its author chooses the header that it returns. The notification therefore has only
//! the recipients, date and id of the returned header, and the feedback function classifies it like any other: it counts a
//! bounce only against addresses that the message was sent to. A `Bcc` recipient is not in the returned header, so such a
//! bounce is recorded but suppresses no address.

mod addresses;
mod arrival;
mod delivery_status;
mod feedback;
mod json;
mod mime;
mod original;

pub use arrival::Arrival;

use self::delivery_status::{DeliveryStatus, first_text};
use self::feedback::Feedback;
use self::mime::{decode_content, field_groups, media_type, parts, report_boundary};
use self::original::Original;
use super::{HeaderBlock, HeaderError, Limits};

/// SES allows 50 recipients for a message.
const MAX_RECIPIENTS: usize = 50;

/// A delivery status notification or feedback report.
#[derive(Clone, PartialEq, Eq)]
pub struct Report {
    content: Content,
    original: Original,
}

#[derive(Clone, PartialEq, Eq)]
enum Content {
    Delivery(DeliveryStatus),
    Feedback(Feedback),
}

/// Why a mail cannot be read as a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// The header block of the mail or of a part cannot be read.
    #[error("the header block cannot be read: {0}")]
    Header(#[from] HeaderError),
    /// The report is larger than [`Limits::report_bytes`].
    #[error("the report has more than {limit} octets")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The mail is not a `multipart/report` with a delivery status or a feedback report.
    #[error("the mail is neither a delivery status notification nor a feedback report")]
    NotAReport,
    /// The report names no recipient.
    #[error("the report names no recipient")]
    NoRecipient,
}

/// Reads a report.
///
/// # Errors
/// If the mail is not a report, names no recipient, or exceeds the limits.
pub fn read(mail: &[u8], limits: &Limits) -> Result<Report, ReportError> {
    if mail.len() > limits.report_bytes {
        return Err(ReportError::TooLarge {
            limit: limits.report_bytes,
        });
    }
    let header = HeaderBlock::parse(mail, limits)?;
    let body = mail.get(header.body_offset()..).unwrap_or_default();
    let boundary = report_boundary(&header).ok_or(ReportError::NotAReport)?;
    let mut machine_part = None;
    let mut original = Original::default();
    for part in parts(body, boundary.as_bytes(), limits.parts) {
        let part_header = HeaderBlock::parse(part, limits)?;
        let content = part.get(part_header.body_offset()..).unwrap_or_default();
        match media_type(&part_header).as_str() {
            "message/delivery-status" | "message/global-delivery-status" if machine_part.is_none() => {
                machine_part = Some((MachinePart::DeliveryStatus, decode_content(&part_header, content)));
            }
            "message/feedback-report" if machine_part.is_none() => {
                machine_part = Some((MachinePart::FeedbackReport, decode_content(&part_header, content)));
            }
            "message/rfc822"
            | "message/global"
            | "text/rfc822-headers"
            | "text/rfc822-header"
            | "message/rfc822-headers"
            | "message/global-headers" => {
                let content = decode_content(&part_header, content);
                original = Original::read(&HeaderBlock::parse(&content, limits)?, MAX_RECIPIENTS);
            }
            _ => {}
        }
    }
    let (kind, content) = machine_part.ok_or(ReportError::NotAReport)?;
    let content = match kind {
        MachinePart::DeliveryStatus => {
            let groups = field_groups(&content, limits, MAX_RECIPIENTS)?;
            original.envelope_id = first_text(&groups, "Original-Envelope-Id").filter(|id| !id.is_empty());
            DeliveryStatus::read(&groups, &original).map(Content::Delivery)
        }
        MachinePart::FeedbackReport => {
            let fields = HeaderBlock::parse(content.trim_ascii_start(), limits)?;
            Feedback::read(&fields, &original, MAX_RECIPIENTS).map(Content::Feedback)
        }
    };
    let content = content.ok_or(ReportError::NoRecipient)?;
    Ok(Report { content, original })
}

/// The part of a report that a program reads.
#[derive(Clone, Copy)]
enum MachinePart {
    DeliveryStatus,
    FeedbackReport,
}

impl Report {
    /// The report as SES notifications in JSON: one bounce for each bounce type, or one complaint. Empty if the report is
    /// about a delay or a delivery.
    #[must_use]
    pub fn notifications(&self, arrival: &Arrival<'_>) -> Vec<String> {
        let mail = self.original.to_json(arrival.message_id, arrival.at);
        match &self.content {
            Content::Delivery(status) => status.notifications(&mail, arrival),
            Content::Feedback(feedback) => vec![feedback.notification(&mail, arrival)],
        }
    }
}
