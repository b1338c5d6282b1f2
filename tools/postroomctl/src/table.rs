//! The stack's table, and the words for its failures.

use aws_config::BehaviorVersion;
use reputation::SesError;
use store::{Store, StoreError};

use crate::cli::TableArgs;

/// AWS did not answer as it should.
#[derive(Debug)]
pub(crate) struct AwsFailed(String);

impl std::fmt::Display for AwsFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)?;
        if self.0.contains("ResourceNotFoundException") {
            f.write_str("\n  check --table (the stack's output TableName), the Region and the endpoint")?;
        }
        Ok(())
    }
}

impl std::error::Error for AwsFailed {}

impl AwsFailed {
    pub(crate) fn new(cause: impl ToString) -> Self {
        Self(cause.to_string())
    }
}

impl From<StoreError> for AwsFailed {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl From<SesError> for AwsFailed {
    fn from(error: SesError) -> Self {
        Self(error.to_string())
    }
}

pub(crate) async fn open(args: &TableArgs) -> Store {
    open_named(&args.table).await
}

pub(crate) async fn open_named(table: &str) -> Store {
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    Store::new(aws_sdk_dynamodb::Client::new(&config), table)
}
