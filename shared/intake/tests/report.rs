//! The response for Lambda when handlers succeed, fail and panic.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::cell::Cell;
use std::future::Future;
use std::io;

use intake::{Batch, BatchFailed, BoxError, Outcomes, Record, RecordFailure};
use serde_json::{Value, json};

/// An SQS batch. The payload of each record is its id.
fn sqs(ids: &[&str]) -> Batch {
    let records: Vec<Value> = ids
        .iter()
        .map(|id| json!({ "eventSource": "aws:sqs", "messageId": id, "body": id }))
        .collect();
    Batch::from_event(&json!({ "Records": records })).unwrap()
}

fn file(name: &str) -> Batch {
    Batch::from_slice(&std::fs::read(format!("tests/data/{name}.json")).unwrap()).unwrap()
}

/// Panics or fails if the payload says so.
async fn follow_payload(record: Record) -> Result<String, BoxError> {
    match record.payload.as_str() {
        payload if payload.starts_with("panic") => panic!("payload {payload}"),
        payload if payload.starts_with("fail") => Err("the payload says fail".into()),
        payload => Ok(payload.to_owned()),
    }
}

async fn fail(_: Record) -> Result<(), io::Error> {
    Err(io::Error::other("table does not exist"))
}

async fn succeed(_: Record) -> Result<(), io::Error> {
    Ok(())
}

fn failed_ids(outcomes: &Outcomes<impl Sized>) -> Vec<&str> {
    outcomes.failures().map(|(id, _)| id).collect()
}

fn response(outcomes: Outcomes<impl Sized>) -> Value {
    serde_json::to_value(outcomes.report().unwrap()).unwrap()
}

fn failures(ids: &[&str]) -> Value {
    let items: Vec<Value> = ids.iter().map(|id| json!({ "itemIdentifier": id })).collect();
    json!({ "batchItemFailures": items })
}

