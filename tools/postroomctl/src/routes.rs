//! Who hears of what: the routing table, and the words for it.

use std::fmt::Write;

use serde_json::{Value, json};
use store::{Redaction, Route, RouteFilter, SenderMatch, Target};

use crate::Output;
use crate::cli::RoutesListArgs;
use crate::table::{AwsFailed, open};

pub(crate) async fn list(args: &RoutesListArgs) -> anyhow::Result<Output> {
    let store = open(&args.table).await;
    let mut routes = store.all_routes().await.map_err(AwsFailed::from)?;
    routes.sort_by(|a, b| a.name.cmp(&b.name));
    if args.table.json {
        let rows: Vec<Value> = routes.iter().map(route_json).collect();
        return Ok(Output::yes(format!("{:#}\n", json!(rows))));
    }
    let mut text = String::new();
    for route in &routes {
        writeln!(text, "{}", route.name)?;
        writeln!(text, "  of    {}", sender_words(&route.senders))?;
        writeln!(text, "  only  {}", filter_words(&route.filter))?;
        writeln!(text, "  to    {}", target_words(&route.target))?;
        writeln!(text, "  sees  {}", redaction_words(route.redaction))?;
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
    let SenderMatch {
        owner,
        account,
        identity,
    } = &route.senders;
    json!({
        "name": route.name, "owner": owner, "account": account, "identity": identity,
        "configurationSets": route.filter.configuration_sets, "tenants": route.filter.tenants, "events": route.filter.events,
        "target": route.target.to_string(), "redaction": match route.redaction { Redaction::None => "none", Redaction::Standard => "standard" },
    })
}

pub(crate) fn sender_words(senders: &SenderMatch) -> String {
    let SenderMatch {
        owner,
        account,
        identity,
    } = senders;
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

pub(crate) fn filter_words(filter: &RouteFilter) -> String {
    let sets = [
        ("configuration sets", &filter.configuration_sets),
        ("tenants", &filter.tenants),
        ("events", &filter.events),
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

pub(crate) fn redaction_words(redaction: Redaction) -> &'static str {
    match redaction {
        Redaction::None => "everything",
        Redaction::Standard => "the redacted form",
    }
}
