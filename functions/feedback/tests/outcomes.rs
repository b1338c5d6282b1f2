//! Every event under `events/feedback`, handled by the function with an embedded DynamoDB.
//!
//! `snapshots/outcomes.snap` has the response, the rows, the metrics and the requests of each event, one line per outcome.
//! The other snapshots show all attributes of the rows of typical events.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod support;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use serde_json::Value;
use support::rows::describe_rows;
use support::{Stack, event_files, read_event};

fn now() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

#[tokio::test]
async fn each_event_has_the_recorded_outcomes() {
    let mut report = String::new();
    for name in event_files() {
        report.push_str(&format!("{name}\n"));
        for line in outcomes(&read_event(&name)).await {
            report.push_str(&format!("  {line}\n"));
        }
    }
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("outcomes", report);
    });
}

#[tokio::test]
async fn rows_have_the_recorded_attributes() {
    for name in [
        "bounce-permanent-no-email",
        "bounce-mailbox-full",
        "delivery",
        "subscription-topic-left",
    ] {
        let stack = Stack::new().await;
        let event = read_event(&format!("{name}.json"));
        feedback::handle(&event, &stack.effects, &mut Metrics::default(), now())
            .await
            .unwrap();
        let rows = stack.rows().await;
        insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_json_snapshot!(format!("rows-{name}"), rows);
        });
    }
}

#[tokio::test]
async fn an_event_that_is_handled_twice_changes_nothing_and_costs_no_more() {
    for name in event_files() {
        let event = read_event(&name);
        let stack = Stack::new().await;
        let mut costs = Vec::new();
        let mut rows = Vec::new();
        for _ in 0..2 {
            let _ = feedback::handle(&event, &stack.effects, &mut Metrics::default(), now()).await;
            costs.push(stack.requests.take().values().sum::<usize>());
            rows.push(stack.rows().await);
            let _ = stack.requests.take();
        }
        assert_eq!(rows.first(), rows.last(), "{name}");
        assert!(costs.last() <= costs.first(), "{name}: {costs:?}");
    }
}

/// The clock of the reporting server is two days ahead, so the time of the event depends on the time of publication.
#[tokio::test]
async fn a_retry_of_an_event_from_eventbridge_writes_the_same_rows() {
    for name in [
        "carrier-eventbridge",
        "carrier-eventbridge-in-sqs",
        "carrier-eventbridge-in-sns-in-sqs",
    ] {
        let event = read_event(&format!("{name}.json")).to_string();
        let event = event.replace("2026-03-02T08:15:32.000Z", "2026-03-04T08:15:32.000Z");
        let event = serde_json::from_str(&event.replace("2026-08-05T08:15:33Z", "2026-03-02T08:15:33Z")).unwrap();
        let stack = Stack::new().await;
        let mut rows = Vec::new();
        for days in [0, 3] {
            let now = now() + SignedDuration::from_hours(24 * days);
            feedback::handle(&event, &stack.effects, &mut Metrics::default(), now)
                .await
                .unwrap();
            rows.push(stack.rows().await);
        }
        assert_eq!(rows.first(), rows.last(), "{name}");
    }
}

async fn outcomes(event: &Value) -> Vec<String> {
    let stack = Stack::new().await;
    let mut metrics = Metrics::default();
    let response = match feedback::handle(event, &stack.effects, &mut metrics, now()).await {
        Ok(response) => serde_json::to_value(&response).unwrap().to_string(),
        Err(error) => format!("error: {error:#}"),
    };
    let requests = describe_requests(&stack.requests.take());
    let mut lines = vec![format!("response     {response}")];
    lines.extend(describe_rows(&stack.rows().await));
    lines.extend(describe_metrics(&metrics).map(|metric| format!("metric       {metric}")));
    lines.push(format!("requests     {requests}"));
    lines
}

fn describe_requests(requests: &BTreeMap<String, usize>) -> String {
    let counts: Vec<String> = requests
        .iter()
        .map(|(operation, count)| format!("{count} {operation}"))
        .collect();
    if counts.is_empty() {
        "none".to_owned()
    } else {
        counts.join(", ")
    }
}

/// The counted metrics, without the ages, which depend on the clock.
fn describe_metrics(metrics: &Metrics) -> impl Iterator<Item = String> {
    let lines = metrics.lines(feedback::metrics::NAMESPACE, now()).into_iter();
    lines
        .filter(|line| line.get("NotificationAge").is_none())
        .map(|mut line| {
            let fields = line.as_object_mut().unwrap();
            fields.remove("_aws");
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| {
                    format!(
                        "{name} {}",
                        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
                    )
                })
                .collect();
            fields.join(", ")
        })
}
