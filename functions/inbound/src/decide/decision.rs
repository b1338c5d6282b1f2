//! What happens to a mail.

use notification_model::EmailAddress;
use store::{IndexedMail, MailboxKey, NotifyContent, NotifyTarget, OwnerTarget};

use super::facts::SuppressedTarget;
use crate::mail::forward::ForwardMark;
use crate::verdict::{Disposition, VerdictEvaluation};

/// What happens to a mail.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The response to SES.
    pub disposition: Disposition,
    /// What each mailbox does with the mail.
    pub mailboxes: Vec<MailboxDecision>,
    /// The actions that are taken once for the mail, independent of its recipients.
    pub actions: Vec<Action>,
    /// Why SES gets this disposition.
    pub reasons: Vec<String>,
}

/// What one mailbox does with a mail.
#[derive(Debug, Clone, PartialEq)]
pub struct MailboxDecision {
    /// The mailbox; `None` for recipients without a mailbox.
    pub mailbox: Option<MailboxKey>,
    /// The recipients that belong to the mailbox.
    pub recipients: Vec<EmailAddress>,
    /// The verdicts, evaluated by the rules of the mailbox.
    pub evaluation: VerdictEvaluation,
    /// The actions of the mailbox.
    pub actions: Vec<Action>,
    /// How many forward targets are suppressed.
    pub suppressed_targets: usize,
    /// The index entry of the mail. [`ActionKind::Index`] writes it, and so does an action that is rejected.
    pub row: IndexedMail,
}

/// One action, with its reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// What to do.
    pub kind: ActionKind,
    /// Why, for a person.
    pub reason: String,
}

/// What an action does. Each action may run twice.
#[derive(Debug, Clone, PartialEq)]
pub enum ActionKind {
    /// Write the mail into the index of the mailbox.
    Index,
    /// Send the mail to one address.
    Forward {
        /// The recipient of the forward.
        to: EmailAddress,
        /// The verified address that sends it.
        from: EmailAddress,
        /// Where the forward shows that DMARC fails.
        mark: ForwardMark,
    },
    /// Unsubscribe the address of the first valid token.
    Unsubscribe {
        /// Texts that may be tokens.
        candidates: Vec<String>,
    },
    /// Send an automatic reply.
    AutoReply {
        /// The return path of the mail.
        to: EmailAddress,
        /// The verified address that replies.
        from: EmailAddress,
        /// The subject. Default: derived from the subject of the mail.
        subject: Option<String>,
        /// The text.
        text: String,
        /// A sender gets one reply within this number of days.
        every_days: u32,
    },
    /// Bounce the mail for one recipient.
    Bounce {
        /// The recipient that bounces.
        recipient: EmailAddress,
        /// The return path of the mail.
        to: EmailAddress,
        /// The verified address that sends the bounce.
        sender: EmailAddress,
        /// The explanation for the sender of the mail.
        message: String,
        /// The enhanced status code, such as `5.1.1`.
        status_code: String,
    },
    /// Send a notification.
    Notify {
        /// The topic or queue.
        target: NotifyTarget,
        /// The [summary](super::SUMMARY_VERSION) in JSON.
        summary: String,
        /// Whether the parsed mail is added.
        content: NotifyContent,
    },
    /// Notify the owner of the mailbox that a forward target is suppressed.
    NotifyOwner(Box<OwnerNotice>),
    /// Publish the events that a report reports.
    PublishReport,
    /// Do not take an action.
    Skip {
        /// The name of the action: `forward`, `report`, ...
        action: &'static str,
    },
}

/// A notice to the owner of a mailbox: a forward target complained, bounces or is not sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerNotice {
    /// Who is notified.
    pub owner: OwnerTarget,
    /// The forward target.
    pub to: EmailAddress,
    /// The verified address that forwards, and sends the notice.
    pub from: EmailAddress,
    /// The suppression. The owner is notified once about each.
    pub suppression: SuppressedTarget,
    /// Whether forwarding goes on.
    pub goes_on: bool,
}

impl ActionKind {
    /// Whether the action sends mail to a person.
    pub(crate) fn sends_mail(&self) -> bool {
        matches!(
            self,
            Self::Forward { .. } | Self::AutoReply { .. } | Self::Bounce { .. }
        )
    }

    /// Whether the action reads the whole mail.
    pub(crate) fn reads_mail(&self) -> bool {
        match self {
            Self::Forward { .. } | Self::PublishReport => true,
            Self::Notify { content, .. } => *content == NotifyContent::Parsed,
            _ => false,
        }
    }

    /// The name of the action in metrics and claims.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Index => "store",
            Self::Forward { .. } => "forward",
            Self::Unsubscribe { .. } => "unsubscribe",
            Self::AutoReply { .. } => "auto-reply",
            Self::Bounce { .. } => "bounce",
            Self::Notify { .. } => "notify",
            Self::NotifyOwner(_) => "notify-owner",
            Self::PublishReport => "report",
            Self::Skip { action } => action,
        }
    }
}

impl Action {
    pub(super) fn new(kind: ActionKind, reason: impl Into<String>) -> Self {
        Self {
            kind,
            reason: reason.into(),
        }
    }

    pub(super) fn skip(action: &'static str, reason: impl Into<String>) -> Self {
        Self::new(ActionKind::Skip { action }, reason)
    }
}

impl MailboxDecision {
    /// Why the mailbox wants its disposition.
    pub(super) fn disposition_reason(&self) -> String {
        let final_action = self.actions.iter().find_map(|action| match &action.kind {
            ActionKind::Bounce { .. } | ActionKind::Skip { action: "bounce" } => Some("the mailbox bounces"),
            ActionKind::Skip { action: "drop" } => Some("the mailbox drops"),
            _ => None,
        });
        match (self.evaluation.stops(), final_action) {
            (false, Some(final_action)) => final_action.to_owned(),
            _ if self.evaluation.reasons.is_empty() => "every verdict is PASS".to_owned(),
            _ => self.evaluation.reasons.join("; "),
        }
    }

    /// Adds the index entry, unless the mailbox writes it anyway.
    pub(super) fn ensure_indexed(&mut self) {
        if self.actions.iter().all(|action| action.kind != ActionKind::Index) {
            let reason = "an action was not taken";
            self.actions.push(Action::new(ActionKind::Index, reason));
        }
    }
}
