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
/// (subject, action, description, explanation).
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
    let field = |value: &Value| escape_controls(value.as_str().unwrap_or("-"));
    let columns = ["via", "message"].map(|column| field(&explanation[column]));
    table.push_str(&format!("{name} | {}\n", columns.join(" | ")));
    if let Some(error) = explanation["error"].as_str() {
        table.push_str(&format!("  error | {error}\n"));
    }
    for outcome in explanation["outcomes"].as_array().unwrap() {
        let columns = ["subject", "action", "description", "explanation"].map(|column| field(&outcome[column]));
        table.push_str(&format!("  {}\n", columns.join(" | ")));
    }
}

/// Keeps a row of the table on one line.
fn escape_controls(text: &str) -> String {
    let escape = |character: char| match character.is_control() {
        true => character.escape_default().to_string(),
        false => character.to_string(),
    };
    text.chars().map(escape).collect()
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

/// The fields that docs/feedback.md describes.
#[test]
fn json_has_the_documented_fields_of_an_outcome() {
    let documented = [
        "recipient",
        "action",
        "scope",
        "until",
        "kind",
        "reason",
        "certainty",
        "because",
    ];
    let outcomes = |name: &str| {
        let file = format!("../../events/feedback/{name}.json");
        let output = postroomctl(&["explain", "--json", &file], "", &[]);
        let explanations: Value = serde_json::from_slice(&output.stdout).unwrap();
        explanations[0]["outcomes"][0].clone()
    };
    let bounce = outcomes("bounce-mailbox-full");
    let values = documented.map(|field| bounce.get(field).expect(field).clone());
    assert_eq!(
        json!(values),
        json!([
            "jane@example.net",
            "soft-bounce",
            "tenant:acme",
            null,
            "soft",
            "mailbox-full",
            "stated",
            bounce["because"]
        ])
    );
    assert!(
        bounce["because"].as_str().unwrap().starts_with("SES subtype"),
        "{bounce}"
    );
    for name in ["complaint-abuse", "send", "open"] {
        let outcome = outcomes(name);
        for field in documented {
            assert!(outcome.get(field).is_some(), "{name} {field}: {outcome}");
        }
        assert_eq!(outcome["certainty"], Value::Null, "{name}");
    }
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

fn bounce_message() -> Value {
    let event = std::fs::read_to_string("../../events/feedback/bounce-permanent-general.json").unwrap();
    let event: Value = serde_json::from_str(&event).unwrap();
    let envelope: Value =
        serde_json::from_str(event.pointer("/Records/0/body").and_then(Value::as_str).unwrap()).unwrap();
    serde_json::from_str(envelope.get("Message").and_then(Value::as_str).unwrap()).unwrap()
}

#[test]
fn files_may_have_several_messages_and_a_byte_order_mark() {
    let ses = bounce_message();
    let line = ses.to_string();
    let utf16 = |unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(line.encode_utf16());
        units.flat_map(unit).collect()
    };
    let event_bridge = json!({"id": "e", "source": "aws.ses", "detail-type": "Email Bounced", "detail": ses});
    let without_topic = json!({"Type": "Notification", "MessageId": "1", "Message": line});
    let without_type = json!({"Message": line});
    let body = json!({"Body": without_topic.to_string()});
    let cases: Vec<(&str, Vec<u8>, usize)> = vec![
        ("bom", format!("\u{feff}{line}\n").into_bytes(), 1),
        ("utf16le", utf16(u16::to_le_bytes), 1),
        ("utf16be", utf16(u16::to_be_bytes), 1),
        ("lines", format!("{line}\n\n{line}\r\n{event_bridge}\n").into_bytes(), 3),
        ("pretty", format!("{ses:#}\n{ses:#}").into_bytes(), 2),
        (
            "array",
            json!([ses, event_bridge, [without_topic]]).to_string().into_bytes(),
            3,
        ),
        ("array-of-strings", json!([line, line]).to_string().into_bytes(), 2),
        ("without-topic", without_topic.to_string().into_bytes(), 1),
        ("without-type", without_type.to_string().into_bytes(), 1),
        ("body-without-topic", body.to_string().into_bytes(), 1),
        (
            "message-as-object",
            json!({"Type": "Notification", "Message": ses}).to_string().into_bytes(),
            1,
        ),
    ];
    for (name, bytes, messages) in cases {
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("explain-{name}.json"));
        std::fs::write(&file, bytes).unwrap();
        let output = postroomctl(&["explain", "--json", file.to_str().unwrap()], "", &[]);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", text(&output.stderr));
        let explanations: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(explanations.len(), messages, "{name}");
        for explanation in explanations {
            assert_eq!(
                explanation["outcomes"][0]["action"], "suppress",
                "{name}: {explanation}"
            );
        }
    }
}

