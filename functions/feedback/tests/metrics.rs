//! The table of metrics agrees with what the function emits.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;
#[path = "../../../tests/template/watched_metrics.rs"]
mod watched_metrics;

use std::collections::BTreeSet;

use feedback::metrics::{METRICS, NAMESPACE};
use jiff::Timestamp;
use lambda_kit::Metrics;
use serde_json::Value;
use store::testing::Fault;
use support::{Stack, event_files, read_event};

/// A metric and its dimensions.
type Definition = (String, Vec<String>);

#[tokio::test]
async fn the_events_emit_every_metric_of_the_table_and_no_other() {
    let mut emitted = BTreeSet::new();
    for name in event_files() {
        let stack = Stack::new().await;
        let now: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
        let mut metrics = Metrics::default();
        let _ = feedback::handle(&read_event(&name), &stack.effects, &mut metrics, now).await;
        emitted.extend(metrics.lines(NAMESPACE, now).iter().flat_map(definitions));
    }
    assert_eq!(emitted, table());
}

fn table() -> BTreeSet<Definition> {
    let definitions = METRICS.iter();
    definitions
        .map(|(metric, dimensions)| {
            let dimensions = dimensions.iter().map(|name| (*name).to_owned());
            ((*metric).to_owned(), dimensions.collect())
        })
        .collect()
}

/// Reads the definitions in a document of the Embedded Metric Format.
fn definitions(document: &Value) -> Vec<Definition> {
    let names = |list: &Value, field: &str| -> Vec<String> {
        let items = list.as_array().unwrap().iter();
        let name = |item: &Value| item.get(field).unwrap_or(item).as_str().unwrap().to_owned();
        items.map(name).collect()
    };
    let directive = &document["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Namespace"], NAMESPACE);
    let dimensions = names(&directive["Dimensions"][0], "Name");
    let metrics = names(&directive["Metrics"], "Name").into_iter();
    metrics.map(|metric| (metric, dimensions.clone())).collect()
}

#[test]
fn the_table_agrees_with_the_metrics_that_the_template_is_tested_against() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/template/metrics.json");
    let functions: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let function = &functions["feedback"];
    assert_eq!(function["namespace"], NAMESPACE);
    let declared = function["metrics"].as_object().unwrap().iter();
    let declared: BTreeSet<Definition> = declared
        .map(|(metric, dimensions)| (metric.clone(), serde_json::from_value(dimensions.clone()).unwrap()))
        .collect();
    assert_eq!(declared, table());
}

#[tokio::test]
async fn each_metric_that_an_alarm_watches_is_emitted() {
    let now: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
    let mut emitted = BTreeSet::new();
    for name in event_files() {
        // The first request of a bounce is made inside its record.
        let bug = name.starts_with("bounce-").then_some(Fault::Panic);
        for fault in [None, Some(Fault::RequestLost), bug] {
            let stack = Stack::new().await;
            if let Some(fault) = fault {
                stack.requests.fail(fault, 0);
            }
            let mut metrics = Metrics::default();
            let _ = feedback::handle(&read_event(&name), &stack.effects, &mut metrics, now).await;
            emitted.extend(watched_metrics::emitted(&metrics, NAMESPACE));
        }
    }
    let missing: Vec<_> = watched_metrics::watched("feedback")
        .difference(&emitted)
        .cloned()
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The writes that are made once for a batch fail the records with the kind of a write, like those of a single record.
#[tokio::test]
async fn a_failed_write_of_a_batch_counts_as_a_failed_write() {
    let now: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
    let stack = Stack::new().await;
    stack.requests.fail(Fault::RequestLost, 0);
    let mut metrics = Metrics::default();
    let response = feedback::handle(&read_event("send.json"), &stack.effects, &mut metrics, now).await;
    let response = serde_json::to_value(response.unwrap()).unwrap();
    assert_eq!(response["batchItemFailures"].as_array().unwrap().len(), 1);
    let emitted = watched_metrics::emitted(&metrics, NAMESPACE);
    assert_eq!(emitted, ["RecordFailures{Kind=store}".to_owned()].into());
}
