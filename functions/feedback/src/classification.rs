//! What one bounce means for one recipient. SES names a type and a subtype for a whole notification, but the remote
//! server's own status and words are often clearer, and sometimes contradict them: an unknown user arrives as
//! `Transient`, a blocked sender as `Permanent`. Judging is pure: the same evidence always gives the same judgement.

use std::fmt;

use notification_model::{Bounce, BounceSubType, BounceType, BouncedRecipient, DsnAction, StatusCode};

mod phrases;
mod reason;
mod status;

pub use reason::BounceReason;
use reason::Fault;
use status::Code;

/// What a bounce says about one recipient.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// Of the notification as a whole.
    pub bounce_type: &'a BounceType,
    /// Of the notification as a whole.
    pub sub_type: &'a BounceSubType,
    /// The recipient's own.
    pub action: Option<&'a DsnAction>,
    /// The recipient's own.
    pub status: Option<StatusCode>,
    /// The remote server's words.
    pub diagnostic: Option<&'a str>,
}

impl<'a> Evidence<'a> {
    /// Gathers what `bounce` says about `recipient`, one of its own.
    #[must_use]
    pub fn of(bounce: &'a Bounce, recipient: &'a BouncedRecipient) -> Self {
        Self {
            bounce_type: &bounce.bounce_type,
            sub_type: &bounce.bounce_sub_type,
            action: recipient.action.as_ref(),
            status: recipient.status,
            diagnostic: recipient.diagnostic_code.as_deref(),
        }
    }
}

/// What to make of a bounce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BounceKind {
    /// The address is dead.
    Hard,
    /// This message did not arrive, a later one may.
    Soft,
    /// The message or its sender was refused; says nothing against the address.
    SenderFault,
    /// The message arrived, and a machine answered.
    AutoReply,
    /// SES did not even try, because of a list: nothing new about the address.
    SuppressedBySes,
    /// Nobody can tell; safest treated as soft.
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
            Self::SuppressedBySes => "echo",
            Self::Undetermined => "undetermined",
        }
    }
}

impl fmt::Display for BounceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One item of the remote server's evidence. Only tables and numbers: never text of the payload, which holds addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clue {
    /// An enhanced status code.
    Status(StatusCode),
    /// An SMTP reply code without an enhanced one.
    Reply(u16),
    /// A phrase of our tables that the diagnostic contains.
    Phrase(&'static str),
}

impl fmt::Display for Clue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(code) => write!(f, "status {code} ({})", Code::Status(*code).meaning()),
            Self::Reply(code) => write!(f, "SMTP reply {code} ({})", Code::Reply(*code).meaning()),
            Self::Phrase(phrase) => write!(f, "the server said \"{phrase}\""),
        }
    }
}

/// Which evidence decided; its `Display` is fit for a history or a command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// SES's subtype settles it.
    SubType(&'static str),
    /// The remote server is clear.
    Clue(Clue),
    /// The remote server's action for this recipient, which is not `failed`.
    Action(&'static str),
    /// The remote server is not clear, so SES's type decides.
    Type(&'static str, Option<Clue>),
    /// Nothing of a delivery report at all.
    NoReport,
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SubType(name) => write!(f, "SES subtype {name}"),
            Self::Clue(clue) => clue.fmt(f),
            Self::Action(name) => write!(f, "the recipient's own action is {name}"),
            Self::Type(name, Some(clue)) => write!(f, "SES type {name}; {clue}"),
            Self::Type(name, None) => write!(f, "SES type {name}, and nothing clearer"),
            Self::NoReport => f.write_str("no status and no diagnostic on a Transient bounce: an auto-reply"),
        }
    }
}

/// What a bounce means for one recipient, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BounceClassification {
    /// What to make of it.
    pub kind: BounceKind,
    /// What happened.
    pub reason: BounceReason,
    /// What decided.
    pub because: Because,
}

impl BounceClassification {
    const fn new(kind: BounceKind, reason: BounceReason, because: Because) -> Self {
        Self { kind, reason, because }
    }
}

/// Judges what `evidence` means for its recipient.
///
/// SES's own decisions come first, then the server's clear words, its status, its vaguer words, and SES's type last.
/// Words beat a status because many servers answer 5.7.1 for an unknown user. Only `failed` with a permanent status
/// condemns an address: what may still arrive is soft at worst, whatever SES calls the notification.
#[must_use]
pub fn classify(evidence: &Evidence<'_>) -> BounceClassification {
    if let Some(classification) = settled_by_ses(evidence.sub_type) {
        return classification;
    }
    let words = phrases::normalise(evidence.diagnostic.unwrap_or_default());
    let code = Code::of(evidence);
    let finding = find(&words, code);
    let open = still_open(evidence, code);

    let classification = match (evidence.sub_type, finding) {
        (BounceSubType::NoEmail, finding) if open.is_none() => no_email(finding),
        (BounceSubType::MailboxFull, finding) if !points_at(finding, Fault::Address) => BounceClassification::new(
            BounceKind::Soft,
            BounceReason::MailboxFull,
            Because::SubType("MailboxFull"),
        ),
        (_, Some((reason, clue))) => match reason.fault() {
            Fault::Address => BounceClassification::new(BounceKind::Hard, reason, Because::Clue(clue)),
            Fault::Sender => BounceClassification::new(BounceKind::SenderFault, reason, Because::Clue(clue)),
            Fault::Passing => BounceClassification::new(BounceKind::Soft, reason, Because::Clue(clue)),
            Fault::Server | Fault::Unclear => by_type(evidence, &words, reason, Some(clue)),
        },
        (_, None) => by_type(evidence, &words, BounceReason::Undefined, None),
    };
    match open {
        Some(because) if !stands_while_open(&classification) => {
            BounceClassification::new(BounceKind::Soft, classification.reason, because)
        }
        _ => classification,
    }
}

