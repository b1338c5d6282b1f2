//! The mail whose actions are taken.

use jiff::Timestamp;
use notification_model::Received;
use tokio::sync::OnceCell;

use super::mail_source::MailSource;
use super::outcome::{LogEntry, OutcomeLog};
use super::send_again::SendAgain;
use crate::decide::{Facts, HeaderFacts};
use crate::mail::MailFacts;

/// The mail whose actions are taken.
pub(super) struct MailContext<'a> {
    pub(super) received: &'a Received,
    pub(super) facts: &'a Facts,
    pub(super) source: &'a MailSource,
    pub(super) now: Timestamp,
    pub(super) outcome_log: &'a OutcomeLog,
    /// The request of an operator to send the mail again.
    pub(super) send_again: Option<&'a SendAgain>,
    /// Whether the sender is within the limit of forwards. Each mail is counted once, whatever its number of targets.
    pub(super) may_forward: OnceCell<bool>,
}

impl MailContext<'_> {
    pub(super) fn log_outcome(&self, action: &'static str, outcome: &'static str) {
        self.outcome_log.add(LogEntry::Action { name: action, outcome });
    }

    /// The facts of the header, if it was read.
    pub(super) fn header(&self) -> Option<&MailFacts> {
        match &self.facts.header {
            HeaderFacts::Read(header) => Some(header),
            HeaderFacts::Unreadable(_) | HeaderFacts::Unknown => None,
        }
    }
}
