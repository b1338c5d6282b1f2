//! `postroomctl suppression put`.

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use notification_model::EmailAddress;
use operations::{Decision, period_text, scope_text};
use store::Scope;

use crate::arguments::parse_address;
use crate::aws_error::AwsError;
use crate::output::{Output, json_text};
use crate::table::TableArgs;
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct PutArgs {
    /// The address, in any spelling.
    #[arg(value_parser = parse_address)]
    address: EmailAddress,
    /// `global`, `tenant:NAME` or `domain:NAME`.
    #[arg(long, default_value = "global")]
    scope: Scope,
    /// The reason, which is shown with the suppression.
    #[arg(long)]
    reason: String,
    /// The number of days. Default: permanently.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: Option<u32>,
    #[command(flatten)]
    table: TableArgs,
}

pub(crate) async fn run(args: &PutArgs) -> anyhow::Result<Output> {
    let now = Timestamp::now();
    let until = args
        .days
        .and_then(|days| now.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok());
    let decision = Decision::suppress(&args.address, args.scope.clone(), until, &args.reason, now);
    decision.write(&args.table.open().await).await.map_err(AwsError::from)?;
    let text = if args.table.json {
        json_text(&decision.json())
    } else {
        let (address, scope) = (args.address.key(), scope_text(&args.scope));
        Text::of_line(&format!(
            "{address} is suppressed, {scope}, {}",
            period_text(&decision.entry)
        ))
    };
    Ok(Output::done(text))
}
