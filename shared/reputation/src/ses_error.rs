//! Failures of SES calls, and whether SES rejected the call.

use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use lambda_kit::{sdk_error_code, sdk_error_text};

/// Error codes with which SES rejects a call for good. The setting is unchanged, and the same call is rejected again.
///
/// All others, such as throttling, internal errors and conflicts, can disappear with time.
const REJECTIONS: [&str; 4] = [
    "AccessDenied",
    "AccessDeniedException",
    "BadRequestException",
    "NotFoundException",
];

/// A call to SES failed.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {cause}")]
pub struct SesError {
    operation: &'static str,
    cause: String,
    is_rejection: bool,
}

impl SesError {
    /// The error of an SDK call.
    pub(crate) fn new<E, R>(operation: &'static str, error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata,
        SdkError<E, R>: std::error::Error,
    {
        let is_service_error = matches!(error, SdkError::ServiceError(_));
        Self {
            operation,
            cause: sdk_error_text(&error),
            is_rejection: is_service_error && REJECTIONS.contains(&sdk_error_code(&error).as_str()),
        }
    }

    /// A response that cannot be used. Repeating the call does not help.
    pub(crate) fn unusable_response(operation: &'static str, cause: String) -> Self {
        Self {
            operation,
            cause,
            is_rejection: true,
        }
    }

    /// Whether SES rejected the call: nothing was changed, and repeating the call does not help. Otherwise the call may have
    /// taken effect.
    #[must_use]
    pub fn is_rejection(&self) -> bool {
        self.is_rejection
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sesv2::error::{ErrorMetadata, SdkError};
    use aws_sdk_sesv2::operation::get_tenant::GetTenantError;

    use super::SesError;

    fn service_error(code: Option<&str>) -> SdkError<GetTenantError, ()> {
        let mut metadata = ErrorMetadata::builder().message("text");
        if let Some(code) = code {
            metadata = metadata.code(code);
        }
        SdkError::service_error(GetTenantError::generic(metadata.build()), ())
    }

    #[test]
    fn only_a_clear_rejection_is_a_rejection() {
        let cases: [(SdkError<GetTenantError, ()>, bool); 12] = [
            (service_error(Some("AccessDeniedException")), true),
            (service_error(Some("BadRequestException")), true),
            (service_error(Some("NotFoundException")), true),
            (service_error(Some("TooManyRequestsException")), false),
            (service_error(Some("ThrottlingException")), false),
            (service_error(Some("ConflictException")), false),
            (service_error(Some("ExpiredTokenException")), false),
            (service_error(Some("InternalFailure")), false),
            (service_error(None), false),
            (SdkError::timeout_error("after 10 s"), false),
            (SdkError::construction_failure("no region"), false),
            (SdkError::response_error("truncated", ()), false),
        ];
        for (error, expected) in cases {
            let text = format!("{error:?}");
            assert_eq!(SesError::new("GetTenant", error).is_rejection(), expected, "{text}");
        }
    }
}
