//! Everything that a decision depends on.

use notification_model::Received;

use super::facts::{Facts, HeaderFacts};
use crate::mail::MailFacts;
use crate::settings::Policy;

/// An unsubscribe token has at most 1500 characters. A row of the table and a notification have room for this many.
const MAX_SUBJECT_CHARS: usize = 4000;

/// Everything that a decision depends on.
pub(super) struct Context<'a> {
    pub(super) received: &'a Received,
    pub(super) facts: &'a Facts,
    pub(super) policy: &'a Policy,
}

impl Context<'_> {
    /// The facts of the header, if it was read.
    pub(super) fn header(&self) -> Option<&MailFacts> {
        match &self.facts.header {
            HeaderFacts::Read(header) => Some(header),
            HeaderFacts::Unreadable(_) | HeaderFacts::Unknown => None,
        }
    }

    /// The first characters of the subject, from the header or else from the SES event.
    pub(super) fn subject(&self) -> Option<String> {
        let subject = match self.header() {
            Some(header) => header.subject.as_ref(),
            None => self.received.mail.common_headers.as_ref()?.subject.as_ref(),
        };
        subject.map(|subject| subject.chars().take(MAX_SUBJECT_CHARS).collect())
    }
}
