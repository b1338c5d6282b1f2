//! A notification with the values that every decision about it needs, and the actions built from them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use notification_model::{EmailAddress, Mail, Notification};
use store::{EventKind, HistoryEntry, Scope, Sender, SenderEvent, SendingStream, SuppressionEntry, SuppressionSource};

use crate::action::Action;
use crate::policy::Policy;

/// Maximum length of a value of evidence and of a reason in characters. It limits the size of a recipient's row.
const MAX_TEXT_LENGTH: usize = 1_000;

/// Named values of a notification, before those that are absent are left out.
pub(super) type Evidence = BTreeMap<&'static str, Option<String>>;

/// A notification and what a decision about it depends on.
pub(super) struct Context<'a> {
    pub(super) notification: &'a Notification,
    pub(super) mail: &'a Mail,
    /// When the event happened.
    pub(super) at: Timestamp,
    pub(super) policy: &'a Policy,
}

impl Context<'_> {
    /// Returns the recipient of the message that a report is about, or `None` if it is unknown.
    ///
    /// Every receiver of a message can send a report that names any address. If the reported address is not a recipient of
    /// the message, the report is about the only recipient (its mail was forwarded). With several recipients it is unknown.
    pub(super) fn affected_recipient(&self, reported: &EmailAddress) -> Option<EmailAddress> {
        let destination: Vec<_> = self
            .mail
            .destination
            .iter()
            .filter_map(|text| EmailAddress::parse(text))
            .collect();
        if destination.is_empty() || destination.iter().any(|address| address.key() == reported.key()) {
            return Some(reported.clone());
        }
        <[EmailAddress; 1]>::try_from(destination).ok().map(|[only]| only)
    }

    /// Returns the evidence of the event together with that of the message, without absent values.
    pub(super) fn evidence(&self, event: Evidence) -> BTreeMap<String, String> {
        let message = Evidence::from([
            ("event", Some(self.notification.event.name().to_owned())),
            ("messageId", Some(self.mail.message_id.clone())),
            ("sourceArn", self.mail.source_arn.as_ref().map(ToString::to_string)),
            (
                "sendingAccountId",
                self.mail.sending_account_id.as_ref().map(ToString::to_string),
            ),
        ]);
        let present = event
            .into_iter()
            .chain(message)
            .filter_map(|(name, value)| Some((name, value?)));
        present
            .map(|(name, value)| (name.to_owned(), bounded(&value)))
            .collect()
    }

    pub(super) fn entry(
        &self,
        address: &EmailAddress,
        until: Option<Timestamp>,
        reason: &str,
        evidence: BTreeMap<String, String>,
    ) -> SuppressionEntry {
        SuppressionEntry {
            at: self.at,
            id: self.mail.message_id.clone(),
            blocked: true,
            until,
            reason: bounded(reason),
            address: address.as_str().to_owned(),
            evidence,
        }
    }

    pub(super) fn record_suppression(
        &self,
        kind: &str,
        address: &EmailAddress,
        scope: Scope,
        source: SuppressionSource,
        entry: SuppressionEntry,
    ) -> Action {
        let mut history = self.history(kind, &entry.reason, scope.clone(), entry.evidence.clone());
        history.suppresses = entry.blocked;
        // A history entry is kept at least as long as the suppression that it explains.
        if entry.blocked {
            history.expires_at = entry.until.max(history.expires_at).filter(|_| entry.until.is_some());
        }
        Action::RecordSuppression {
            address: address.clone(),
            scope,
            source,
            entry,
            history,
        }
    }

    pub(super) fn append_history(
        &self,
        kind: &str,
        address: &EmailAddress,
        reason: &str,
        evidence: BTreeMap<String, String>,
    ) -> Action {
        Action::AppendHistory {
            address: address.clone(),
            history: self.history(kind, reason, Scope::of(self.mail), evidence),
        }
    }

    pub(super) fn history(
        &self,
        kind: &str,
        reason: &str,
        scope: Scope,
        evidence: BTreeMap<String, String>,
    ) -> HistoryEntry {
        HistoryEntry {
            at: self.at,
            id: self.mail.message_id.clone(),
            kind: kind.to_owned(),
            reason: bounded(reason),
            scope,
            suppresses: false,
            evidence,
            expires_at: self.policy.history.end(self.at),
        }
    }

    /// Counts a bounce or complaint about a recipient.
    pub(super) fn count_event(&self, kind: EventKind, recipient: &EmailAddress) -> Action {
        Action::CountEvent(SenderEvent {
            sender: Sender::of(self.mail),
            stream: SendingStream::of(self.mail),
            kind,
            at: self.at,
            message_id: self.mail.message_id.clone(),
            recipient: Some(recipient.clone()),
        })
    }

    /// Counts a frequent event for each recipient, or once for a message without recipients.
    pub(super) fn count_recipients(&self, kind: EventKind, recipients: &[impl AsRef<str>]) -> Vec<Action> {
        let count = |recipient: String| Action::CountInBatch {
            sender: Sender::of(self.mail),
            stream: SendingStream::of(self.mail),
            kind,
            at: self.at,
            message_id: self.mail.message_id.clone(),
            recipient,
        };
        if recipients.is_empty() {
            return vec![count(String::new())];
        }
        let key =
            |text: &str| EmailAddress::parse(text).map_or_else(|| text.to_owned(), |address| address.key().to_owned());
        let keys = recipients.iter().map(|recipient| key(recipient.as_ref()));
        keys.map(count).collect()
    }
}

/// A report quotes remote parties, who choose how much they write.
fn bounded(text: &str) -> String {
    text.chars().take(MAX_TEXT_LENGTH).collect()
}

/// Does nothing but acknowledge the record.
pub(super) fn acknowledge(reason: &str) -> Vec<Action> {
    vec![Action::Acknowledge {
        reason: reason.to_owned(),
    }]
}
