//! A notification with the values that every decision about it needs, and the actions built from them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use notification_model::{EmailAddress, Mail, Notification};
use store::{
    EventKind, HistoryEntry, Scope, Sender, SenderEvent, SendingStream, SentKind, SentMail, SuppressionEntry,
    SuppressionSource,
};

use crate::action::Action;
use crate::policy::Policy;

/// Maximum length of a value of evidence in characters. It limits the size of a recipient's row.
const MAX_EVIDENCE_LENGTH: usize = 1_000;

/// Named values of a notification, before those that are absent are left out.
pub(super) type Evidence = BTreeMap<&'static str, Option<String>>;

/// A notification and what a decision about it depends on.
pub(super) struct Context<'a> {
    pub(super) notification: &'a Notification,
    pub(super) mail: &'a Mail,
    /// When the event happened.
    pub(super) at: Timestamp,
    pub(super) policy: &'a Policy,
    /// The scope of the sender.
    pub(super) scope: Scope,
    /// What the inbound function sent, if it sent the message.
    pub(super) sent: Option<SentKind>,
    /// The recipients of the message, each once, in the order of their normalised addresses.
    pub(super) mailed: Vec<EmailAddress>,
}

impl<'a> Context<'a> {
    pub(super) fn new(notification: &'a Notification, at: Timestamp, policy: &'a Policy) -> Self {
        let mail = &notification.mail;
        let destination = mail.destination.iter();
        let mut mailed: Vec<_> = destination.filter_map(|text| EmailAddress::parse(text)).collect();
        mailed.sort_by(|one, other| one.key().cmp(other.key()));
        mailed.dedup_by(|one, other| one.key() == other.key());
        Self {
            notification,
            mail,
            at,
            policy,
            scope: Scope::of(mail, policy.account.as_ref()),
            sent: None,
            mailed,
        }
    }

    /// The same for a message that the inbound function sent. Feedback about a forward does not say that the recipient
    /// refuses other mail of the sender.
    pub(super) fn sent_by_inbound(self, sent: &SentMail) -> Self {
        let scope = match sent.kind {
            SentKind::Forward => Scope::forwards_of(&sent.mailbox),
            SentKind::Answer => self.scope,
        };
        Self {
            scope,
            sent: Some(sent.kind),
            ..self
        }
    }

    /// Whether the message was sent to an address.
    pub(super) fn is_mailed(&self, address: &EmailAddress) -> bool {
        self.mailed.iter().any(|mailed| mailed.key() == address.key())
    }

    /// Whether the notification was made from a report that arrived by mail. SES names the identity or the sending account in
    /// its own.
    pub(super) fn is_mailed_report(&self) -> bool {
        self.mail.source_arn.is_none() && self.mail.sending_account_id.is_none()
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
        present.map(|(name, value)| (name.to_owned(), bounded(value))).collect()
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
            reason: reason.to_owned(),
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
            history: self.history(kind, reason, self.scope.clone(), evidence),
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
            reason: reason.to_owned(),
            scope,
            suppresses: false,
            evidence,
            expires_at: self.policy.history.end(self.at),
        }
    }

    /// Counts a bounce or complaint about a recipient. `is_claim`: see [`SenderEvent::is_claim`].
    ///
    /// A report that arrived by mail is not counted: it does not say who sent the message, and SES also publishes the event.
    pub(super) fn count_event(&self, kind: EventKind, recipient: &EmailAddress, is_claim: bool) -> Option<Action> {
        if self.is_mailed_report() {
            return None;
        }
        Some(Action::CountEvent(SenderEvent {
            sender: Sender::of(self.mail),
            stream: SendingStream::of(self.mail),
            kind,
            at: self.at,
            message_id: self.mail.message_id.clone(),
            recipient: Some(recipient.clone()),
            is_claim,
        }))
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

/// Returns the first characters of a text that a remote party may have written.
pub(super) fn bounded(text: String) -> String {
    match text.char_indices().nth(MAX_EVIDENCE_LENGTH) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
        None => text,
    }
}

/// Does nothing but acknowledge the record.
pub(super) fn acknowledge(reason: &str) -> Vec<Action> {
    vec![Action::Acknowledge {
        reason: reason.to_owned(),
    }]
}
