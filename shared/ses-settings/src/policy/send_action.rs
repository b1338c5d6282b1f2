//! Actions of sending authorization policies.

use std::str::FromStr;

/// An action that a sending authorization policy can allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SendAction {
    /// `SendEmail` of both APIs, without templates in v1.
    SendEmail,
    /// `SendRawEmail`, raw mail in v2, and SMTP.
    SendRawEmail,
    /// `SendTemplatedEmail`, and templates in v2.
    SendTemplatedEmail,
    /// `SendBulkTemplatedEmail`, and `SendBulkEmail` in v2.
    SendBulkTemplatedEmail,
}

/// A text is not an action that a policy can allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected SendEmail, SendRawEmail, SendTemplatedEmail or SendBulkTemplatedEmail")]
pub struct InvalidAction;

impl SendAction {
    /// All actions.
    pub const ALL: [Self; 4] = [
        Self::SendEmail,
        Self::SendRawEmail,
        Self::SendTemplatedEmail,
        Self::SendBulkTemplatedEmail,
    ];

    /// The name without the service.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SendEmail => "SendEmail",
            Self::SendRawEmail => "SendRawEmail",
            Self::SendTemplatedEmail => "SendTemplatedEmail",
            Self::SendBulkTemplatedEmail => "SendBulkTemplatedEmail",
        }
    }

    /// The name in a policy, for example `ses:SendEmail`.
    #[must_use]
    pub fn iam_name(self) -> String {
        format!("ses:{}", self.as_str())
    }
}

impl FromStr for SendAction {
    type Err = InvalidAction;

    /// Accepts the name with or without `ses:`, in any case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.get(..4).filter(|service| service.eq_ignore_ascii_case("ses:"));
        let name = if name.is_some() {
            text.get(4..).unwrap_or_default()
        } else {
            text
        };
        let mut actions = Self::ALL.into_iter();
        actions
            .find(|action| action.as_str().eq_ignore_ascii_case(name))
            .ok_or(InvalidAction)
    }
}

#[cfg(test)]
mod tests {
    use super::SendAction;

    #[test]
    fn actions_are_read_with_and_without_the_service() {
        for text in ["ses:SendRawEmail", "SendRawEmail", "sendrawemail", "SES:sendRAWemail"] {
            assert_eq!(text.parse(), Ok(SendAction::SendRawEmail), "{text}");
        }
        for text in ["", "ses:", "ses:*", "SendBounce", "\u{e9}ses:SendEmail"] {
            assert!(text.parse::<SendAction>().is_err(), "{text}");
        }
    }
}
