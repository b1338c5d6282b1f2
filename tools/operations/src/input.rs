//! What an operator enters: addresses and times.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use notification_model::EmailAddress;

/// Reads a mail address in any spelling. It must have a domain.
#[must_use]
pub fn parse_address(text: &str) -> Option<EmailAddress> {
    EmailAddress::parse(text).filter(|address| address.domain().is_some_and(|domain| !domain.is_empty()))
}

/// Reads a day, which is its midnight in UTC, or a time (RFC 3339).
#[must_use]
pub fn parse_day_or_time(text: &str) -> Option<Timestamp> {
    let day = text.parse::<Date>().ok().filter(|_| text.len() == 10);
    let midnight = day.and_then(|day| day.to_zoned(TimeZone::UTC).ok());
    midnight
        .map(|midnight| midnight.timestamp())
        .or_else(|| text.parse().ok())
}
