//! `postroom.toml`: what a bad file is told, the schema, and what the example says of an event. Needs no AWS.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::process::{Command, Output};

fn postroomctl(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_postroomctl"))
        .args(arguments)
        .env_clear()
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const EVENT: &str = "../../events/feedback/delegate-bounce.json";

#[test]
fn every_problem_is_told_with_its_line() {
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::glob!("config", "*.toml", |path| {
            let name = format!("tests/config/{}", path.file_name().unwrap().to_str().unwrap());
            let output = postroomctl(&["routes", "test", EVENT, "--config", &name]);
            assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
            insta::assert_snapshot!(text(&output.stderr));
        });
    });
}

#[test]
fn the_schema_for_editors_is_current() {
    let output = postroomctl(&["schema"]);
    let kept = std::fs::read_to_string("../../docs/postroom.schema.json").unwrap_or_default();
    assert_eq!(
        text(&output.stdout),
        kept,
        "run: postroomctl schema > docs/postroom.schema.json"
    );
}

#[test]
fn an_event_goes_where_the_example_says() {
    let config = "../../docs/examples/postroom.toml";
    let mut told = String::new();
    for event in [
        "delegate-bounce",
        "delivery",
        "complaint-abuse",
        "send-without-source-arn",
        "bad-not-from-ses",
    ] {
        let file = format!("../../events/feedback/{event}.json");
        let output = postroomctl(&["routes", "test", &file, "--config", config]);
        told.push_str(&format!(
            "# {event}, exit code {}\n{}{}\n",
            output.status.code().unwrap(),
            text(&output.stdout),
            text(&output.stderr)
        ));
    }
    insta::assert_snapshot!("routes_test", told);
}

#[test]
fn without_routes_there_is_nothing_to_test() {
    let output = postroomctl(&["routes", "test", EVENT]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("expected --config or --table"));
}
