//! Why a message is in a dead-letter queue.

use std::fmt;

use clap::ValueEnum;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Cause {
    /// The message is not from SNS, EventBridge or SES.
    Envelope,
    /// The content of the message is invalid or unknown.
    Payload,
    /// The message is for another function.
    WrongQueue,
    /// The target rejected the message, and the reason is recorded.
    Rejected,
    /// The message is valid: a dependency failed, such as the table, an AWS service or a timeout.
    Dependency,
}

impl Cause {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Envelope => "envelope",
            Self::Payload => "payload",
            Self::WrongQueue => "wrong-queue",
            Self::Rejected => "rejected",
            Self::Dependency => "dependency",
        }
    }

    /// What happens when a message with this cause is redriven.
    pub(super) fn redrive_advice(self) -> &'static str {
        match self {
            Self::Envelope | Self::Payload => "fails again until the function is updated to read it",
            Self::WrongQueue => "fails again in this queue; use --to with the URL of the right queue",
            Self::Rejected => "fails again until the target accepts messages",
            Self::Dependency => "succeeds when the dependency works again; see the function's log for the error",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
