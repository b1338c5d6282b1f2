//! The stack's DynamoDB table.

use aws_sdk_dynamodb::config::Region;
use clap::Args;
use store::Store;

#[derive(Debug, Args)]
pub(crate) struct TableArgs {
    /// The stack's table: output TableName, or TableArn for a table in another Region or account.
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

/// Opens a table by its name, or by its ARN, which names the Region.
pub(crate) async fn open_table(table: &str) -> Store {
    let config = crate::sdk_config::load().await;
    let mut builder = aws_sdk_dynamodb::config::Builder::from(&config);
    builder.set_region(region_of(table).map(Region::new).or_else(|| config.region().cloned()));
    Store::new(aws_sdk_dynamodb::Client::from_conf(builder.build()), table)
}

/// Returns the Region of the ARN of a table, `arn:PARTITION:dynamodb:REGION:ACCOUNT:table/NAME`.
fn region_of(table: &str) -> Option<String> {
    let parts: Vec<&str> = table.split(':').collect();
    match parts.as_slice() {
        ["arn", _, "dynamodb", region, _, _] => Some((*region).to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::region_of;

    #[test]
    fn the_arn_of_a_table_names_its_region() {
        let arn = "arn:aws-us-gov:dynamodb:us-gov-west-1:111122223333:table/postroom-Table-EXAMPLE";
        assert_eq!(region_of(arn).as_deref(), Some("us-gov-west-1"));
        assert_eq!(region_of("postroom-Table-EXAMPLE"), None);
    }
}
