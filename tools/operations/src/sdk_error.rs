//! Failed requests to AWS in words.

use std::error::Error;

use aws_sdk_sqs::error::ProvideErrorMetadata;

/// The code and message of the service, or the chain of causes when there was no response.
pub fn sdk_error_text<E: ProvideErrorMetadata + Error>(error: &E) -> String {
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => lambda_kit::sdk_error_text(error),
    }
}
