//! Failed requests to AWS, which have an exit code of their own.

use std::error::Error;
use std::fmt;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use reputation::SesError;
use store::StoreError;

/// A request to AWS failed.
#[derive(Debug)]
pub(crate) struct AwsError(String);

impl AwsError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// The error of an operation of any service.
    pub(crate) fn of_operation<E: ProvideErrorMetadata + Error>(operation: &str, error: &E) -> Self {
        Self(format!("{operation}: {}", sdk_error_text(error)))
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)?;
        if self.0.contains("ResourceNotFoundException") {
            f.write_str("\n  check --table (the stack's output TableName), the Region and the endpoint")?;
        }
        Ok(())
    }
}

impl Error for AwsError {}

impl From<StoreError> for AwsError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl From<SesError> for AwsError {
    fn from(error: SesError) -> Self {
        Self(error.to_string())
    }
}

/// The code and message of the service, or the chain of causes when there was no response.
pub(crate) fn sdk_error_text<E: ProvideErrorMetadata + Error>(error: &E) -> String {
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => lambda_kit::sdk_error_text(error),
    }
}
