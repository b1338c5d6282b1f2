//! Why something is left to be done. No message quotes a mail or names an address.

use std::collections::BTreeSet;
use std::fmt;

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use store::StoreError;

use super::SourceError;
use crate::token::InvalidKeys;

/// Why one action, or the reading before it, is to be tried again.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Another invocation has begun it and may still finish it.
    #[error("begun by another invocation")]
    Busy,
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The mail cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A service.
    #[error("{operation}: {code}")]
    Service {
        /// What was asked.
        operation: &'static str,
        /// Its answer in one word.
        code: String,
        /// What the answer means.
        meaning: Meaning,
    },
    /// The secret of unsubscribe tokens is not usable.
    #[error("the secret of unsubscribe tokens: {0}")]
    Keys(#[from] InvalidKeys),
    /// Something is not configured.
    #[error("environment variable {0} is not set")]
    Unconfigured(&'static str),
}

/// What a service's answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It did not do it, and another time it may.
    NotNow,
    /// It did not do it, and never will with this mail.
    NotThis,
    /// It may have done it.
    Unknown,
}

impl Failure {
    /// What became of a call.
    pub(super) fn of<E, R>(operation: &'static str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata,
    {
        let code = match error {
            SdkError::ServiceError(service) => service.err().code().unwrap_or("no code").to_owned(),
            SdkError::ConstructionFailure(_) => "request not built".to_owned(),
            SdkError::TimeoutError(_) => "timed out".to_owned(),
            SdkError::DispatchFailure(_) => "no connection".to_owned(),
            _ => "no answer".to_owned(),
        };
        let meaning = match error {
            SdkError::ServiceError(_) if refuses_this_mail(&code) => Meaning::NotThis,
            // A throttled or forbidden call has a code; a failure within the service may have one too.
            SdkError::ServiceError(_)
                if ![
                    "InternalFailure",
                    "InternalServiceError",
                    "ServiceUnavailable",
                    "no code",
                ]
                .contains(&code.as_str()) =>
            {
                Meaning::NotNow
            }
            SdkError::ConstructionFailure(_) => Meaning::NotNow,
            _ => Meaning::Unknown,
        };
        Self::Service {
            operation,
            code,
            meaning,
        }
    }

    /// Whether nothing can have happened.
    pub(super) fn surely_did_nothing(&self) -> bool {
        !matches!(
            self,
            Self::Service {
                meaning: Meaning::Unknown,
                ..
            }
        )
    }

    /// One word for metrics.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Busy => "busy",
            _ => "failed",
        }
    }

    /// One word for metrics about whole records.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Store(_) => "store",
            Self::Source(_) => "source",
            Self::Service { .. } => "service",
            Self::Keys(_) | Self::Unconfigured(_) => "configuration",
        }
    }
}

/// SES says so about an address that is not verified as well; then the notice fails too, and people hear of it.
fn refuses_this_mail(code: &str) -> bool {
    ["MessageRejected", "BadRequestException", "InvalidParameterValue"].contains(&code)
}

/// What is left to be done of a mail.
#[derive(Debug)]
pub struct Unfinished(Vec<(&'static str, Failure)>);

impl Unfinished {
    pub(super) fn unless_empty(failures: Vec<(&'static str, Failure)>) -> Result<(), Self> {
        match failures.is_empty() {
            true => Ok(()),
            false => Err(Self(failures)),
        }
    }

    /// One word for metrics: trying again is all it takes, unless something else than that is among it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        let mut kinds = self.0.iter().map(|(_, failure)| failure.kind());
        kinds.find(|kind| *kind != "busy").unwrap_or("busy")
    }
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each: BTreeSet<String> = self
            .0
            .iter()
            .map(|(action, failure)| format!("{action}: {failure}"))
            .collect();
        let each: Vec<String> = each.into_iter().collect();
        write!(f, "{} actions left to be done: {}", self.0.len(), each.join("; "))
    }
}

impl std::error::Error for Unfinished {}
