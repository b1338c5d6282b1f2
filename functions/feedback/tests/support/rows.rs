//! Descriptions of the rows of the table, one line for each outcome.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

type Fields = Map<String, Value>;

/// Describes each row, given by `<pk> / <sk>`, in one line for each outcome.
pub(crate) fn describe_rows(rows: &BTreeMap<String, Value>) -> Vec<String> {
    let mut lines = Vec::new();
    for (key, row) in rows {
        let fields = row.as_object().unwrap();
        let (pk, sk) = key.split_once(" / ").unwrap();
        match (pk.split_once('#').unwrap(), sk) {
            (("RECIPIENT", address), "SUPPRESSION") => lines.extend(describe_recipient(address, fields)),
            (("RECIPIENT", address), _) => lines.push(describe_history(address, fields)),
            (("SENDER", sender), _) => lines.push(describe_events(sender, sk, fields)),
            (("DELIVERED", partition), _) => {
                let bytes = text(fields, "records");
                let kept = describe_kept(fields, "2026-03-02T08:15:31Z");
                lines.push(format!("deliveries   {partition}: {bytes}, {kept}"));
            }
            (("SEEN", resource), _) => lines.extend(describe_seen(resource, fields)),
            (("PROOF", topic), subject) => {
                lines.push(format!("proof        {topic} {subject}: {}", text(fields, "provenAt")));
            }
            _ => lines.push(format!("row          {key}: {row}")),
        }
    }
    lines
}

fn describe_recipient(address: &str, fields: &Fields) -> Vec<String> {
    let describe = |(name, value): (&String, &Value)| match value {
        Value::Object(entry) => {
            let effect = if entry["blocked"] == true {
                "suppresses"
            } else {
                "does not suppress"
            };
            let until = match entry.get("until") {
                None => "permanently".to_owned(),
                Some(until) => format!("for {} days", days_between(text(entry, "at"), until)),
            };
            let spelling = text(entry, "address");
            let reason = text(entry, "reason");
            format!("suppression  {address} ({spelling}) {name} {effect} {until}: {reason}")
        }
        Value::Array(members) => format!("series       {address} {name}: {}", members.len()),
        other => format!("attribute    {address} {name}: {other}"),
    };
    fields.iter().map(describe).collect()
}

fn describe_seen(resource: &str, fields: &Fields) -> Vec<String> {
    let types = fields.iter().filter(|(name, _)| name.contains(':'));
    types
        .map(|(name, at)| format!("seen         {resource} {name} at {}", at.as_str().unwrap()))
        .collect()
}

fn describe_history(address: &str, fields: &Fields) -> String {
    let listed = match fields.get("listKey") {
        Some(list) => format!(", listed under {}", list.as_str().unwrap()),
        None => String::new(),
    };
    let (kind, scope, reason) = (text(fields, "kind"), text(fields, "scope"), text(fields, "reason"));
    let kept = describe_kept(fields, text(fields, "at"));
    format!("history      {address} {kind} {scope}, {kept}{listed}: {reason}")
}

fn describe_events(sender: &str, sk: &str, fields: &Fields) -> String {
    let stream = ["configurationSet", "tenant"].map(|name| fields.get(name).and_then(Value::as_str).unwrap_or("-"));
    let counts: Vec<String> = fields
        .iter()
        .filter(|(_, value)| value.as_str().is_some_and(|text| text.ends_with(" bytes")))
        .map(|(kind, value)| format!("{kind} {}", value.as_str().unwrap()))
        .collect();
    let kind = sk.split('#').nth(1).unwrap();
    let counts = match kind {
        "batch" => counts.join(", "),
        kind if sk.ends_with("#claim") => format!("{kind}, claimed"),
        kind => kind.to_owned(),
    };
    let listed = if fields.contains_key("listKey") { ", listed" } else { "" };
    format!("count        {sender} {}: {counts}{listed}", stream.join("/"))
}

fn describe_kept(fields: &Fields, since: &str) -> String {
    match fields.get("expiresAt") {
        None => "kept permanently".to_owned(),
        Some(expires_at) => format!("kept for {} days", days_between(since, expires_at)),
    }
}

fn days_between(since: &str, until: &Value) -> i64 {
    let since: Timestamp = since.parse().unwrap();
    let until = Timestamp::from_second(until.as_i64().unwrap()).unwrap();
    // DynamoDB's TTL has full seconds.
    (until.duration_since(since) + SignedDuration::from_secs(1)).as_hours() / 24
}

fn text<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields[name].as_str().unwrap()
}
