//! The outcome of every event in `events/suppression-changes`: what is published and requested.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::fmt::Write;
use std::path::PathBuf;

use serde_json::Value;
use suppression_changes::decide::decide;
use suppression_changes::stream;

fn events() -> Vec<(String, Value)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/suppression-changes");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut events: Vec<_> = files
        .map(|path| {
            let event = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), event)
        })
        .collect();
    events.sort_by(|(a, _), (b, _)| a.cmp(b));
    events
}

#[test]
fn outcomes() {
    let mut text = String::new();
    for (name, event) in events() {
        writeln!(text, "{name}").unwrap();
        for record in stream::read(&event).unwrap() {
            match &record.change {
                Ok(change) => {
                    let decision = decide(change, true);
                    assert_eq!(decide(change, true), decision, "another attempt decides the same");
                    for notice in &decision.notices {
                        writeln!(text, "  notice {}", notice.to_json()).unwrap();
                    }
                    for request in &decision.mirror_requests {
                        writeln!(text, "  mirror {}", request.to_json()).unwrap();
                    }
                }
                Err(error) => writeln!(text, "  dead letter: {error}").unwrap(),
            }
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn opt_outs_are_mirrored_only_if_configured() {
    let (_, event) = events()
        .into_iter()
        .find(|(name, _)| name == "left-a-list-and-a-topic")
        .unwrap();
    let records = stream::read(&event).unwrap();
    let change = records[0].change.as_ref().unwrap();
    assert_eq!(decide(change, false).mirror_requests, []);
    assert_eq!(decide(change, true).mirror_requests.len(), 1);
}
