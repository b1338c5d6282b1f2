//! Reads what a decision needs.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use notification_model::{EmailAddress, Received};
use store::{AnswerCounts, Mailbox, MailboxKey, Recipient, Scope, SenderContext};

use super::error::ActionError;
use super::mail_source::MailSource;
use super::services::Effects;
use crate::decide::{
    Facts, SuppressedTarget, answered_addresses, event_header_facts, forward_targets, mailbox_keys, needs_header,
};

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
        let answered = answered_addresses(received, &mailboxes, &self.settings.policy);
        let targets = forward_targets(received, &mailboxes);
        let addresses: BTreeMap<&str, &EmailAddress> = answered
            .values()
            .chain(targets.values().flatten())
            .map(|address| (address.key(), address))
            .collect();
        let addresses: Vec<EmailAddress> = addresses.into_values().cloned().collect();
        let rows = self.store.recipients(&addresses).await?;
        Ok(Facts {
            suppressed: suppressed(&answered, &rows, now),
            suppressed_targets: suppressed_targets(&targets, &rows, now),
            answers: self.answers(&answered, now).await?,
            mailboxes,
            header,
            size: source.size(),
            location: source.location(),
            now,
        })
    }

    /// The answers of the last days to the return path and to its domain.
    async fn answers(
        &self,
        answered: &BTreeMap<Option<String>, EmailAddress>,
        now: Timestamp,
    ) -> Result<BTreeMap<String, AnswerCounts>, ActionError> {
        let Some(address) = answered.values().next() else {
            return Ok(BTreeMap::new());
        };
        let names: Vec<&str> = [Some(address.key()), address.domain()].into_iter().flatten().collect();
        Ok(self.store.answer_counts(&names, now).await?)
    }
}

/// The suppressed addresses among those that would get an answer, with the reason.
fn suppressed(
    answered: &BTreeMap<Option<String>, EmailAddress>,
    rows: &HashMap<String, Recipient>,
    now: Timestamp,
) -> BTreeMap<String, String> {
    let mut suppressed = BTreeMap::new();
    for (identity, address) in answered {
        let Some(row) = rows.get(address.key()) else { continue };
        let context = SenderContext {
            identity: identity.clone(),
            ..SenderContext::default()
        };
        suppressed.extend(row.active_for(&context, now).first().map(|suppression| {
            let reason = format!("{} in {}", suppression.source, suppression.scope);
            (address.key().to_owned(), reason)
        }));
    }
    suppressed
}

/// The suppressed forward targets. A suppression for other mail of the sender does not concern forwards: a recipient who
/// complains about a newsletter still wants the mail of a mailbox.
fn suppressed_targets(
    targets: &BTreeMap<MailboxKey, Vec<EmailAddress>>,
    rows: &HashMap<String, Recipient>,
    now: Timestamp,
) -> BTreeMap<(MailboxKey, String), SuppressedTarget> {
    let mut suppressed = BTreeMap::new();
    for (mailbox, addresses) in targets {
        for address in addresses {
            let Some(row) = rows.get(address.key()) else { continue };
            let mut active = [Scope::Global, Scope::forwards_of(mailbox)]
                .into_iter()
                .flat_map(|scope| row.active_in(&scope, now).collect::<Vec<_>>());
            suppressed.extend(active.next().map(|suppression| {
                let (scope, source, entry) = (&suppression.scope, &suppression.source, &suppression.entry);
                let target = SuppressedTarget {
                    id: format!("{scope} {source} {} {}", entry.at, entry.id),
                    reason: format!("{source} in {scope}: {}", entry.reason),
                    is_dead: *scope == Scope::Global,
                };
                ((mailbox.clone(), address.key().to_owned()), target)
            }));
        }
    }
    suppressed
}
