//! Every event under `events/inbound`, handled by the real function: what it answers, what is sent to whom, who is told,
//! what is written and why. Handled again, it sends nothing more and leaves the same.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]
#![expect(clippy::panic, reason = "a mock has no other way to object")]

mod world;

use lambda_kit::Metrics;
use serde_json::{Value, json};
use world::{Sent, World, counted, now};

#[test]
fn every_event_is_handled_as_recorded() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => "snapshots/events"}, {
        insta::glob!("../../../events/inbound", "*.json", |path| {
            let event: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            insta::assert_json_snapshot!("event", runtime.block_on(handled(&event)));
        });
    });
}

async fn handled(event: &Value) -> Value {
    let world = World::furnished().await;
    let mut metrics = Metrics::default();
    let answer = world.handle(event, &mut metrics, now()).await;
    let requests = world.requests.take();
    let (sent, told, rows) = (world.sent(), world.told(), world.rows().await);

    let again = world.handle(event, &mut Metrics::default(), now()).await;
    assert_eq!(again, answer, "again it is the same");
    assert_eq!(world.sent().len(), sent.len(), "again nothing is sent");
    assert_eq!(world.told(), told, "again nobody is told");
    assert_eq!(world.rows().await, rows, "again it leaves the same");

    let reads = world.given.lock().unwrap().reads.clone();
    let handed_over = world.given.lock().unwrap().waiting.len() / 2;
    json!({
        "answer": answer,
        "sent": sent.iter().map(shown).collect::<Vec<_>>(),
        "told": told,
        "rows": rows,
        "requests": requests,
        "reads": reads[..reads.len() / 2],
        "handedOver": handed_over,
        "metrics": counted(&metrics),
    })
}

/// The header's beginning; the corpus has the rest.
fn shown(sent: &Sent) -> Value {
    let text = String::from_utf8_lossy(&sent.mail);
    let shown = [
        "From",
        "To",
        "Reply-To",
        "Resent-To",
        "Subject",
        "Auto-Submitted",
        "X-Postroom-Forwarded",
    ];
    let header = text.split("\r\n\r\n").next().unwrap().split("\n\n").next().unwrap();
    let lines = header.lines().filter(|line| {
        let name = line.split(':').next().unwrap_or_default();
        shown.iter().any(|shown| shown.eq_ignore_ascii_case(name))
    });
    json!({"from": sent.from, "to": sent.to, "set": sent.configuration_set, "header": lines.collect::<Vec<_>>()})
}
