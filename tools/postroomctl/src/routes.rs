//! Who hears of what: the routing table, and the words for it.

use std::fmt::Write;

use ledger::{Narrowing, PartyMatch, Route, Target, View};
use serde_json::{Value, json};

use crate::Output;
use crate::cli::RoutesListArgs;
use crate::table::{AwsFailed, open};

pub(crate) async fn list(args: &RoutesListArgs) -> anyhow::Result<Output> {
    let ledger = open(&args.table).await;
    let mut routes = ledger.all_routes().await.map_err(AwsFailed::from)?;
    routes.sort_by(|a, b| a.name.cmp(&b.name));
    if args.table.json {
        let rows: Vec<Value> = routes.iter().map(route_json).collect();
        return Ok(Output::yes(format!("{:#}\n", json!(rows))));
    }
    let mut text = String::new();
    for route in &routes {
        writeln!(text, "{}", route.name)?;
        writeln!(text, "  of    {}", parties_words(&route.parties))?;
        writeln!(text, "  only  {}", only_words(&route.only))?;
        writeln!(text, "  to    {}", target_words(&route.target))?;
        writeln!(text, "  sees  {}", view_words(route.view))?;
    }
    if routes.is_empty() {
        writeln!(
            text,
            "no routes: every notification goes to the topic for unrouted ones"
        )?;
    }
    Ok(Output::yes(text))
}

fn route_json(route: &Route) -> Value {
    let PartyMatch {
        owner,
        account,
        identity,
    } = &route.parties;
    json!({
        "name": route.name, "owner": owner, "account": account, "identity": identity,
        "configurationSets": route.only.configuration_sets, "tenants": route.only.tenants, "events": route.only.events,
        "target": route.target.to_string(), "view": match route.view { View::Full => "full", View::Redacted => "redacted" },
    })
}

pub(crate) fn parties_words(parties: &PartyMatch) -> String {
    let PartyMatch {
        owner,
        account,
        identity,
    } = parties;
    let whose = match (identity, owner) {
        (Some(identity), Some(owner)) => format!("{identity} of {owner}"),
        (Some(identity), None) => identity.to_string(),
        (None, Some(owner)) => format!("all identities of {owner}"),
        (None, None) => "all identities of anyone".to_owned(),
    };
    match account {
        Some(account) => format!("{whose}, sent by {account}"),
        None => whose,
    }
}

pub(crate) fn only_words(only: &Narrowing) -> String {
    let sets = [
        ("configuration sets", &only.configuration_sets),
        ("tenants", &only.tenants),
        ("events", &only.events),
    ];
    let some = sets.iter().filter(|(_, words)| !words.is_empty());
    let words: Vec<String> = some
        .map(|(what, words)| format!("{what} {}", words.iter().cloned().collect::<Vec<_>>().join(", ")))
        .collect();
    if words.is_empty() {
        "everything".to_owned()
    } else {
        words.join("; ")
    }
}

pub(crate) fn target_words(target: &Target) -> String {
    match target {
        Target::Topic(arn) => format!("topic {arn}"),
        Target::Queue(arn) => format!("queue {arn}"),
        Target::Bus(arn) => format!("bus {arn}"),
        Target::Email(address) => format!("{address}, in digests"),
    }
}

pub(crate) fn view_words(view: View) -> &'static str {
    match view {
        View::Full => "everything",
        View::Redacted => "the redacted form",
    }
}
