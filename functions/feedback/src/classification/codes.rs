//! Which code of a bounce counts, and whether it is temporary.
//!
//! SES fills in a status such as 5.0.0 or 5.3.0 when the reply had no enhanced code. Such a status says nothing; the
//! reply code in the text does.

use notification_model::{DsnAction, StatusCode};

use super::evidence::{Because, Clue, Evidence};
use super::rank::Meaning;
use super::reply_text::ReplyText;
use super::{provider_codes, status_codes};

/// The code of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Status(StatusCode),
    Reply(u16),
}

impl Code {
    /// The recipient's status, else the one in the reply, else the reply code. A status that SES filled in yields to
    /// the codes of the reply, and a status without detail to a detailed one.
    pub(super) fn of(evidence: &Evidence<'_>, text: &ReplyText) -> Option<Self> {
        let detailed = |status: &StatusCode| status.detail != 0;
        let says_something = |status: &StatusCode| !is_filled_in(*status);
        evidence
            .status
            .filter(detailed)
            .or(text.status.filter(detailed))
            .or(evidence.status.filter(says_something))
            .or(text.status.filter(says_something))
            .map(Self::Status)
            .or(text.reply.map(Self::Reply))
            .or(text.status.or(evidence.status).map(Self::Status))
    }

    /// Returns the meaning of the code: the one that a large provider gives it, otherwise the one in the standard.
    /// `words` is the text of the reply.
    pub(super) fn says(self, words: &str) -> Option<(Meaning, &'static str)> {
        match self {
            Self::Status(status) => provider_codes::meaning(status, words).or_else(|| status_codes::status(status)),
            Self::Reply(reply) => status_codes::reply(reply),
        }
    }

    /// The code as evidence.
    pub(super) fn clue(self, words: &str) -> Clue {
        let meaning = self
            .says(words)
            .map_or("other or undefined status", |(_, meaning)| meaning);
        match self {
            Self::Status(status) => Clue::Status(status, meaning),
            Self::Reply(reply) => Clue::Reply(reply, meaning),
        }
    }
}

/// x.0.0 and x.3.0: what SES reports for a reply without an enhanced status code.
const fn is_filled_in(status: StatusCode) -> bool {
    matches!((status.subject, status.detail), (0 | 3, 0))
}

/// What shows that the message may still arrive at this recipient, or did arrive. Such a bounce is never hard.
pub(super) fn still_open(evidence: &Evidence<'_>, text: &ReplyText) -> Option<Because> {
    let reply_is_permanent = text.reply.is_some_and(|reply| reply >= 500);
    let own = evidence
        .status
        .filter(|status| !status.is_permanent())
        .filter(|status| !reply_is_permanent || !is_filled_in(*status))
        .map(Code::Status);
    let reply = text.reply.filter(|reply| *reply < 500).map(Code::Reply);
    let told = text
        .status
        .filter(|status| status.is_transient() && evidence.status.is_none_or(is_filled_in))
        .map(Code::Status);
    let action = match evidence.action {
        Some(DsnAction::Delayed) => Some("delayed"),
        Some(DsnAction::Delivered) => Some("delivered"),
        Some(DsnAction::Relayed) => Some("relayed"),
        Some(DsnAction::Expanded) => Some("expanded"),
        Some(DsnAction::Failed | DsnAction::Other(_)) | None => None,
    };
    own.or(told)
        .or(reply)
        .map(|code| Because::Clue(code.clue(&text.words)))
        .or(action.map(Because::Action))
}
