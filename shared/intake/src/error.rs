//! Errors of a batch and of a record. No message quotes the event.

use thiserror::Error;

/// The error of a handler. `anyhow::Error`, every `std::error::Error` and texts convert into it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The event cannot be read. A function returns this error, so that Lambda retries or keeps the event.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IntakeError {
    /// The event is not JSON.
    #[error("event is not valid JSON at line {line} column {column}")]
    NotJson {
        /// The line, starting at 1.
        line: usize,
        /// The column, starting at 1.
        column: usize,
    },
    /// The event is JSON, but not one that SNS, SQS, EventBridge or a receipt rule sends.
    #[error("unknown event shape at {0}")]
    Shape(#[from] ShapeError),
}

/// The place where an event differs from the shape that AWS documents.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{path}`: {problem}")]
pub struct ShapeError {
    /// The JSON path from the root of the event, `$`. It continues into an SQS body that is JSON.
    pub path: String,
    /// What is expected there.
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
    /// As [`Record::id`](crate::Record::id), or the path of a record that has no id and needs none for the response.
    pub id: String,
    /// The place that cannot be read.
    pub error: ShapeError,
}

/// Why a record failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordFailure {
    /// The envelope cannot be read. The handler was not called.
    #[error("bad envelope at {0}")]
    BadEnvelope(ShapeError),
    /// The handler returned an error.
    #[error(transparent)]
    Handler(BoxError),
    /// The handler panicked. The message of the panic is omitted, because it may quote the payload.
    #[error("handler panicked")]
    Panicked,
    /// A later step for the whole batch failed. See [`Outcomes::fail`](crate::Outcomes::fail).
    #[error(transparent)]
    Batch(BoxError),
}

impl RecordFailure {
    /// Returns the kind of failure for logs and metrics.
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
