//! Text of errors of the AWS SDK.

use std::error::Error;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// Returns the message of an error and of each of its causes, separated by `: `.
///
/// An [`SdkError`] alone reads "service error" or "dispatch failure"; its causes say which one. The SDK's own
/// `DisplayErrorContext` also appends the `Debug` output of the error, which contains response headers and bodies.
///
/// The causes include the message of the service. Use [`sdk_error_code`] for services whose messages quote addresses
/// or content, such as SES.
pub fn sdk_error_text(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Returns the error code of the service, such as `ThrottlingException`, or what happened if no service answered.
///
/// The text never contains the message of the service, so it can be logged for every service.
pub fn sdk_error_code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    let failure = match error {
        SdkError::ConstructionFailure(_) => "request not built",
        SdkError::TimeoutError(_) => "no response in time",
        SdkError::DispatchFailure(_) => "no connection",
        SdkError::ResponseError(_) => "unreadable response",
        SdkError::ServiceError(service) => return service.err().code().unwrap_or("no error code").to_owned(),
        _ => "unknown failure",
    };
    failure.to_owned()
}

#[cfg(test)]
mod tests {
    use std::io;

    use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
    use aws_smithy_types::error::ErrorMetadata;
    use aws_smithy_types::error::metadata::ProvideErrorMetadata;

    use super::{sdk_error_code, sdk_error_text};

    #[derive(Debug, thiserror::Error)]
    #[error("the request for jane@example.net was rejected")]
    struct ServiceError(ErrorMetadata);

    impl ProvideErrorMetadata for ServiceError {
        fn meta(&self) -> &ErrorMetadata {
            &self.0
        }
    }

    type TestError = SdkError<ServiceError, ()>;

    fn service_error(metadata: ErrorMetadata) -> TestError {
        SdkError::service_error(ServiceError(metadata), ())
    }

    #[test]
    fn the_text_names_each_cause() {
        let no_connection: TestError = SdkError::dispatch_failure(ConnectorError::io(
            io::Error::new(io::ErrorKind::ConnectionReset, "connection reset").into(),
        ));
        assert_eq!(
            sdk_error_text(&no_connection),
            "dispatch failure: io error: connection reset"
        );
        assert_eq!(
            sdk_error_text(&service_error(ErrorMetadata::builder().build())),
            "service error: the request for jane@example.net was rejected"
        );
    }

    #[test]
    fn the_code_never_contains_the_message_of_the_service() {
        let throttled = ErrorMetadata::builder()
            .code("ThrottlingException")
            .message("for jane@example.net");
        let cases: [(TestError, &str); 6] = [
            (service_error(throttled.build()), "ThrottlingException"),
            (service_error(ErrorMetadata::builder().build()), "no error code"),
            (SdkError::construction_failure("bad uri"), "request not built"),
            (SdkError::timeout_error("after 3 s"), "no response in time"),
            (
                SdkError::dispatch_failure(ConnectorError::timeout("connect".into())),
                "no connection",
            ),
            (SdkError::response_error("truncated", ()), "unreadable response"),
        ];
        for (error, expected) in cases {
            assert_eq!(sdk_error_code(&error), expected);
        }
    }
}
