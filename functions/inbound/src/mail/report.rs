//! Bounces and complaints that arrive as mail, as the notifications they would have been.

use jiff::Timestamp;

use super::{HeadError, Limits};

/// A delivery status notification or feedback report.
#[derive(Clone, PartialEq, Eq)]
pub struct Report {}

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

/// Reads a report.
///
/// # Errors
/// When it is none, names nobody, or exceeds the limits.
pub fn read(mail: &[u8], limits: &Limits) -> Result<Report, ReportError> {
    let _ = (mail, limits);
    Err(ReportError::NotAReport)
}

impl Report {
    /// The report as SES's own JSON, ready for `notification_model::parse` and the feedback function: at most one bounce
    /// per bounce type, or one complaint. Empty when it reports nothing bad: a delay, a delivery.
    #[must_use]
    pub fn notifications(&self, arrival: &Arrival<'_>) -> Vec<String> {
        let _ = arrival;
        Vec::new()
    }
}
