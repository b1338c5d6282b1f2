//! Recognises reports by their header.

use super::HeaderBlock;
use super::decode::content_type;

/// The kind of a `multipart/report` ([RFC 6522](https://www.rfc-editor.org/rfc/rfc6522)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportKind {
    /// A delivery status notification, RFC 3464.
    Delivery,
    /// A feedback report, RFC 5965: a complaint.
    Feedback,
    /// Any other report: a read receipt, a DMARC or TLS report.
    Other,
}

/// The kind that the `Content-Type` field declares; `None` if the mail is not a report.
pub(super) fn report_kind(header: &HeaderBlock<'_>) -> Option<ReportKind> {
    let content_type = content_type(&header.get("Content-Type")?.unfolded())?;
    let is_report = content_type.ctype() == "multipart" && content_type.subtype() == Some("report");
    let report_type = content_type
        .attribute("report-type")
        .unwrap_or_default()
        .to_ascii_lowercase();
    is_report.then_some(match report_type.as_str() {
        "delivery-status" => ReportKind::Delivery,
        "feedback-report" => ReportKind::Feedback,
        _ => ReportKind::Other,
    })
}
