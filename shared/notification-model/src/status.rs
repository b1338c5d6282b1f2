//! Enhanced mail system status codes, [RFC 3463](https://www.rfc-editor.org/rfc/rfc3463).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An enhanced status code such as `5.1.1`: class (2 success, 4 persistent transient, 5 permanent), subject, detail.
///
/// ```
/// use notification_model::StatusCode;
///
/// let status: StatusCode = "5.1.1".parse()?;
/// assert!(status.is_permanent());
/// assert_eq!(StatusCode::find_in("550-5.1.1 no such user"), Some(status));
/// # Ok::<(), notification_model::InvalidStatusCode>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatusCode {
    /// 2, 4 or 5.
    pub class: u8,
    /// What the code is about: 1 addressing, 2 mailbox, 3 mail system, 4 network, 5 protocol, 6 content, 7 policy.
    pub subject: u16,
    /// The precise condition within the subject.
    pub detail: u16,
}

/// A text is not `class.subject.detail` with class 2, 4 or 5 and at most three digits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an RFC 3463 status code such as 5.1.1")]
pub struct InvalidStatusCode;

impl StatusCode {
    /// Creates a code without checking the numbers.
    #[must_use]
    pub const fn new(class: u8, subject: u16, detail: u16) -> Self {
        Self { class, subject, detail }
    }

    /// Whether a retry fails again (class 5).
    #[must_use]
    pub const fn is_permanent(self) -> bool {
        self.class == 5
    }

    /// Whether a later retry may succeed (class 4).
    #[must_use]
    pub const fn is_transient(self) -> bool {
        self.class == 4
    }

    /// Returns the first status code in a diagnostic text (`smtp; 550-5.1.1 The email account ...`). An IP address is not a
    /// status code, because it has four numbers.
    #[must_use]
    pub fn find_in(text: &str) -> Option<Self> {
        text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
            .find_map(|word| word.trim_matches('.').parse().ok())
    }
}

impl FromStr for StatusCode {
    type Err = InvalidStatusCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |part: Option<&str>| {
            part.filter(|digits| (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|digits| digits.parse::<u16>().ok())
                .ok_or(InvalidStatusCode)
        };
        let mut parts = text.trim().split('.');
        let (class, subject, detail) = (number(parts.next())?, number(parts.next())?, number(parts.next())?);
        match class {
            2 | 4 | 5 if parts.next().is_none() => Ok(Self {
                class: class as u8,
                subject,
                detail,
            }),
            _ => Err(InvalidStatusCode),
        }
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

impl Serialize for StatusCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads an optional status. A malformed status reads as absent, because SES passes on the text of the remote server
/// unchanged.
pub(crate) fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<StatusCode>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.and_then(|text| text.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::StatusCode;

    #[test]
    fn the_first_status_code_of_a_diagnostic_is_found() {
        let cases = [
            ("smtp; 550 5.1.1 <user>... User unknown", Some("5.1.1")),
            ("smtp; 550-5.1.1 The email account", Some("5.1.1")),
            ("550 #5.1.0 Address rejected", Some("5.1.0")),
            ("Amazon SES has suppressed sending (5.1.1).", Some("5.1.1")),
            ("connection to 5.1.1.20 timed out", None),
            ("smtp; 550 no such user", None),
            ("5.7.520 Access denied", Some("5.7.520")),
            ("3.1.1", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(
                StatusCode::find_in(text).map(|code| code.to_string()).as_deref(),
                expected,
                "{text}"
            );
        }
    }
}
