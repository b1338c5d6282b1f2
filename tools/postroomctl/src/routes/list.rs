//! `postroomctl routes list`.

use std::fmt::Write;

use clap::Args;
use serde_json::{Value, json};
use store::{Route, SenderMatch};

use crate::aws_error::AwsError;
use crate::describe::{filter_text, redaction_text, sender_match_text, target_text};
use crate::output::{Output, json_text};
use crate::table::TableArgs;

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    table: TableArgs,
}

pub(crate) async fn run(args: &ListArgs) -> anyhow::Result<Output> {
    let store = args.table.open().await;
    let mut routes = store.all_routes().await.map_err(AwsError::from)?;
    routes.sort_by(|a, b| a.name.cmp(&b.name));
    if args.table.json {
        let rows: Vec<Value> = routes.iter().map(route_json).collect();
        return Ok(Output::done(json_text(&json!(rows))));
    }
    let mut text = String::new();
    for route in &routes {
        writeln!(text, "{}", route.name)?;
        writeln!(text, "  senders    {}", sender_match_text(&route.senders))?;
        writeln!(text, "  filter     {}", filter_text(&route.filter))?;
        writeln!(text, "  target     {}", target_text(&route.target))?;
        writeln!(text, "  redaction  {}", redaction_text(route.redaction))?;
    }
    if routes.is_empty() {
        writeln!(
            text,
            "no routes: every notification goes to the topic for unrouted notifications"
        )?;
    }
    Ok(Output::done(text))
}

fn route_json(route: &Route) -> Value {
    let SenderMatch {
        owner,
        account,
        identity,
    } = &route.senders;
    json!({
        "name": route.name, "owner": owner, "account": account, "identity": identity,
        "configurationSets": route.filter.configuration_sets, "tenants": route.filter.tenants,
        "events": route.filter.events, "target": route.target.to_string(), "redaction": redaction_text(route.redaction),
    })
}
