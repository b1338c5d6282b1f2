//! The rows of the table in a comparable form.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value, json};

/// Attributes that repeat the key or depend on the clock.
const HIDDEN: [&str; 9] = [
    "pk",
    "sk",
    "listKey",
    "listSort",
    "claimedAt",
    "doneAt",
    "createdAt",
    "messageId",
    "at",
];

/// The rows by key, except mailboxes and the suppression that the test stack begins with.
pub(crate) async fn read_rows(table: &aws_sdk_dynamodb::Client) -> BTreeMap<String, Value> {
    let scan = table.scan().table_name("postroom");
    let mut items = scan.into_paginator().items().send();
    let mut rows = BTreeMap::new();
    while let Some(item) = items.next().await {
        let item = item.unwrap();
        let key = |name: &str| item.get(name).unwrap().as_s().unwrap().clone();
        let pk = key("pk");
        if pk.starts_with("MAILBOX#") || pk == "RECIPIENT#gone@target.example" {
            continue;
        }
        let attributes = item.iter().filter(|(name, _)| !HIDDEN.contains(&name.as_str()));
        let attributes: BTreeMap<_, _> = attributes.map(|(name, value)| (name.clone(), to_json(value))).collect();
        rows.insert(format!("{pk} / {}", key("sk")), json!(attributes));
    }
    rows
}

fn to_json(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!(text),
        AttributeValue::N(number) => json!(number.parse::<i64>().unwrap()),
        AttributeValue::Bool(flag) => json!(flag),
        AttributeValue::Bs(set) => json!(format!("{} hashes", set.len())),
        AttributeValue::Ss(set) => {
            let mut set = set.clone();
            set.sort();
            json!(set)
        }
        AttributeValue::M(map) => {
            let sorted: BTreeMap<_, _> = map.iter().collect();
            let fields = sorted.into_iter().map(|(name, value)| (name.clone(), to_json(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        other => json!(format!("{other:?}")),
    }
}
