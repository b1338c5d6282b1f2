//! Timestamps in all formats of SES.

use jiff::Timestamp;
use jiff::fmt::strtime;
use serde::{Deserialize, Deserializer, de};

/// Reads a timestamp of SES: RFC 3339 with `Z` or an offset, or `2018-10-08T14:05:45 +0000` as in set-up messages and
/// rendering failures.
///
/// ```
/// use notification_model::parse_timestamp;
///
/// let expected = "2018-10-08T14:05:45Z".parse().ok();
/// assert_eq!(parse_timestamp("2018-10-08T14:05:45.000Z"), expected);
/// assert_eq!(parse_timestamp("2018-10-08T16:05:45+02:00"), expected);
/// assert_eq!(parse_timestamp("2018-10-08T14:05:45 +0000"), expected);
/// assert_eq!(parse_timestamp("yesterday"), None);
/// ```
#[must_use]
pub fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(timestamp) = text.parse() {
        return Some(timestamp);
    }
    ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%dT%H:%M:%S%.f %z"]
        .iter()
        .find_map(|format| strtime::parse(format, text).ok()?.to_timestamp().ok())
}

pub(crate) fn required<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_timestamp(&text).ok_or_else(|| de::Error::custom("expected an RFC 3339 timestamp"))
}

/// Reads an optional timestamp. An unreadable one reads as absent, because no decision needs it.
pub(crate) fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?
        .as_deref()
        .and_then(parse_timestamp))
}
