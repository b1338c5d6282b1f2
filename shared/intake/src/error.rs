//! What can go wrong, for the batch and for one record. No message quotes the event.

use thiserror::Error;

/// Any error a handler may return; `anyhow::Error`, every `std::error::Error` and a message convert into it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The event as a whole cannot be taken in. Return it: Lambda then retries or keeps what it can.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IntakeError {
    /// Not JSON at all.
    #[error("event is not valid JSON at line {line} column {column}")]
    NotJson {
        /// Counted from one.
        line: usize,
        /// Counted from one.
        column: usize,
    },
    /// JSON, but no event that SNS, SQS, EventBridge or a receipt rule sends.
    #[error("unknown event shape at {0}")]
    Shape(#[from] ShapeError),
}

/// Where an event departs from the shape AWS documents.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{path}`: {problem}")]
pub struct ShapeError {
    /// JSON path from the root of the event, which is `$`. It leads on into an SQS body that is JSON itself.
    pub path: String,
    /// What was expected there.
    pub problem: String,
}

impl ShapeError {
    pub(crate) fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            problem: problem.into(),
        }
    }
}

/// A record whose envelope cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("bad envelope at {error}")]
pub struct BadRecord {
    /// As [`Record::id`](crate::Record::id), or the record's path where it has no id and none is needed to report it.
    pub id: String,
    /// What is wrong with it.
    pub error: ShapeError,
}

/// Why a record was not dealt with.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordFailure {
    /// It never reached the handler.
    #[error("bad envelope at {0}")]
    BadEnvelope(ShapeError),
    /// The handler returned an error.
    #[error(transparent)]
    Handler(BoxError),
    /// The handler panicked. The panic's message is withheld: it may quote the payload.
    #[error("handler panicked")]
    Panicked,
    /// A step for the whole batch failed afterwards, see [`Outcomes::fail`](crate::Outcomes::fail).
    #[error(transparent)]
    Batch(BoxError),
}

impl RecordFailure {
    /// One word for logs and metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::BadEnvelope(_) => "bad_envelope",
            Self::Handler(_) => "handler",
            Self::Panicked => "panic",
            Self::Batch(_) => "batch",
        }
    }
}
