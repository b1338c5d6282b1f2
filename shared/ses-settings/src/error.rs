//! Failures of calls.

use std::time::Duration;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use lambda_kit::sdk_error_code;

/// A call to SES or SNS failed.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {text}")]
pub struct SettingsError {
    operation: &'static str,
    code: String,
    text: String,
    class: Class,
}

/// What a failure means for the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// SES or SNS throttled the call, which had no effect.
    Throttled,
    /// There was no usable response. The call may have taken effect.
    Unknown,
    /// The object does not exist.
    NotFound,
    /// The service rejected the call.
    Rejected,
}

impl SettingsError {
    pub(crate) fn of_sdk<E, R>(operation: &'static str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata,
    {
        let code = sdk_error_code(error);
        let message = error.as_service_error().and_then(ProvideErrorMetadata::message);
        let text = match message {
            Some(message) => format!("{code}: {message}{}", hint(operation, &code, message)),
            None => code.clone(),
        };
        let class = match error {
            SdkError::ServiceError(_) => class_of(&code),
            SdkError::ConstructionFailure(_) => Class::Rejected,
            _ => Class::Unknown,
        };
        Self {
            operation,
            code,
            text,
            class,
        }
    }

    pub(crate) fn unusable(operation: &'static str, text: String) -> Self {
        Self {
            operation,
            code: "unusable response".to_owned(),
            text,
            class: Class::Rejected,
        }
    }

    /// The error code of the service, or what happened when there was no response. Contains no names.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The operation that failed.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// Whether the object does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.class == Class::NotFound
    }

    /// Whether the caller lacks the permission.
    #[must_use]
    pub fn is_access_denied(&self) -> bool {
        self.code.starts_with("AccessDenied") || self.code == "AuthorizationError"
    }

    /// Whether the service throttled the call, after all attempts.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.class == Class::Throttled
    }

    pub(crate) fn class(&self) -> Class {
        self.class
    }
}

fn class_of(code: &str) -> Class {
    match code {
        "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "Throttled"
        | "SlowDown" => Class::Throttled,
        "NotFoundException" | "NotFound" | "ConfigurationSetDoesNotExist" => Class::NotFound,
        "ServiceUnavailable"
        | "InternalFailure"
        | "InternalError"
        | "InternalServerError"
        | "InternalServiceErrorException"
        | "ConcurrentModificationException" => Class::Unknown,
        _ => Class::Rejected,
    }
}

/// What SES's misleading errors usually mean.
fn hint(operation: &str, code: &str, message: &str) -> &'static str {
    if !operation.starts_with("SetIdentityNotificationTopic") {
        return "";
    }
    if message.contains("Must be a verified email address or domain") {
        "\n  SES also answers so when the topic is in another Region or the identity was deleted"
    } else if code == "InvalidParameterValue" {
        "\n  check that the topic is a standard topic of this Region, that its policy lets ses.amazonaws.com publish for this \
         account, and that its key, if any, is customer managed and lets SES use it (alias/aws/sns does not)"
    } else {
        ""
    }
}

/// How long to wait before attempt number `attempt` (from 1) after a failure of this class; `None` to give up.
pub(crate) fn delay(class: Class, attempt: u32) -> Option<Duration> {
    let seconds = 1u64 << attempt.min(6);
    match class {
        // 2, 4, 8, 16, 32, then 60 s: about four minutes in all.
        Class::Throttled if attempt <= 8 => Some(Duration::from_secs(seconds.min(60))),
        Class::Unknown if attempt <= 4 => Some(Duration::from_secs(seconds)),
        _ => None,
    }
}
