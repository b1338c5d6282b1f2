//! Errors of the services of targets, and whether a retry can help.

use std::fmt;

use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use lambda_kit::sdk_error_code;

/// A service did not accept a delivery. Displays the code only, which can be logged: the message of a service may quote its
/// input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TargetError {
    /// The error code of the service, or what happened if no service answered.
    pub(super) code: String,
    /// The message of the service. Empty without one.
    pub(super) message: String,
    /// Whether a retry fails in the same way.
    pub(super) is_permanent: bool,
}

/// Codes of permanent errors, in lower case without the prefixes and suffixes of the services: the target does not exist, does
/// not permit access, or does not accept such a message. All other errors are retried until the queue's redrive policy moves
/// the delivery to the dead-letter queue: also those of an account whose sending SES has paused or suspended.
const PERMANENT_CODES: [&str; 27] = [
    "accessdenied",
    "authorizationerror",
    "badrequest",
    "batchrequesttoolong",
    "endpointdisabled",
    "invalidaddress",
    "invalidargument",
    "invalidmessagecontents",
    "invalidparameter",
    "invalidparametervalue",
    "invalidsecurity",
    "kmsaccessdenied",
    "kmsdisabled",
    "kmsinvalidkeyusage",
    "kmsinvalidstate",
    "kmsnotfound",
    "mailfromdomainnotverified",
    "malformeddetail",
    "messagerejected",
    "nonexistentqueue",
    "notauthorizedfordetailtype",
    "notauthorizedforsource",
    "notfound",
    "queuedoesnotexist",
    "resourcenotfound",
    "unsupportedoperation",
    "validation",
];

impl TargetError {
    /// The error of an SDK call.
    pub(super) fn from_sdk<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Self {
        let message = error.as_service_error().and_then(ProvideErrorMetadata::message);
        Self::from_code(&sdk_error_code(error), message.unwrap_or_default())
    }

    /// The error of an entry of a batch.
    pub(super) fn from_code(code: &str, message: &str) -> Self {
        let name = code.rsplit('.').next().unwrap_or(code).to_ascii_lowercase();
        let name = name.strip_suffix("exception").unwrap_or(&name);
        Self {
            code: code.to_owned(),
            message: message.to_owned(),
            is_permanent: PERMANENT_CODES.contains(&name),
        }
    }

    /// An error of our own side.
    pub(super) fn temporary(description: impl fmt::Display) -> Self {
        Self {
            code: description.to_string(),
            message: String::new(),
            is_permanent: false,
        }
    }

    /// A target to which nothing can be delivered.
    pub(super) fn permanent(code: &str, message: &str) -> Self {
        Self {
            code: code.to_owned(),
            message: message.to_owned(),
            is_permanent: true,
        }
    }

    /// The code, and the message if there is one.
    pub(super) fn describe(&self) -> String {
        match self.message.as_str() {
            "" => self.code.clone(),
            message => format!("{}: {message}", self.code),
        }
    }
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::TargetError;

    #[test]
    fn errors_that_can_disappear_are_retried() {
        let cases = [
            ("NotFound", true),
            ("AuthorizationError", true),
            ("AccessDeniedException", true),
            ("AWS.SimpleQueueService.NonExistentQueue", true),
            ("ResourceNotFoundException", true),
            ("KMS.NotFoundException", true),
            ("KMSAccessDenied", true),
            ("MessageRejected", true),
            ("MailFromDomainNotVerifiedException", true),
            ("BadRequestException", true),
            ("SendingPausedException", false),
            ("AccountSuspendedException", false),
            ("LimitExceededException", false),
            ("TooManyRequestsException", false),
            ("ThrottlingException", false),
            ("RequestThrottled", false),
            ("InternalError", false),
            ("ExpiredToken", false),
            ("no response in time", false),
            ("", false),
        ];
        for (code, is_permanent) in cases {
            assert_eq!(TargetError::from_code(code, "").is_permanent, is_permanent, "{code}");
        }
    }
}
