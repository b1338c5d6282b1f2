//! Why a record is unfinished.

use notification_model::ParseError;

use crate::effects::{ActionError, UnfinishedActions};
use crate::verdict::Disposition;

/// Why a record is unfinished, and the disposition that is known so far.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub(crate) struct RecordError {
    pub(crate) cause: Cause,
    pub(crate) disposition: Option<Disposition>,
}

/// Why a record is unfinished.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    #[error(transparent)]
    Parse(#[from] ParseError),
    #[error("the notification is about sent mail: subscribe the feedback function to this topic instead")]
    SentMail,
    #[error(transparent)]
    NotDecided(#[from] ActionError),
    #[error(transparent)]
    Unfinished(#[from] UnfinishedActions),
    #[error("the time budget is exceeded")]
    TimeBudgetExceeded,
}

impl RecordError {
    /// The kind of failure in metrics.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.cause {
            Cause::Parse(_) => "parse",
            Cause::SentMail => "sent-mail",
            Cause::NotDecided(error) => error.kind(),
            Cause::Unfinished(unfinished) => unfinished.kind(),
            Cause::TimeBudgetExceeded => "time-budget",
        }
    }
}
