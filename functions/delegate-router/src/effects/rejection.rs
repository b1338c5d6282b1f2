//! Why an AWS service did not do what was asked, and whether asking again can help.

use std::fmt;

use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};

/// A service said no, or nothing. Displays the code alone, which can be logged; a service's message may quote its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rejection {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) for_good: bool,
}

/// Codes, without a service's prefixes and suffixes, that mean the same tomorrow: the target is gone, does not let us in,
/// or does not take such a message. What is not listed is tried again, and ends in the dead-letter queue.
const FOR_GOOD: [&str; 24] = [
    "accessdenied",
    "authorizationerror",
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
    "malformeddetail",
    "nonexistentqueue",
    "notauthorizedfordetailtype",
    "notauthorizedforsource",
    "notfound",
    "queuedoesnotexist",
    "resourcenotfound",
    "unsupportedoperation",
    "validation",
];

impl Rejection {
    /// What an SDK call failed with.
    pub(super) fn of<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Self {
        let silent = match error {
            SdkError::ConstructionFailure(_) => "ConstructionFailure",
            SdkError::TimeoutError(_) => "Timeout",
            SdkError::DispatchFailure(_) => "DispatchFailure",
            SdkError::ResponseError(_) => "ResponseError",
            _ => "UnknownError",
        };
        let metadata = error.as_service_error().map(ProvideErrorMetadata::meta);
        let code = metadata.and_then(|metadata| metadata.code()).unwrap_or(silent);
        let message = metadata.and_then(|metadata| metadata.message()).unwrap_or_default();
        Self::from_code(code, message)
    }

    /// What an entry of a batch failed with.
    pub(super) fn from_code(code: &str, message: &str) -> Self {
        let bare = code.rsplit('.').next().unwrap_or(code).to_ascii_lowercase();
        let bare = bare.strip_suffix("exception").unwrap_or(&bare);
        Self {
            code: code.to_owned(),
            message: message.to_owned(),
            for_good: FOR_GOOD.contains(&bare),
        }
    }

    /// Something of our own did not work.
    pub(super) fn for_now(problem: &str) -> Self {
        Self {
            code: problem.to_owned(),
            message: String::new(),
            for_good: false,
        }
    }

    /// A target that cannot be asked at all.
    pub(super) fn for_good(code: &str, message: &str) -> Self {
        Self {
            code: code.to_owned(),
            message: message.to_owned(),
            for_good: true,
        }
    }

    /// The code and, where there is one, the message.
    pub(super) fn in_words(&self) -> String {
        match self.message.as_str() {
            "" => self.code.clone(),
            message => format!("{}: {message}", self.code),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::Rejection;

    #[test]
    fn what_time_may_heal_is_tried_again() {
        let cases = [
            ("NotFound", true),
            ("AuthorizationError", true),
            ("AccessDeniedException", true),
            ("AWS.SimpleQueueService.NonExistentQueue", true),
            ("ResourceNotFoundException", true),
            ("KMS.NotFoundException", true),
            ("KMSAccessDenied", true),
            ("ThrottlingException", false),
            ("RequestThrottled", false),
            ("InternalError", false),
            ("ExpiredToken", false),
            ("", false),
        ];
        for (code, for_good) in cases {
            assert_eq!(Rejection::from_code(code, "").for_good, for_good, "{code}");
        }
    }
}
