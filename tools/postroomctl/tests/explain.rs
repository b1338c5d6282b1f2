//! `postroomctl explain`: the outcomes of all recorded events, and the forms of input.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const MAILBOXES: &str = "tests/data/inbound.toml";

fn postroomctl(arguments: &[&str], input: &str, variables: &[(&str, &str)]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_postroomctl"))
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("postroomctl starts");
    // A command that reads no input may end before it is written.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The events of a folder as a table: a line for each record (file, carrier, message), and below it a line for each outcome
/// (subject, action, description, reason).
fn outcomes_of(folder: &str, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|file| file.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    assert!(files.len() > 50, "{}", files.len());
    let mut table = String::new();
    for file in files {
        let arguments = [&["explain", "--json", file.to_str().unwrap()], arguments].concat();
        let output = postroomctl(&arguments, "", variables);
        assert_eq!(text(&output.stderr), "", "{}", file.display());
        let explanations: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
        let has_errors = explanations.iter().any(|explanation| !explanation["error"].is_null());
        assert_eq!(output.status.code(), Some(i32::from(has_errors)), "{}", file.display());
        let name = file.file_stem().unwrap().to_str().unwrap();
        for (index, explanation) in explanations.iter().enumerate() {
            let name = match explanations.len() {
                1 => name.to_owned(),
                _ => format!("{name}[{}]", index + 1),
            };
            write_record(&mut table, &name, explanation);
        }
    }
    table
}

fn write_record(table: &mut String, name: &str, explanation: &Value) {
    let field = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let columns = ["via", "message"].map(|column| field(&explanation[column]));
    table.push_str(&format!("{name} | {}\n", columns.join(" | ")));
    if let Some(error) = explanation["error"].as_str() {
        table.push_str(&format!("  error | {error}\n"));
    }
    for outcome in explanation["outcomes"].as_array().unwrap() {
        let columns = ["subject", "action", "description", "reason"].map(|column| field(&outcome[column]));
        table.push_str(&format!("  {}\n", columns.join(" | ")));
    }
}

#[test]
fn outcomes_of_all_feedback_events() {
    insta::assert_snapshot!("feedback_events", outcomes_of("../../events/feedback", &[], &[]));
}

#[test]
fn outcomes_of_all_inbound_events() {
    let variables = [
        ("POSTROOM_BOUNCE_SENDER", "mailer-daemon@shop.example"),
        (
            "POSTROOM_FEEDBACK_TOPIC_ARN",
            "arn:aws:sns:eu-west-1:111122223333:feedback",
        ),
    ];
    let arguments = ["--config", MAILBOXES];
    insta::assert_snapshot!(
        "inbound_events",
        outcomes_of("../../events/inbound", &arguments, &variables)
    );
}

#[test]
fn the_text_names_record_recipients_and_reasons() {
    let file = "../../events/feedback/bounce-failed-and-delayed.json";
    let output = postroomctl(&["explain", file], "", &[]);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!("bounce", text(&output.stdout));
    let failing = postroomctl(&["explain", "../../events/feedback/batch-good-bad-good.json"], "", &[]);
    assert_eq!(failing.status.code(), Some(1));
    insta::assert_snapshot!("batch", text(&failing.stdout));
}

#[test]
fn json_has_scope_and_end_of_a_suppression() {
    let file = "../../events/feedback/bounce-permanent-general.json";
    let output = postroomctl(&["explain", "--json", file], "", &[]);
    let explanations: Value = serde_json::from_slice(&output.stdout).unwrap();
    let explanation = &explanations[0];
    assert_eq!(
        (&explanation["via"], &explanation["error"]),
        (&json!("sqs_from_sns"), &Value::Null)
    );
    let outcome = &explanation["outcomes"][0];
    assert_eq!(outcome["action"], "suppress");
    assert_eq!(outcome["subject"], "jane@example.net");
    assert_eq!((&outcome["scope"], &outcome["until"]), (&json!("global"), &Value::Null));
}

/// The Lambda event, the SNS envelope in it, the SES JSON in that, and what people copy from consoles.
#[test]
fn the_outcomes_are_the_same_for_every_layer_of_an_event() {
    let event = std::fs::read_to_string("../../events/feedback/bounce-permanent-general.json").unwrap();
    let parsed: Value = serde_json::from_str(&event).unwrap();
    let envelope = parsed["Records"][0]["body"].as_str().unwrap();
    let ses = serde_json::from_str::<Value>(envelope).unwrap()["Message"]
        .as_str()
        .unwrap()
        .to_owned();
    let outcomes = |input: &str| {
        let output = postroomctl(&["explain", "--json", "-"], input, &[]);
        let explanations: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        explanations[0]["outcomes"].clone()
    };
    let expected = outcomes(&event);
    assert_eq!(expected[0]["action"], "suppress");
    let message = json!({"MessageId": "1", "ReceiptHandle": "AQEB", "Body": envelope});
    for (name, input) in [
        ("SNS envelope", envelope.to_owned()),
        ("SES JSON", ses.clone()),
        ("output of receive-message", json!({"Messages": [message]}).to_string()),
        ("SQS message", message.to_string()),
        ("SQS record", parsed["Records"][0].to_string()),
        (
            "SNS record",
            json!({"EventSource": "aws:sns", "Sns": {"Message": ses}}).to_string(),
        ),
        ("quoted body", json!(envelope).to_string()),
    ] {
        assert_eq!(outcomes(&input), expected, "{name}");
    }
}

#[test]
fn setup_messages_in_plain_text_are_explained() {
    let input = "Successfully validated SNS topic for Amazon SES event publishing.\n";
    let output = postroomctl(&["explain", "-"], input, &[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).starts_with("SES setup message: topic validated"));
}

#[test]
fn missing_mailboxes_and_headers_are_noted() {
    let received = "../../shared/notification-model/tests/data/inbound-s3.json";
    let output = postroomctl(&["explain", received, "--json"], "", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let explanations: Value = serde_json::from_slice(&output.stdout).unwrap();
    let note = &explanations[0]["outcomes"][1];
    assert_eq!(note["action"], "note");
    assert!(
        note["description"]
            .as_str()
            .unwrap()
            .starts_with("no mailboxes: use --config or --table"),
        "{note}"
    );
}

#[test]
fn the_header_of_a_mail_file_replaces_the_headers_of_the_event() {
    let mail = "../../events/inbound/mail/bounce-postfix.eml";
    let event = "../../events/inbound/auto-reply.json";
    let arguments = ["explain", event, "--config", MAILBOXES, "--mail", mail];
    let output = postroomctl(&arguments, "", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    insta::assert_snapshot!("mail_with_header", text(&output.stdout));
}

#[test]
fn invalid_input_is_reported_with_exit_code_2() {
    let received = "../../shared/notification-model/tests/data/inbound-s3.json";
    let cases = [
        (vec!["explain", "-"], "", "empty"),
        (
            vec!["explain", "no-such-file.json"],
            "",
            "no-such-file.json: No such file",
        ),
        (
            vec!["explain", "-"],
            r#"{"Records": [{"eventSource": "aws:kinesis"}]}"#,
            "Records[0]",
        ),
        (vec!["explain", received, "--mail", "none.eml"], "", "none.eml"),
        (vec!["check", "nobody"], "", "expected a mail address"),
        (vec!["suppression", "list", "--scope", "planet"], "", "expected a scope"),
        (vec!["suppression", "get", "jane@example.com"], "", "--table"),
    ];
    for (arguments, input, expected) in cases {
        let output = postroomctl(&arguments, input, &[]);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let stderr = text(&output.stderr);
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
}
