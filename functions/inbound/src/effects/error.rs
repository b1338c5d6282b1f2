//! Why an action has to be retried. No message quotes a mail or contains an address.

use std::collections::BTreeSet;
use std::fmt;

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use lambda_kit::sdk_error_code;
use store::StoreError;
use unsubscribe_token::KeyError;

use super::mail_source::MailSourceError;

/// Why an action, or the reading before it, has to be retried.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// Another invocation has claimed the action.
    #[error("another invocation has claimed the action")]
    InProgress,
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The mail cannot be read.
    #[error(transparent)]
    MailSource(#[from] MailSourceError),
    /// A service returned an error or did not respond.
    #[error("{operation}: {code}")]
    Service {
        /// The operation, such as `SendEmail`.
        operation: &'static str,
        /// The error code of the service, or the kind of failure.
        code: String,
        /// Whether the operation took place, and whether a retry can succeed.
        class: ErrorClass,
    },
    /// The secret with the keys of unsubscribe tokens is not usable.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// A setting that the action needs is missing.
    #[error("environment variable {0} is not set")]
    MissingSetting(&'static str),
}

/// Whether an operation took place, and whether a retry can succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// It did not take place. A retry can succeed.
    Retryable,
    /// It did not take place, and the service will not accept this mail.
    MailRejected,
    /// It may have taken place.
    ResultUnknown,
}

impl ActionError {
    /// Classifies the error of a call.
    pub(super) fn of_call<E, R>(operation: &'static str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata,
    {
        let code = sdk_error_code(error);
        let class = match error {
            SdkError::ServiceError(_) if rejects_mail(&code) => ErrorClass::MailRejected,
            SdkError::ServiceError(_) if !is_internal_error(&code) => ErrorClass::Retryable,
            SdkError::ConstructionFailure(_) => ErrorClass::Retryable,
            _ => ErrorClass::ResultUnknown,
        };
        Self::Service { operation, code, class }
    }

    /// The error of a request that the SDK cannot build.
    pub(super) fn request_not_built(operation: &'static str) -> Self {
        Self::Service {
            operation,
            code: "request not built".to_owned(),
            class: ErrorClass::MailRejected,
        }
    }

    /// Whether the action certainly did not take place.
    pub(super) fn is_certainly_not_done(&self) -> bool {
        !matches!(
            self,
            Self::Service {
                class: ErrorClass::ResultUnknown,
                ..
            }
        )
    }

    /// The outcome of the action in metrics.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::InProgress => "in-progress",
            _ => "failed",
        }
    }

    /// The kind of failure in metrics about records.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::InProgress => "in-progress",
            Self::Store(_) => "store",
            Self::MailSource(_) => "mail-source",
            Self::Service { .. } => "service",
            Self::Keys(KeyError::Service { .. }) => "service",
            Self::Keys(KeyError::Keys(_)) | Self::MissingSetting(_) => "configuration",
        }
    }
}

/// Whether SES rejects this mail. SES uses the same codes for a sender that is not verified; then the notice fails too, and
/// the record ends in the dead-letter queue.
fn rejects_mail(code: &str) -> bool {
    ["MessageRejected", "BadRequestException", "InvalidParameterValue"].contains(&code)
}

/// Whether an error code says nothing about the result. Codes of throttled and forbidden calls do.
fn is_internal_error(code: &str) -> bool {
    let codes = [
        "InternalFailure",
        "InternalServiceError",
        "ServiceUnavailable",
        "no error code",
    ];
    codes.contains(&code)
}

/// The actions of a mail that have to be retried.
#[derive(Debug)]
pub struct UnfinishedActions(Vec<(&'static str, ActionError)>);

impl UnfinishedActions {
    pub(super) fn from_errors(errors: Vec<(&'static str, ActionError)>) -> Result<(), Self> {
        match errors.is_empty() {
            true => Ok(()),
            false => Err(Self(errors)),
        }
    }

    /// The kind of failure in metrics: `in-progress` if all actions are in progress, else the kind of another error.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        let mut kinds = self.0.iter().map(|(_, error)| error.kind());
        kinds.find(|kind| *kind != "in-progress").unwrap_or("in-progress")
    }
}

impl fmt::Display for UnfinishedActions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors: BTreeSet<String> = self
            .0
            .iter()
            .map(|(action, error)| format!("{action}: {error}"))
            .collect();
        let errors: Vec<String> = errors.into_iter().collect();
        write!(f, "{} unfinished actions: {}", self.0.len(), errors.join("; "))
    }
}

impl std::error::Error for UnfinishedActions {}
