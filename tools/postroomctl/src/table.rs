//! The stack's DynamoDB table.

use clap::Args;
use store::Store;

#[derive(Debug, Args)]
pub(crate) struct TableArgs {
    /// The stack's table (output TableName).
    #[arg(long, env = "POSTROOM_TABLE", value_name = "NAME")]
    pub(crate) table: String,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

impl TableArgs {
    pub(crate) async fn open(&self) -> Store {
        open_table(&self.table).await
    }
}

pub(crate) async fn open_table(name: &str) -> Store {
    let config = crate::sdk_config::load().await;
    Store::new(aws_sdk_dynamodb::Client::new(&config), name)
}
