//! Bounce classifications of `docs/feedback.md`, each with what SES reports and what must follow.

/// The effect of a bounce on its recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecipientOutcome {
    /// SES itself decided that the address is dead. Suppressed permanently, for all senders.
    DecidedDead,
    /// The report says that the address is dead. The same if SES confirms it, otherwise like `Unexplained`.
    Dead,
    /// Permanent, and nothing says why. Suppressed in the sender's scope: for 30 days, then 90, then permanently.
    Unexplained,
    /// Adds to the streak of soft bounces.
    Soft,
    /// SES did not send. Suppressed for 30 days in the sender's scope.
    SuppressedBySes,
    /// Added to the history only.
    HistoryOnly,
}

/// The statistic that an event counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// Hard bounces.
    Hard,
    /// Soft bounces.
    Soft,
    /// Complaints.
    Complaint,
    /// A kind that is counted per batch: `send`, `delivery`, `reject`, `renderingFailure` or `delay`.
    Batched(&'static str),
}

/// What SES reports of a bounced recipient and what must follow.
#[derive(Debug)]
pub struct BounceCase {
    pub(super) bounce_type: &'static str,
    pub(super) bounce_sub_type: &'static str,
    pub(super) action: Option<&'static str>,
    pub(super) status: Option<&'static str>,
    pub(super) diagnostic_code: Option<&'static str>,
    /// The effect on the recipient.
    pub outcome: RecipientOutcome,
    /// The statistic that it counts for.
    pub counted_as: Option<EventKind>,
}

macro_rules! cases {
    ($( $kind:ident $sub_type:ident $action:expr, $status:expr, $diagnostic:expr => $outcome:ident, $counted_as:expr; )+) => {
        &[ $( BounceCase {
            bounce_type: stringify!($kind), bounce_sub_type: stringify!($sub_type), action: $action, status: $status,
            diagnostic_code: $diagnostic, outcome: RecipientOutcome::$outcome, counted_as: $counted_as,
        }, )+ ]
    };
}

/// The address is dead, and a delay, by which a report says that one of two forwarding addresses still works.
pub(super) fn failed_and_delayed() -> [&'static BounceCase; 2] {
    let find = |outcome| {
        let mut cases = BOUNCE_CASES.iter();
        cases
            .find(|case| case.bounce_sub_type == "General" && case.outcome == outcome)
            .expect("a case of each outcome")
    };
    [find(RecipientOutcome::Dead), find(RecipientOutcome::Soft)]
}

const FAILED: Option<&str> = Some("failed");
const HARD: Option<EventKind> = Some(EventKind::Hard);
const SOFT: Option<EventKind> = Some(EventKind::Soft);

/// All classifications.
#[rustfmt::skip]
pub(super) const BOUNCE_CASES: &[BounceCase] = cases! {
    Permanent General FAILED, Some("5.1.1"), Some("smtp; 550 5.1.1 user unknown") => Dead, HARD;
    Permanent NoEmail FAILED, Some("5.1.1"), Some("smtp; 550 5.1.1 no such user here") => Dead, HARD;
    Permanent Suppressed FAILED, Some("5.1.1"), None => DecidedDead, HARD;
    Permanent OfTomorrow FAILED, Some("5.1.1"), None => Dead, HARD;
    Permanent General None, None, None => Unexplained, HARD;
    Permanent General Some("delayed"), Some("4.4.1"), None => Soft, SOFT;
    Permanent General FAILED, Some("5.2.2"), Some("smtp; 552 5.2.2 mailbox full") => Soft, HARD;
    Permanent General FAILED, Some("5.7.1"), Some("smtp; 550 5.7.1 rejected as spam") => HistoryOnly, HARD;
    Permanent OnAccountSuppressionList FAILED, Some("5.1.1"), Some("Amazon SES did not send the message") => SuppressedBySes, None;
    Permanent OnTenantSuppressionList FAILED, Some("5.1.1"), None => SuppressedBySes, None;
    Permanent EmailValidationSuppressed FAILED, Some("5.1.1"), None => SuppressedBySes, None;
    Permanent UnsubscribedRecipient FAILED, Some("5.1.1"), None => HistoryOnly, None;
    Transient General FAILED, Some("5.1.1"), Some("smtp; 550 5.1.1 user unknown") => Dead, HARD;
    Transient General FAILED, Some("5.4.4"), Some("smtp; 550 5.4.4 Invalid domain") => Dead, HARD;
    Transient General FAILED, Some("5.4.4"), None => Soft, SOFT;
    Transient MessageTooLarge FAILED, Some("5.3.4"), None => HistoryOnly, SOFT;
    Transient ContentRejected FAILED, Some("5.6.0"), None => HistoryOnly, SOFT;
    Transient AttachmentRejected FAILED, Some("5.6.0"), None => HistoryOnly, SOFT;
    Transient General None, None, None => HistoryOnly, None;
};

/// Classifications that add to a streak and count as soft bounces.
#[rustfmt::skip]
pub(super) const SOFT_BOUNCE_CASES: &[BounceCase] = cases! {
    Transient MailboxFull FAILED, Some("4.2.2"), Some("smtp; 452 4.2.2 mailbox full") => Soft, SOFT;
    Transient General FAILED, Some("4.4.7"), Some("smtp; 421 4.4.7 message expired") => Soft, SOFT;
    Transient CustomTimeoutExceeded FAILED, Some("4.4.7"), None => Soft, SOFT;
    Undetermined Undetermined FAILED, Some("4.4.1"), None => Soft, SOFT;
};
