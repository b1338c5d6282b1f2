//! Dates in header fields.

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::decode::truncate;

/// Parses a date. Accepts RFC 5322 and common deviations from it.
pub(super) fn parse_date(line: &str) -> Option<Timestamp> {
    let date = mail_parser::DateTime::parse_rfc822(&truncate(line, 200)).filter(mail_parser::DateTime::is_valid)?;
    Timestamp::from_second(date.to_timestamp()).ok()
}

/// Whether a date conforms to RFC 5322.
pub(super) fn is_valid_date(line: &str) -> bool {
    rfc2822::parse(line).is_ok()
}

/// A date in UTC as RFC 5322 has it.
pub(super) fn format_date(at: Timestamp) -> String {
    rfc2822::to_string(&at.to_zoned(jiff::tz::TimeZone::UTC)).unwrap_or_default()
}