#[test]
fn an_error_names_the_file_and_the_line() {
    let line = bounce_message().to_string();
    let cut = line.get(..60).unwrap();
    let envelope = json!({"Type": "Notification", "TopicArn": 5, "Message": "x"});
    let cases = [
        (
            "{\n\"a\": 1,\n\"b\" 2}".to_owned(),
            2,
            ":3: expected valid JSON: expected `:`",
        ),
        (format!("{line}\n\n{cut}\n{line}"), 2, ":3: expected valid JSON"),
        (
            format!("{line}\n{{\"a\":1}}\n"),
            2,
            ":2: expected notificationType, eventType or receipt",
        ),
        ("[]".to_owned(), 0, ""),
        ("hello".to_owned(), 2, ":1: not JSON"),
        ("\n\n{\"Messages\": []}".to_owned(), 2, ":3: no messages"),
        (
            "{\"Records\": 5}".to_owned(),
            2,
            ":1: unknown event shape at `Records`: expected an array",
        ),
    ];
    for (input, exit_code, expected) in cases {
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("explain-invalid.json");
        std::fs::write(&file, &input).unwrap();
        let output = postroomctl(&["explain", file.to_str().unwrap()], "", &[]);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(exit_code), "{input}: {stderr}");
        assert!(stderr.contains(expected), "{input}: {stderr}");
        assert!(
            exit_code == 0 || stderr.contains("explain-invalid.json"),
            "{input}: {stderr}"
        );
        assert!(!stderr.contains("Records[0]"), "{input}: {stderr}");
    }
    let output = postroomctl(&["explain", "-"], &envelope.to_string(), &[]);
    assert_eq!(output.status.code(), Some(1));
    let stdout = text(&output.stdout);
    assert!(
        stdout.contains("standard input:1: TopicArn: expected a string"),
        "{stdout}"
    );
    assert!(!stdout.contains("Records[0]"), "{stdout}");
}

#[test]
fn show_sent_prints_the_rewritten_mail_and_the_notifications_of_a_report() {
    let variables = [(
        "POSTROOM_FEEDBACK_TOPIC_ARN",
        "arn:aws:sns:eu-west-1:111122223333:feedback",
    )];
    for (event, mail, expected) in [
        ("forward", "plain", "      | X-Postroom-Forwarded: "),
        (
            "report-bounce",
            "bounce-ses",
            "      | {\"notificationType\":\"Bounce\"",
        ),
    ] {
        let event = format!("../../events/inbound/{event}.json");
        let mail = format!("../../events/inbound/mail/{mail}.eml");
        let arguments = ["explain", &event, "--config", MAILBOXES, "--mail", &mail];
        let without = text(&postroomctl(&arguments, "", &variables).stdout);
        assert!(!without.contains(" | "), "{without}");
        let with = text(&postroomctl(&[&arguments[..], &["--show-sent"]].concat(), "", &variables).stdout);
        assert!(with.contains(expected), "{with}");
    }
}

#[test]
fn output_has_no_control_or_bidirectional_characters_of_the_input() {
    let event = std::fs::read_to_string("../../events/feedback/complaint-control-characters.json").unwrap();
    let event = event.replace("abuse", "a\u{202e}esuba");
    let is_raw = |character: char| character == '\u{1b}' || character == '\u{202e}';
    let output = text(&postroomctl(&["explain", "-"], &event, &[]).stdout);
    assert!(!output.contains(is_raw), "{output:?}");
    let because = output.lines().find(|line| line.contains("because")).unwrap();
    assert!(
        because.contains(r"\u{1b}[31ma\u{202e}esuba\n2026-03-02T08:15:32Z  manual-release"),
        "{because}"
    );
    assert!(!output.lines().any(|line| line.starts_with("2026")), "{output}");
    let json = text(&postroomctl(&["explain", "--json", "-"], &event, &[]).stdout);
    assert!(!json.contains(is_raw), "{json:?}");
    let explanations: Value = serde_json::from_str(&json).unwrap();
    assert!(
        explanations[0]["outcomes"][0]["because"]
            .as_str()
            .unwrap()
            .contains("\u{1b}[31ma\u{202e}esuba\n")
    );
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
