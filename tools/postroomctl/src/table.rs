//! The stack's table, and the words for its failures.

use aws_config::BehaviorVersion;
use ledger::{Ledger, LedgerError};

use crate::cli::TableArgs;

/// AWS did not answer as it should.
#[derive(Debug)]
pub(crate) struct AwsFailed(LedgerError);

impl std::fmt::Display for AwsFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.0.to_string();
        f.write_str(&text)?;
        if text.contains("ResourceNotFoundException") {
            f.write_str("\n  check --table (the stack's output TableName), the Region and the endpoint")?;
        }
        Ok(())
    }
}

impl std::error::Error for AwsFailed {}

impl From<LedgerError> for AwsFailed {
    fn from(error: LedgerError) -> Self {
        Self(error)
    }
}

pub(crate) async fn open(args: &TableArgs) -> Ledger {
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    Ledger::new(aws_sdk_dynamodb::Client::new(&config), &args.table)
}
