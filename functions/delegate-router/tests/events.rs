//! Every event under `events/delegate-router`, handled by the real function: what it answers, where everything goes and
//! why, and with how many requests. Handled again, it goes to the same places under the same keys.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod support;

use std::collections::BTreeMap;

use delegate_router::delivery::Delivery;
use lambda_kit::Metrics;
use serde_json::{Value, json};
use support::{Taken, World, now};

#[test]
fn every_event_is_handled_as_recorded() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::glob!("../../../events/delegate-router", "*.json", |path| {
            let event: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            insta::assert_json_snapshot!(runtime.block_on(handled(&event)));
        });
    });
}

async fn handled(event: &Value) -> Value {
    let world = World::furnished().await;
    world.refuse(":gone", "NotFound");
    world.refuse(":busy", "Throttled");
    let mut metrics = Metrics::default();
    let answer = world.handle(event, &mut metrics, now()).await;
    let requests = world.requests.take();
    let waiting = waiting(&world);

    world.handle(event, &mut Metrics::default(), now()).await;
    let (first, second): (Vec<_>, Vec<_>) = self::waiting(&world)
        .iter()
        .cloned()
        .enumerate()
        .partition(|(at, _)| *at < waiting.len());
    assert!(
        first.iter().map(|(_, one)| one).eq(second.iter().map(|(_, one)| one)),
        "again it is the same"
    );
    let twice = world.taken();
    let taken: Vec<&Taken> = twice.iter().step_by(2).collect();
    assert!(
        taken.iter().copied().eq(twice.iter().skip(1).step_by(2)),
        "again it is the same"
    );

    json!({
        "answer": answer,
        "requests": requests,
        "waiting": waiting,
        "taken": taken.into_iter().map(shown).collect::<Vec<_>>(),
        "digest": world.digest_items("ops@shop.example").await,
        "metrics": counted(&metrics),
    })
}

fn waiting(world: &World) -> Vec<Value> {
    let given = world.given.lock().unwrap();
    let deliveries = given.waiting.iter().map(|text| Delivery::from_message(text).unwrap());
    deliveries
        .map(|delivery| {
            json!({
                "target": delivery.target.to_string(), "key": delivery.key, "reason": delivery.reason,
                "attributes": delivery.attributes, "body": readable(&delivery.body),
            })
        })
        .collect()
}

fn shown(taken: &Taken) -> Value {
    let attributes: &BTreeMap<String, String> = &taken.attributes;
    json!({"by": taken.by, "attributes": attributes, "body": readable(&taken.body)})
}

fn readable(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

/// The metrics by dimensions, without the ages, which depend on the clock.
fn counted(metrics: &Metrics) -> Vec<Value> {
    let mut lines = metrics.lines(delegate_router::metrics::NAMESPACE, jiff::Timestamp::UNIX_EPOCH);
    lines.retain(|line| line.get("NotificationAge").is_none());
    for line in &mut lines {
        line.as_object_mut().unwrap().remove("_aws");
    }
    lines
}
