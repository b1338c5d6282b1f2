//! The metrics that the function emits are those that it documents.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]
#![expect(clippy::panic, reason = "a mock fails by panicking")]

mod test_stack;
#[path = "../../../tests/template/watched_metrics.rs"]
mod watched_metrics;

use std::collections::BTreeSet;
use std::time::Duration;

use inbound::metrics::{METRICS, NAMESPACE};
use jiff::Timestamp;
use lambda_kit::Metrics;
use serde_json::Value;
use test_stack::{INBOUND_QUEUE, TestStack, event_names, metric_definitions, now, read_event};

type Definitions = BTreeSet<(String, Vec<String>)>;

#[tokio::test]
async fn the_function_emits_the_documented_metrics_and_no_others() {
    let mut emitted = Definitions::new();
    for name in event_names() {
        emitted.extend(emitted_by(&TestStack::new().await, &read_event(&name)).await);
    }
    let queue_fails = TestStack::new().await;
    queue_fails.fail("s3", "SlowDown");
    queue_fails.fail(INBOUND_QUEUE, "InternalFailure");
    emitted.extend(emitted_by(&queue_fails, &read_event("forward")).await);
    emitted.extend(emitted_without_time().await);
    for cap in ["FORWARDS_PER_DOMAIN", "FORWARDS_PER_MAILBOX", "FORWARDS_PER_DAY"] {
        let capped = TestStack::with_settings(&[(cap, "1")]).await;
        emitted.extend(emitted_by(&capped, &read_event("forward")).await);
    }

    let documented: Definitions = METRICS
        .iter()
        .map(|(name, dimensions)| {
            let dimensions = dimensions.iter().map(|dimension| (*dimension).to_owned());
            ((*name).to_owned(), dimensions.collect())
        })
        .collect();
    assert_eq!(emitted, documented);
}

/// The documentation of the module has the same table.
#[test]
fn the_table_of_the_module_documentation_names_the_same_metrics() {
    let source = include_str!("../src/metrics.rs");
    let rows = source
        .lines()
        .filter_map(|line| line.strip_prefix("//! | `")?.split_once(" | "));
    let rows: BTreeSet<(String, Vec<String>)> = rows
        .filter(|(name, _)| name.starts_with(char::is_uppercase))
        .map(|(name, rest)| {
            let dimensions = rest.split('|').next().unwrap();
            let dimensions = dimensions
                .split(',')
                .map(|text| text.trim().trim_matches('`').to_owned());
            let dimensions = dimensions.filter(|name| !name.is_empty()).collect();
            (name.trim_end_matches('`').to_owned(), dimensions)
        })
        .collect();
    let documented: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
    let table: BTreeSet<_> = METRICS.iter().map(|row| format!("{row:?}")).collect();
    assert_eq!(documented, table.into_iter().collect::<Vec<_>>());
}

async fn emitted_by(stack: &TestStack, event: &Value) -> Definitions {
    let mut metrics = Metrics::default();
    stack.handle(event, &mut metrics, now()).await;
    definitions(&metrics)
}

/// Lambda leaves no time for the record.
async fn emitted_without_time() -> Definitions {
    let stack = TestStack::new().await;
    let mut metrics = Metrics::default();
    let event = read_event("forward");
    let response = inbound::handle(&event, &stack.effects, &mut metrics, now(), Duration::ZERO).await;
    response.unwrap();
    definitions(&metrics)
}

fn definitions(metrics: &Metrics) -> Definitions {
    let lines = metrics.lines(NAMESPACE, Timestamp::UNIX_EPOCH);
    lines.iter().flat_map(metric_definitions).collect()
}

#[tokio::test]
async fn each_metric_that_an_alarm_watches_is_emitted() {
    let mut emitted = BTreeSet::new();
    for name in event_names() {
        let stack = TestStack::new().await;
        emitted.extend(watched_by(&stack, &read_event(&name), Duration::from_secs(30)).await);
    }
    let queue_fails = TestStack::new().await;
    queue_fails.fail("s3", "SlowDown");
    queue_fails.fail(INBOUND_QUEUE, "InternalFailure");
    emitted.extend(watched_by(&queue_fails, &read_event("forward"), Duration::from_secs(30)).await);
    let table_fails = TestStack::new().await;
    table_fails.requests.fail(store::testing::Fault::RequestLost, 0);
    emitted.extend(watched_by(&table_fails, &read_event("forward"), Duration::from_secs(30)).await);
    emitted.extend(watched_by(&TestStack::new().await, &read_event("forward"), Duration::ZERO).await);

    for cap in ["FORWARDS_PER_DOMAIN", "FORWARDS_PER_MAILBOX", "FORWARDS_PER_DAY"] {
        let capped = TestStack::with_settings(&[(cap, "1")]).await;
        emitted.extend(watched_by(&capped, &read_event("forward"), Duration::from_secs(30)).await);
    }

    let watched = watched_metrics::watched("inbound");
    let missing: Vec<_> = watched.difference(&emitted).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

async fn watched_by(stack: &TestStack, event: &Value, remaining: Duration) -> BTreeSet<String> {
    let mut metrics = Metrics::default();
    let _ = inbound::handle(event, &stack.effects, &mut metrics, now(), remaining).await;
    watched_metrics::emitted(&metrics, NAMESPACE)
}
