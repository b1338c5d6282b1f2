//! `postroomctl suppression release`.

use clap::Args;
use jiff::Timestamp;
use notification_model::EmailAddress;
use operations::{Decision, read_recipient, scope_text};
use store::Scope;

use crate::arguments::parse_address;
use crate::aws_error::AwsError;
use crate::output::{Output, json_text};
use crate::table::TableArgs;
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct ReleaseArgs {
    /// The address, in any spelling.
    #[arg(value_parser = parse_address)]
    address: EmailAddress,
    /// Only in this scope. Default: every scope in which the address is suppressed.
    #[arg(long)]
    scope: Option<Scope>,
    /// The reason, which is recorded in the history.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    table: TableArgs,
}

pub(crate) async fn run(args: &ReleaseArgs) -> anyhow::Result<Output> {
    let store = args.table.open().await;
    let now = Timestamp::now();
    let recipient = read_recipient(&store, &args.address).await.map_err(AwsError::from)?;
    let decision = Decision::release(&args.address, &recipient, args.scope.as_ref(), &args.reason, now);
    decision.write(&store).await.map_err(AwsError::from)?;
    let is_released = !decision.scopes.is_empty();
    let address = args.address.key();
    let text = if args.table.json {
        json_text(&decision.json())
    } else if is_released {
        let scopes: Vec<String> = decision.scopes.iter().map(scope_text).collect();
        Text::of_line(&format!("{address} is released, {}", scopes.join(" and ")))
    } else {
        Text::of_line(&format!("{address} is not suppressed: nothing to release"))
    };
    Ok(Output::answer(is_released, text))
}