#[tokio::test]
async fn sqs_names_failed_and_panicked_records_in_order() {
    let outcomes = sqs(&["a", "panic", "b", "fail"]).run(2, follow_payload).await;
    let kinds: Vec<_> = outcomes.failures().map(|(id, failure)| (id, failure.kind())).collect();
    assert_eq!(kinds, [("panic", "panic"), ("fail", "handler")]);
    assert_eq!(outcomes.succeeded().map(|(index, _)| index).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(response(outcomes), failures(&["panic", "fail"]));
}

#[tokio::test]
async fn a_panic_before_the_first_await_fails_only_its_record() {
    fn panic_early(record: Record) -> impl Future<Output = Result<String, BoxError>> {
        assert_ne!(record.id, "a");
        follow_payload(record)
    }
    assert_eq!(response(sqs(&["a", "b"]).run(1, panic_early).await), failures(&["a"]));
}

#[tokio::test]
async fn the_message_of_a_panic_is_omitted() {
    let outcomes = sqs(&["panic jane@example.com"]).run(1, follow_payload).await;
    let (_, failure) = outcomes.failures().next().unwrap();
    assert_eq!(failure.to_string(), "handler panicked");
}

#[tokio::test]
async fn sqs_names_the_records_and_never_fails_the_invocation() {
    let outcomes = sqs(&["fail", "panic"]).run(8, follow_payload).await;
    assert_eq!(response(outcomes), failures(&["fail", "panic"]));
}

#[tokio::test]
async fn sqs_success_and_an_empty_batch_report_no_failure() {
    assert_eq!(response(sqs(&["a", "b"]).run(8, follow_payload).await), failures(&[]));
    assert_eq!(response(file("sqs_empty_batch").run(8, fail).await), failures(&[]));
}

#[tokio::test]
async fn bad_envelopes_are_reported_and_not_handled() {
    let handled = Cell::new(0);
    let outcomes = file("sqs_mixed_good_and_bad")
        .run(8, |record| {
            handled.set(handled.get() + 1);
            succeed(record)
        })
        .await;
    assert_eq!(handled.get(), 3);
    assert!(matches!(
        outcomes.failures().next(),
        Some((_, RecordFailure::BadEnvelope(_)))
    ));
    assert_eq!(response(outcomes), failures(&["0f9c1d2e-7a6b-4c5d-8e9f-000000000002"]));

    let outcomes = file("sqs_broken_envelopes").run(8, succeed).await;
    assert_eq!(failed_ids(&outcomes).len(), 6);
    let reported = response(outcomes);
    assert_eq!(reported["batchItemFailures"].as_array().map(Vec::len), Some(6));
}

#[tokio::test]
async fn a_message_that_is_delivered_twice_fails_if_either_delivery_fails() {
    let seen = Cell::new(false);
    let fail_the_second = |_| {
        let second = seen.replace(true);
        async move { if second { Err("late") } else { Ok(()) } }
    };
    let id = "0f9c1d2e-7a6b-4c5d-8e9f-000000000001";
    assert_eq!(
        response(file("sqs_duplicate_message_ids").run(8, fail_the_second).await),
        failures(&[id])
    );

    let mut outcomes = sqs(&["a", "a", "b"]).run(8, follow_payload).await;
    outcomes.fail(0, "write failed");
    outcomes.fail(1, "write failed");
    assert_eq!(response(outcomes), failures(&["a"]), "an id is reported once");
}

#[tokio::test]
async fn sources_other_than_sqs_fail_the_invocation_if_any_record_failed() {
    for name in ["sns_direct", "event_bridge", "receipt_rule"] {
        assert_eq!(response(file(name).run(8, succeed).await), Value::Null, "{name}");
        assert!(file(name).run(8, fail).await.report().is_err(), "{name}");
    }
    for name in ["sns_direct_without_message", "receipt_rule_without_message_id"] {
        assert!(file(name).run(8, succeed).await.report().is_err(), "{name}");
    }

    let mut event: Value = serde_json::from_slice(&std::fs::read("tests/data/sns_direct.json").unwrap()).unwrap();
    let records = event["Records"].as_array_mut().unwrap();
    records.push(json!({ "EventSource": "aws:sns" }));
    let failed = Batch::from_event(&event)
        .unwrap()
        .run(8, succeed)
        .await
        .report()
        .unwrap_err();
    assert_eq!(failed, BatchFailed { failed: 1, total: 2 });
    assert_eq!(failed.to_string(), "1 of 2 records failed");
}

#[tokio::test]
async fn a_record_keeps_its_first_failure() {
    let mut outcomes = sqs(&["a", "fail", "c"]).run(8, follow_payload).await;
    outcomes.fail(1, "statistics not written");
    outcomes.fail(2, io::Error::other("statistics not written"));
    let kinds: Vec<_> = outcomes.failures().map(|(id, failure)| (id, failure.kind())).collect();
    assert_eq!(kinds, [("fail", "handler"), ("c", "batch")]);
    assert_eq!(response(outcomes), failures(&["fail", "c"]));
}

#[tokio::test]
async fn an_out_of_range_index_fails_the_whole_batch() {
    let mut outcomes = sqs(&["a", "b"]).run(8, follow_payload).await;
    outcomes.fail(2, "statistics not written");
    assert_eq!(failed_ids(&outcomes), ["a", "b"]);
    assert_eq!(response(outcomes), failures(&["a", "b"]));
}

#[tokio::test]
async fn values_can_be_taken() {
    let mut outcomes = sqs(&["a", "fail", "c"]).run(8, follow_payload).await;
    let values: Vec<String> = outcomes
        .succeeded_mut()
        .map(|(_, value)| std::mem::take(value))
        .collect();
    assert_eq!(values, ["a", "c"]);
    let ids: Vec<&str> = outcomes.iter().map(|outcome| outcome.id.as_str()).collect();
    assert_eq!(ids, ["a", "fail", "c"]);
}

#[tokio::test]
async fn concurrency_is_limited_and_outcomes_keep_the_order_of_the_event() {
    for (concurrency, expected) in [(0, 1), (1, 1), (3, 3), (100, 5)] {
        let (running, maximum) = (Cell::new(0), Cell::new(0));
        let outcomes = sqs(&["5", "4", "3", "2", "1"])
            .run(concurrency, async |record: Record| {
                running.set(running.get() + 1);
                maximum.set(maximum.get().max(running.get()));
                for _ in 0..record.payload.parse::<u32>()? {
                    tokio::task::yield_now().await;
                }
                running.set(running.get() - 1);
                Ok::<_, std::num::ParseIntError>(record.id)
            })
            .await;
        assert_eq!(maximum.get(), expected, "concurrency {concurrency}");
        let ids: Vec<&str> = outcomes.succeeded().map(|(_, id)| id.as_str()).collect();
        assert_eq!(ids, ["5", "4", "3", "2", "1"]);
    }
}

#[test]
fn a_run_can_be_spawned() {
    fn assert_send(_: impl Send) {}
    assert_send(sqs(&["a"]).run(8, follow_payload));
    let client = String::new();
    let client = &client;
    assert_send(sqs(&["a"]).run(8, move |record| async move {
        tokio::task::yield_now().await;
        Ok::<_, io::Error>(record.payload + client)
    }));
}
