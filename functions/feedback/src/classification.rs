//! What one bounce means for one recipient. SES reports a type and a subtype for a whole notification, but the reply of
//! the remote server is often clearer, and sometimes contradicts them: an unknown user arrives as `Transient`, a blocked
//! sender as `Permanent`. Classification is pure: the same evidence always gives the same result.

use std::fmt;

use notification_model::{BounceSubType, BounceType};

mod automaton;
mod codes;
mod evidence;
mod findings;
mod fold;
mod phrases;
mod provider_codes;
mod rank;
mod reason;
mod reply_text;
mod status_codes;
mod vocabulary;
mod wording;

pub use evidence::{Because, Clue, Evidence};
use findings::{Finding, Findings};
use rank::Rank;
pub use reason::BounceReason;
use reason::Fault;
use reply_text::ReplyText;

/// What a bounce means for one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BounceKind {
    /// The address is dead, or SES calls the bounce permanent and nothing says why: see [`Certainty`].
    Hard,
    /// This message did not arrive, a later one may.
    Soft,
    /// The message or its sender was refused; says nothing against the recipient.
    SenderFault,
    /// The message arrived, and an automatic reply came back.
    AutoReply,
    /// SES did not send, because of a list of the account or tenant: nothing new about the address.
    SuppressedBySes,
    /// Nothing says whether the bounce is hard or soft. Treat it as soft.
    Undetermined,
}

impl BounceKind {
    /// In kebab case, for metrics and storage.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
            Self::SenderFault => "sender-fault",
            Self::AutoReply => "auto-reply",
            Self::SuppressedBySes => "suppressed-by-ses",
            Self::Undetermined => "undetermined",
        }
    }
}

impl fmt::Display for BounceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a classification is known. From least to most sure.
///
/// Only the reply and its codes count here. Whether SES confirms them (its own SMTP conversation, or a message
/// with one recipient) or the claim of a report is a property of the notification, not of the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Certainty {
    /// Only the type of SES says so, and nothing says why: unknown words, a status without detail (5.0.0, 5.2.0, 5.3.0),
    /// a network or protocol status (5.4.x, 5.5.x). Never positive evidence that an address is dead.
    Assumed,
    /// Positive evidence: words, a detailed status, or the subtype `NoEmail` or `MailboxFull` name the condition.
    Stated,
    /// SES decided by itself, and tells by a subtype that no remote party can cause, such as `Suppressed`.
    DecidedBySes,
}

impl Certainty {
    /// In kebab case, for storage and the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Assumed => "assumed",
            Self::Stated => "stated",
            Self::DecidedBySes => "decided-by-ses",
        }
    }
}

impl fmt::Display for Certainty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a bounce means for one recipient, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BounceClassification {
    /// What the bounce means.
    pub kind: BounceKind,
    /// What happened.
    pub reason: BounceReason,
    /// How `kind` is known.
    pub certainty: Certainty,
    /// The evidence that decided.
    pub because: Because,
}

impl BounceClassification {
    const fn stated(kind: BounceKind, reason: BounceReason, because: Because) -> Self {
        Self {
            kind,
            reason,
            certainty: Certainty::Stated,
            because,
        }
    }
}

/// Classifies what `evidence` means for its recipient.
///
/// SES's own decisions come first, then the reply: of its words and codes the most specific finding counts, by
/// [`Rank`], and between two of the same rank the one that is safer for the recipient. The type of SES decides only where
/// the reply says nothing. A temporary reply is never hard, whatever SES calls the notification.
#[must_use]
pub fn classify(evidence: &Evidence<'_>) -> BounceClassification {
    if let Some(classification) = decided_by_ses(evidence.sub_type) {
        return classification;
    }
    let text = ReplyText::read(evidence.diagnostic.unwrap_or_default());
    let findings = Findings::of(evidence, &text);
    if let Some(phrase) = findings.own_list {
        let because = Because::Clue(Clue::Phrase(phrase));
        return BounceClassification::stated(BounceKind::SuppressedBySes, BounceReason::Suppressed, because);
    }
    let open = codes::still_open(evidence, &text);
    let classification = match (evidence.sub_type, findings.best) {
        (BounceSubType::NoEmail, best) if open.is_none() => no_email(best),
        (BounceSubType::MailboxFull, best) if !names_a_dead_address(best) => BounceClassification::stated(
            BounceKind::Soft,
            BounceReason::MailboxFull,
            Because::SubType("MailboxFull"),
        ),
        (_, Some(best)) => by_finding(evidence, &findings, best),
        (_, None) => by_type(evidence, &findings, BounceReason::Undefined, None),
    };
    match open {
        Some(because) if !stands_while_open(&classification, findings.best) => {
            BounceClassification::stated(BounceKind::Soft, classification.reason, because)
        }
        _ => classification,
    }
}

