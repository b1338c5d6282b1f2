//! The mail that is a report.

use jiff::Timestamp;

/// The mail that is a report.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// SES's id of the mail. It becomes the `feedbackId`.
    pub message_id: &'a str,
    /// The time at which SES received the mail. It becomes the timestamp of the event.
    pub at: Timestamp,
}
