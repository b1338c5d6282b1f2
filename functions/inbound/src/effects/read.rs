//! Reads what a decision needs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use notification_model::Received;
use store::{Mailbox, MailboxKey, SenderContext};

use super::error::ActionError;
use super::mail_source::MailSource;
use super::services::Effects;
use crate::decide::{Facts, addressees, event_header_facts, mailbox_keys, needs_header};

impl Effects {
    /// Reads the mailboxes of the recipients.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn mailboxes(&self, received: &Received) -> Result<BTreeMap<MailboxKey, Mailbox>, ActionError> {
        Ok(self.store.mailboxes(&mailbox_keys(received)).await?)
    }

    /// The location of a mail.
    #[must_use]
    pub fn mail_source(&self, received: &Received) -> MailSource {
        MailSource::of(received, &self.settings)
    }

    /// Reads the facts of a decision: the header, if the decision depends on it, and which of the addressees are suppressed.
    ///
    /// # Errors
    /// If the mail or the table cannot be read. The call can be retried.
    pub async fn facts(
        &self,
        received: &Received,
        mailboxes: BTreeMap<MailboxKey, Mailbox>,
        source: &MailSource,
        now: Timestamp,
    ) -> Result<Facts, ActionError> {
        let limits = &self.settings.limits;
        let needs_header = needs_header(received, &mailboxes, &self.settings.policy);
        let header = if !needs_header || source.is_unknown() {
            event_header_facts(received, limits)
        } else {
            source.header(&self.clients.s3, received, limits).await?
        };
        let mut suppressed = BTreeMap::new();
        for (identity, addresses) in addressees(received, &mailboxes) {
            let context = SenderContext {
                identity,
                ..SenderContext::default()
            };
            for result in self.store.check(&addresses, &context, now).await? {
                suppressed.extend(result.suppressions.first().map(|suppression| {
                    let reason = format!("{} in {}", suppression.source, suppression.scope);
                    (result.address.key().to_owned(), reason)
                }));
            }
        }
        Ok(Facts {
            mailboxes,
            header,
            size: source.size(),
            location: source.location(),
            suppressed,
            now,
        })
    }
}
