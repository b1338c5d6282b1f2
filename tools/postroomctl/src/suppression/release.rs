//! `postroomctl suppression release`.

use std::collections::BTreeSet;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use notification_model::EmailAddress;
use store::{Recipient, Scope};

use super::decision::{Decision, active_suppressions, manual_entry, read_recipient};
use crate::arguments::parse_address;
use crate::describe::scope_text;
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
    let recipient = read_recipient(&store, &args.address).await?;
    let scopes: BTreeSet<Scope> = match &args.scope {
        Some(scope) => BTreeSet::from([scope.clone()]),
        None => active_suppressions(&recipient, now)
            .into_iter()
            .map(|suppression| suppression.scope)
            .collect(),
    };
    let at = release_time(&recipient, &scopes, now);
    let decision = Decision {
        address: &args.address,
        scopes: scopes.into_iter().collect(),
        entry: manual_entry(&args.address, at, false, None, &args.reason),
    };
    decision.write(&store).await?;
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

/// Now, or just after the newest entry of the scopes. A release must be newer than what it releases, and the clock that
/// wrote an entry may be ahead of this one.
fn release_time(recipient: &Recipient, scopes: &BTreeSet<Scope>, now: Timestamp) -> Timestamp {
    let newest = recipient
        .entries
        .iter()
        .filter(|((scope, _), _)| scopes.contains(scope))
        .map(|(_, entry)| entry.at)
        .max();
    newest.map_or(now, |newest| now.max(newest + SignedDuration::from_millis(1)))
}