/// Subtypes by which SES reports its own decision, or a property of the message: the reply adds nothing.
fn decided_by_ses(sub_type: &BounceSubType) -> Option<BounceClassification> {
    use BounceReason as Why;
    use BounceSubType as Sub;

    let (kind, reason, name) = match sub_type {
        Sub::OnAccountSuppressionList => (BounceKind::SuppressedBySes, Why::Suppressed, "OnAccountSuppressionList"),
        Sub::OnTenantSuppressionList => (BounceKind::SuppressedBySes, Why::Suppressed, "OnTenantSuppressionList"),
        Sub::EmailValidationSuppressed => (
            BounceKind::SuppressedBySes,
            Why::FailedValidation,
            "EmailValidationSuppressed",
        ),
        Sub::UnsubscribedRecipient => (BounceKind::SuppressedBySes, Why::Unsubscribed, "UnsubscribedRecipient"),
        // SES's global list is built from the bounces of all its customers, and counts towards the account's rate.
        Sub::Suppressed => (BounceKind::Hard, Why::Suppressed, "Suppressed"),
        Sub::MessageTooLarge => (BounceKind::SenderFault, Why::EmailTooLarge, "MessageTooLarge"),
        Sub::ContentRejected => (BounceKind::SenderFault, Why::ContentError, "ContentRejected"),
        Sub::AttachmentRejected => (BounceKind::SenderFault, Why::ContentError, "AttachmentRejected"),
        Sub::CustomTimeoutExceeded => (BounceKind::Soft, Why::Expired, "CustomTimeoutExceeded"),
        Sub::Undetermined | Sub::General | Sub::NoEmail | Sub::MailboxFull | Sub::Other(_) => return None,
    };
    let certainty = match sub_type {
        Sub::MessageTooLarge | Sub::ContentRejected | Sub::AttachmentRejected => Certainty::Stated,
        _ => Certainty::DecidedBySes,
    };
    Some(BounceClassification {
        kind,
        reason,
        certainty,
        because: Because::SubType(name),
    })
}

/// SES concluded that there is no such mailbox. The reply may say it more precisely, or contradict: SES concludes it from
/// a status alone, which some servers also send for a full mailbox or a blocked sender.
fn no_email(best: Option<Finding>) -> BounceClassification {
    let by_reply = best.and_then(|best| {
        let kind = match best.meaning.fault {
            Fault::Address => BounceKind::Hard,
            Fault::Passing if best.meaning.rank >= Rank::Mechanism => BounceKind::Soft,
            Fault::Sender if best.meaning.rank >= Rank::Mechanism => BounceKind::SenderFault,
            Fault::Passing | Fault::Sender | Fault::Unclear => return None,
        };
        Some(BounceClassification::stated(
            kind,
            best.meaning.reason,
            Because::Clue(best.clue),
        ))
    });
    by_reply.unwrap_or_else(|| {
        BounceClassification::stated(BounceKind::Hard, BounceReason::UserUnknown, Because::SubType("NoEmail"))
    })
}

/// Words that name a dead address. A code alone does not.
fn names_a_dead_address(best: Option<Finding>) -> bool {
    best.is_some_and(|best| best.meaning.fault == Fault::Address && best.is_words())
}

fn by_finding(evidence: &Evidence<'_>, findings: &Findings, best: Finding) -> BounceClassification {
    let because = Because::Clue(best.clue);
    let reason = best.meaning.reason;
    match best.meaning.fault {
        Fault::Address => BounceClassification::stated(BounceKind::Hard, reason, because),
        Fault::Sender => BounceClassification::stated(BounceKind::SenderFault, reason, because),
        Fault::Passing => BounceClassification::stated(BounceKind::Soft, reason, because),
        Fault::Unclear => by_type(evidence, findings, reason, Some(best.clue)),
    }
}

/// The type of SES decides where the reply does not. Auto-replies arrive as Transient/General or
/// Undetermined/Undetermined; they are no delivery reports and have no action, status or text.
fn by_type(
    evidence: &Evidence<'_>,
    findings: &Findings,
    reason: BounceReason,
    clue: Option<Clue>,
) -> BounceClassification {
    let (kind, name) = match evidence.bounce_type {
        BounceType::Permanent => (BounceKind::Hard, "Permanent"),
        BounceType::Transient => (BounceKind::Soft, "Transient"),
        BounceType::Undetermined => (BounceKind::Undetermined, "Undetermined"),
        BounceType::Other(_) => (BounceKind::Undetermined, "unknown"),
    };
    if kind != BounceKind::Hard
        && let Some(phrase) = findings.auto_reply
    {
        let because = Because::Clue(Clue::Phrase(phrase));
        return BounceClassification::stated(BounceKind::AutoReply, BounceReason::Vacation, because);
    }
    let no_report = evidence.action.is_none() && evidence.status.is_none() && !findings.has_text;
    let sub_type_of_replies = matches!(
        (evidence.bounce_type, evidence.sub_type),
        (BounceType::Transient, BounceSubType::General) | (BounceType::Undetermined, BounceSubType::Undetermined)
    );
    if no_report && sub_type_of_replies {
        return BounceClassification::stated(BounceKind::AutoReply, BounceReason::Vacation, Because::NoReport);
    }
    let reason = match reason {
        BounceReason::Undefined if findings.has_words && !matches!(clue, Some(Clue::Phrase(_))) => BounceReason::OnHold,
        reason => reason,
    };
    BounceClassification {
        kind,
        reason,
        certainty: Certainty::Assumed,
        because: Because::Type(name, clue),
    }
}

/// Words against the sender stand in a temporary reply too, so that Yahoo's deferrals never add up against a recipient. A
/// temporary code alone (4.7.1 is mostly greylisting) and words that fit every cause do not.
fn stands_while_open(classification: &BounceClassification, best: Option<Finding>) -> bool {
    match classification.kind {
        BounceKind::Hard | BounceKind::Undetermined => false,
        BounceKind::SenderFault => best.is_some_and(|best| {
            best.meaning.rank >= Rank::Mechanism || (best.is_words() && best.meaning.rank >= Rank::Mention)
        }),
        BounceKind::Soft | BounceKind::AutoReply | BounceKind::SuppressedBySes => true,
    }
}
