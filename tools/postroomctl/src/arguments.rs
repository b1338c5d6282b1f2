//! Parsers of argument values that several commands use.

use jiff::Timestamp;
use notification_model::EmailAddress;

pub(crate) fn parse_address(text: &str) -> Result<EmailAddress, String> {
    operations::parse_address(text).ok_or_else(|| "expected a mail address such as jane@example.com".to_owned())
}

pub(crate) fn parse_limit(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|limit| *limit > 0)
        .ok_or_else(|| "expected a number of at least 1".to_owned())
}

/// A day, which is its midnight in UTC, or a time.
pub(crate) fn parse_day_or_time(text: &str) -> Result<Timestamp, String> {
    operations::parse_day_or_time(text)
        .ok_or_else(|| "expected a day such as 2026-03-01 or a time such as 2026-03-01T12:00:00Z".to_owned())
}
