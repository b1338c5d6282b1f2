//! The outcomes of actions, and the log of them.

use std::sync::{Mutex, PoisonError};

/// The outcome of an action that needs no retry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// This invocation took the action.
    Done,
    /// An earlier invocation took the action.
    AlreadyDone,
    /// A notice was sent instead of the mail.
    NoticeSent,
    /// The decision was not to take the action.
    Skipped,
    /// The action is not allowed, for this reason: a limit, an invalid token, an unreadable report.
    Rejected(String),
    /// A cap stops the action, for this reason. An operator can send the mail later.
    Capped(String),
}

impl Outcome {
    /// The outcome in metrics.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::AlreadyDone => "already-done",
            Self::NoticeSent => "notice-sent",
            Self::Skipped => "skipped",
            Self::Rejected(_) => "rejected",
            Self::Capped(_) => "capped",
        }
    }

    /// Why the action was not taken.
    pub(super) fn reason(&self) -> Option<&str> {
        match self {
            Self::Rejected(reason) | Self::Capped(reason) => Some(reason),
            Self::Done | Self::AlreadyDone | Self::NoticeSent | Self::Skipped => None,
        }
    }
}

/// An entry of the [`OutcomeLog`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogEntry {
    /// An action ended.
    Action {
        /// The name of the action.
        name: &'static str,
        /// Its outcome.
        outcome: &'static str,
    },
    /// A cap stopped an action.
    CapReached {
        /// The metric of the cap.
        metric: &'static str,
    },
    /// An unsubscribe token is not valid.
    InvalidToken {
        /// Why.
        reason: &'static str,
    },
}

/// The outcomes of a mail so far. They are kept even if the time budget ends before all actions.
#[derive(Debug, Default)]
pub struct OutcomeLog(Mutex<Vec<LogEntry>>);

impl OutcomeLog {
    /// The entries in their order.
    #[must_use]
    pub fn into_entries(self) -> Vec<LogEntry> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, entry: LogEntry) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }
}