/// Subtypes by which SES tells of its own decision, or of the message, where the server's answer adds nothing.
fn settled_by_ses(sub_type: &BounceSubType) -> Option<BounceClassification> {
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
        // SES's global list is built from everybody's bounces and does count towards the account's rate.
        Sub::Suppressed => (BounceKind::Hard, Why::Suppressed, "Suppressed"),
        Sub::MessageTooLarge => (BounceKind::SenderFault, Why::EmailTooLarge, "MessageTooLarge"),
        Sub::ContentRejected => (BounceKind::SenderFault, Why::ContentError, "ContentRejected"),
        Sub::AttachmentRejected => (BounceKind::SenderFault, Why::ContentError, "AttachmentRejected"),
        Sub::CustomTimeoutExceeded => (BounceKind::Soft, Why::Expired, "CustomTimeoutExceeded"),
        Sub::Undetermined | Sub::General | Sub::NoEmail | Sub::MailboxFull | Sub::Other(_) => return None,
    };
    Some(BounceClassification::new(kind, reason, Because::SubType(name)))
}

type Finding = (BounceReason, Clue);

/// The clearest thing the remote server said.
fn find(words: &str, code: Option<Code>) -> Option<Finding> {
    let said = |found: Option<(BounceReason, &'static str)>| found.map(|(reason, text)| (reason, Clue::Phrase(text)));
    let coded = code.map(|code| (code.reason(), code.clue()));
    let clear = said(phrases::clear(words)).filter(|(reason, _)| {
        // "Domain not found" and "account suspended" are said of senders, too, and then the status tells.
        let ambiguous = matches!(reason, BounceReason::HostUnknown | BounceReason::Suspended);
        !(ambiguous && points_at(coded, Fault::Sender))
    });
    clear
        .or(coded.filter(|(reason, _)| !matches!(reason.fault(), Fault::Server | Fault::Unclear)))
        .or_else(|| said(phrases::vague(words)))
        .or(coded)
}

fn points_at(finding: Option<Finding>, fault: Fault) -> bool {
    finding.is_some_and(|(reason, _)| reason.fault() == fault)
}

/// What shows that the message may still arrive at this recipient, or did.
fn still_open(evidence: &Evidence<'_>, code: Option<Code>) -> Option<Because> {
    let own = evidence.status.map(Code::Status);
    let action = match evidence.action {
        Some(DsnAction::Delayed) => Some("delayed"),
        Some(DsnAction::Delivered) => Some("delivered"),
        Some(DsnAction::Relayed) => Some("relayed"),
        Some(DsnAction::Expanded) => Some("expanded"),
        Some(DsnAction::Failed | DsnAction::Other(_)) | None => None,
    };
    [own, code]
        .into_iter()
        .flatten()
        .find(|code| code.class() != 5)
        .map(|code| Because::Clue(code.clue()))
        .or(action.map(Because::Action))
}

/// Words against the sender stand even in a temporary answer, so that Yahoo's deferrals never add up against a
/// recipient; a temporary code alone (4.7.1 is mostly greylisting) does not.
fn stands_while_open(classification: &BounceClassification) -> bool {
    match classification.kind {
        BounceKind::Hard | BounceKind::Undetermined => false,
        BounceKind::SenderFault => matches!(classification.because, Because::Clue(Clue::Phrase(_))),
        BounceKind::Soft | BounceKind::AutoReply | BounceKind::SuppressedBySes => true,
    }
}

/// SES is sure that there is no such mailbox; the server may say so more precisely.
fn no_email(finding: Option<Finding>) -> BounceClassification {
    match finding {
        Some((reason, clue)) if reason.fault() == Fault::Address => {
            BounceClassification::new(BounceKind::Hard, reason, Because::Clue(clue))
        }
        _ => BounceClassification::new(BounceKind::Hard, BounceReason::UserUnknown, Because::SubType("NoEmail")),
    }
}

/// SES's type decides where the server is not clear. Auto-replies reach SES as Transient/General, some as Undetermined;
/// not being delivery reports, they have neither status nor action.
fn by_type(evidence: &Evidence<'_>, words: &str, reason: BounceReason, clue: Option<Clue>) -> BounceClassification {
    let (kind, name) = match evidence.bounce_type {
        BounceType::Permanent => (BounceKind::Hard, "Permanent"),
        BounceType::Transient => (BounceKind::Soft, "Transient"),
        BounceType::Undetermined => (BounceKind::Undetermined, "Undetermined"),
        BounceType::Other(_) => (BounceKind::Undetermined, "unknown"),
    };
    if kind != BounceKind::Hard
        && let Some(phrase) = phrases::auto_reply(words)
    {
        let because = Because::Clue(Clue::Phrase(phrase));
        return BounceClassification::new(BounceKind::AutoReply, BounceReason::Vacation, because);
    }
    let no_report = clue.is_none() && evidence.action.is_none() && words.is_empty();
    if no_report && kind == BounceKind::Soft && *evidence.sub_type == BounceSubType::General {
        return BounceClassification::new(BounceKind::AutoReply, BounceReason::Vacation, Because::NoReport);
    }
    let reason = match (reason, words.is_empty()) {
        (BounceReason::Undefined, false) => BounceReason::OnHold,
        _ => reason,
    };
    BounceClassification::new(kind, reason, Because::Type(name, clue))
}
