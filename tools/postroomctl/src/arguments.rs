//! Parsers of argument values that several commands use.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use notification_model::EmailAddress;

pub(crate) fn parse_address(text: &str) -> Result<EmailAddress, String> {
    EmailAddress::parse(text)
        .filter(|address| address.domain().is_some_and(|domain| !domain.is_empty()))
        .ok_or_else(|| "expected a mail address such as jane@example.com".to_owned())
}

pub(crate) fn parse_limit(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|limit| *limit > 0)
        .ok_or_else(|| "expected a number of at least 1".to_owned())
}

/// A day, which is its midnight in UTC, or a time.
pub(crate) fn parse_day_or_time(text: &str) -> Result<Timestamp, String> {
    let day = text.parse::<Date>().ok().filter(|_| text.len() == 10);
    let midnight = day.and_then(|day| day.to_zoned(TimeZone::UTC).ok());
    midnight
        .map(|midnight| midnight.timestamp())
        .or_else(|| text.parse().ok())
        .ok_or_else(|| "expected a day such as 2026-03-01 or a time such as 2026-03-01T12:00:00Z".to_owned())
}
