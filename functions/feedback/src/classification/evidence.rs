//! What a bounce notification says about one recipient: the input of the classification.

use std::fmt;

use notification_model::{Bounce, BounceSubType, BounceType, BouncedRecipient, DsnAction, StatusCode};

/// What a bounce says about one recipient.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The bounce type, which SES reports for the notification as a whole.
    pub bounce_type: &'a BounceType,
    /// The bounce subtype, which SES reports for the notification as a whole.
    pub sub_type: &'a BounceSubType,
    /// The DSN action for this recipient.
    pub action: Option<&'a DsnAction>,
    /// The enhanced status code for this recipient.
    pub status: Option<StatusCode>,
    /// The reply of the remote server, as text.
    pub diagnostic: Option<&'a str>,
}

impl<'a> Evidence<'a> {
    /// Collects what `bounce` says about `recipient`, which is one of its own recipients.
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

/// One item of the remote server's evidence. Holds only text of Postroom's own tables and numbers, never text of the
/// payload, which may contain addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clue {
    /// An enhanced status code and its meaning.
    Status(StatusCode, &'static str),
    /// An SMTP reply code without an enhanced status code, and its meaning.
    Reply(u16, &'static str),
    /// A phrase of the tables that the reply contains.
    Phrase(&'static str),
    /// Two words of the tables that the reply combines: `mailbox` and `does not exist`.
    Words {
        /// The word that stands first in the reply.
        first: &'static str,
        /// The word that stands last.
        last: &'static str,
        /// Whether other words stand between them.
        apart: bool,
    },
}

impl fmt::Display for Clue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(code, meaning) => write!(f, "status {code} ({meaning})"),
            Self::Reply(code, meaning) => write!(f, "SMTP reply {code} ({meaning})"),
            Self::Phrase(phrase) => write!(f, "the server said \"{phrase}\""),
            Self::Words { first, last, apart } => {
                let between = if *apart { " … " } else { " " };
                write!(f, "the server said \"{}{between}{}\"", spelled(first), spelled(last))
            }
        }
    }
}

/// A word of the tables as people read it: without the mark of a stem, and placeholders spelled out.
fn spelled(word: &'static str) -> &'static str {
    match word {
        "@" => "(address)",
        "#" => "(IP address)",
        word => word.trim_end_matches('*'),
    }
}

/// The evidence that decided. Its `Display` is for the history of an address and for the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// The subtype of SES is sufficient.
    SubType(&'static str),
    /// The reply of the remote server is clear.
    Clue(Clue),
    /// The DSN action for this recipient is not `failed`.
    Action(&'static str),
    /// The reply is not clear enough, so the bounce type that SES reports decides.
    Type(&'static str, Option<Clue>),
    /// The notification has none of the fields of a delivery report.
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
            Self::NoReport => f.write_str("no action, no status and no diagnostic: an auto-reply"),
        }
    }
}
