//! Every event under `events/feedback`, handled by the real function against an embedded DynamoDB: what it answers, what
//! it writes, and with how many requests. Handled twice, it leaves the same.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod support;

use std::collections::BTreeMap;

use lambda_kit::Metrics;
use serde_json::{Value, json};
use support::Stack;

#[test]
fn every_event_is_handled_as_recorded() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::glob!("../../../events/feedback", "*.json", |path| {
            let event: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            insta::assert_json_snapshot!(runtime.block_on(handled(&event)));
        });
    });
}

async fn handled(event: &Value) -> Value {
    let stack = Stack::new().await;
    let now = "2026-03-02T12:00:00Z".parse().unwrap();
    let mut metrics = Metrics::default();
    let answer = match feedback::handle(event, &stack.effects, &mut metrics, now).await {
        Ok(response) => serde_json::to_value(&response).unwrap(),
        Err(error) => json!({"error": format!("{error:#}")}),
    };
    let requests = stack.requests.take();
    let rows = stack.rows().await;

    let _ = feedback::handle(event, &stack.effects, &mut Metrics::default(), now).await;
    assert_eq!(stack.rows().await, rows, "handled again it must leave the same");
    assert!(total(&stack.requests.take()) <= total(&requests), "and cost no more");

    json!({"answer": answer, "requests": requests, "rows": rows, "metrics": counted(&metrics)})
}

fn total(requests: &BTreeMap<String, usize>) -> usize {
    requests
        .iter()
        .filter(|(operation, _)| *operation != "Scan")
        .map(|(_, count)| count)
        .sum()
}

/// The metrics by dimensions, without the ages, which depend on the clock.
fn counted(metrics: &Metrics) -> Vec<Value> {
    let mut lines = metrics.lines(feedback::metrics::NAMESPACE, jiff::Timestamp::UNIX_EPOCH);
    lines.retain(|line| line.get("NotificationAge").is_none());
    for line in &mut lines {
        line.as_object_mut().unwrap().remove("_aws");
    }
    lines
}
