//! The function with an embedded DynamoDB, and the rows of its table.
#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::panic,
    reason = "each test binary uses a part of it"
)]

pub(crate) mod rows;

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use feedback::effects::Effects;
use feedback::policy::Policy;
use serde_json::{Map, Value, json};
use store::testing::Requests;

pub(crate) struct Stack {
    pub(crate) effects: Effects,
    pub(crate) requests: Requests,
    client: Client,
}

impl Stack {
    pub(crate) async fn new() -> Self {
        let (store, client, requests) = store::testing::fresh().await;
        Self {
            effects: Effects {
                store,
                policy: Policy {
                    account: "111122223333".parse().ok(),
                    ..Policy::default()
                },
            },
            requests,
            client,
        }
    }

    /// Returns all rows by `<pk> / <sk>`, without the time at which they were created.
    pub(crate) async fn rows(&self) -> BTreeMap<String, Value> {
        let mut items = self
            .client
            .scan()
            .table_name("postroom")
            .into_paginator()
            .items()
            .send();
        let mut rows = BTreeMap::new();
        while let Some(item) = items.next().await {
            let item = item.unwrap();
            let key = |name: &str| item.get(name).unwrap().as_s().unwrap().clone();
            let fields = item
                .iter()
                .filter(|(name, _)| !["pk", "sk", "createdAt"].contains(&name.as_str()));
            let fields: BTreeMap<_, _> = fields.map(|(name, value)| (name.clone(), plain(value))).collect();
            rows.insert(format!("{} / {}", key("pk"), key("sk")), json!(fields));
        }
        rows
    }
}

/// Returns the names of the files under `events/feedback`.
pub(crate) fn event_files() -> Vec<String> {
    let directory = std::fs::read_dir(EVENTS).unwrap();
    let mut names: Vec<String> = directory
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

pub(crate) fn read_event(name: &str) -> Value {
    let bytes = std::fs::read(format!("{EVENTS}/{name}")).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/feedback");

fn plain(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!(text),
        AttributeValue::N(number) => json!(number.parse::<i64>().unwrap()),
        AttributeValue::Bool(flag) => json!(flag),
        AttributeValue::B(bytes) => json!(format!("{} bytes", bytes.as_ref().len())),
        AttributeValue::Ss(set) => {
            let mut set = set.clone();
            set.sort();
            json!(set)
        }
        AttributeValue::M(map) => {
            let sorted: BTreeMap<_, _> = map.iter().collect();
            Value::Object(
                sorted
                    .into_iter()
                    .map(|(name, value)| (name.clone(), plain(value)))
                    .collect::<Map<_, _>>(),
            )
        }
        other => json!(format!("{other:?}")),
    }
}
