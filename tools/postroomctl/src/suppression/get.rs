//! `postroomctl suppression get`.

use clap::Args;
use jiff::Timestamp;
use notification_model::EmailAddress;
use operations::{active_suppressions, period_text, read_recipient, scope_text, suppressed_since};
use serde_json::{Value, json};
use store::ActiveSuppression;

use super::suppression_json::suppression_json_with;
use crate::arguments::parse_address;
use crate::aws_error::AwsError;
use crate::output::{Output, json_text};
use crate::table::TableArgs;
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// The address, in any spelling.
    #[arg(value_parser = parse_address)]
    address: EmailAddress,
    #[command(flatten)]
    table: TableArgs,
}

pub(crate) async fn run(args: &GetArgs) -> anyhow::Result<Output> {
    let store = args.table.open().await;
    let recipient = read_recipient(&store, &args.address).await.map_err(AwsError::from)?;
    let suppressions = active_suppressions(&recipient, Timestamp::now());
    let history = match suppressions.as_slice() {
        [] => Vec::new(),
        _ => store.history(&args.address).await.map_err(AwsError::from)?,
    };
    let address = args.address.key();
    let suppressions: Vec<(&ActiveSuppression, Timestamp)> = suppressions
        .iter()
        .map(|suppression| (suppression, suppressed_since(suppression, &history)))
        .collect();
    let is_suppressed = !suppressions.is_empty();
    if args.table.json {
        let rows: Vec<Value> = suppressions
            .iter()
            .map(|(suppression, since)| suppression_json_with(suppression, "since", &since.to_string()))
            .collect();
        let value = json!({"address": address, "suppressed": is_suppressed, "suppressions": rows});
        return Ok(Output::answer(is_suppressed, json_text(&value)));
    }
    if !is_suppressed {
        return Ok(Output::answer(
            false,
            Text::of_line(&format!("{address} is not suppressed")),
        ));
    }
    let mut text = Text::of_line(&format!("{address} is suppressed"));
    for (suppression, since) in suppressions {
        writeln!(text)?;
        writeln!(
            text,
            "  {}, {}",
            scope_text(&suppression.scope),
            period_text(&suppression.entry)
        )?;
        writeln!(text, "    {:<21}  {}", "reason", suppression.entry.reason)?;
        writeln!(text, "    {:<21}  {since}", "since")?;
        for (name, value) in &suppression.entry.evidence {
            writeln!(text, "    {name:<21}  {value}")?;
        }
    }
    Ok(Output::done(text))
}
