//! `postroomctl explain` on every event under `events/feedback`, and on smaller pieces of them.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn postroomctl(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_postroomctl"))
        .args(arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("postroomctl starts");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn every_event_is_explained() {
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::glob!("../../../events/feedback", "*.json", |path| {
            let output = postroomctl(&["explain", path.to_str().unwrap()], "");
            assert_eq!(text(&output.stderr), "");
            insta::assert_snapshot!(format!("{}exit code {}", text(&output.stdout), output.status.code().unwrap()));
        });
    });
}

#[test]
fn json_says_the_same() {
    let output = postroomctl(
        &[
            "explain",
            "--json",
            "../../events/feedback/bounce-failed-and-delayed.json",
        ],
        "",
    );
    let explained: Value = serde_json::from_slice(&output.stdout).unwrap();
    insta::assert_json_snapshot!("json", explained);
}

/// The Lambda event, the SNS envelope within it and the bare SES JSON within that all explain the same outcomes.
#[test]
fn any_layer_can_be_explained() {
    let event = std::fs::read_to_string("../../events/feedback/bounce-permanent-general.json").unwrap();
    let parsed: Value = serde_json::from_str(&event).unwrap();
    let envelope = parsed["Records"][0]["body"].as_str().unwrap();
    let bare = serde_json::from_str::<Value>(envelope).unwrap()["Message"]
        .as_str()
        .unwrap()
        .to_owned();
    let outcomes = |input: &str| {
        let output = postroomctl(&["explain", "--json", "-"], input);
        let explained: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        explained[0]["outcomes"].clone()
    };
    let expected = outcomes(&event);
    assert_eq!(expected[0]["action"], "suppress");
    assert_eq!(outcomes(envelope), expected);
    assert_eq!(outcomes(&bare), expected);
    let message = serde_json::json!({"MessageId": "1", "ReceiptHandle": "AQEB", "Body": envelope});
    for copied in [
        serde_json::json!({"Messages": [message]}),
        message,
        parsed["Records"][0].clone(),
        serde_json::json!({"EventSource": "aws:sns", "Sns": {"Message": bare}}),
        serde_json::json!(envelope),
    ] {
        assert_eq!(outcomes(&copied.to_string()), expected, "as people copy it");
    }
}

#[test]
fn set_up_texts_are_explained_too() {
    let output = postroomctl(
        &["explain", "-"],
        "Successfully validated SNS topic for Amazon SES event publishing.\n",
    );
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).starts_with("SES set-up message: topic validated"));
}

#[test]
fn every_mail_is_explained() {
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::glob!("../../../events/inbound", "*.json", |path| {
            let file = path.to_str().unwrap();
            let output = Command::new(env!("CARGO_BIN_EXE_postroomctl"))
                .args(["explain", file, "--config", "tests/data/inbound.toml"])
                .env_clear()
                .envs([
                    ("POSTROOM_BOUNCE_SENDER", "mailer-daemon@shop.example"),
                    ("POSTROOM_FEEDBACK_TOPIC_ARN", "arn:aws:sns:eu-west-1:111122223333:feedback"),
                ])
                .output()
                .unwrap();
            assert_eq!(text(&output.stderr), "");
            insta::assert_snapshot!(format!("{}exit code {}", text(&output.stdout), output.status.code().unwrap()));
        });
    });
}

#[test]
fn what_was_not_given_is_said() {
    let received = "../../shared/notification-model/tests/data/inbound-s3.json";
    let output = postroomctl(&["explain", received], "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    insta::assert_snapshot!("mail_alone", text(&output.stdout));
    let mail = "../../events/inbound/mail/bounce-postfix.eml";
    let output = postroomctl(
        &[
            "explain",
            "../../events/inbound/auto-reply.json",
            "--config",
            "tests/data/inbound.toml",
            "--mail",
            mail,
        ],
        "",
    );
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    insta::assert_snapshot!("mail_with_header", text(&output.stdout));
    let output = postroomctl(&["explain", received, "--mail", "none.eml"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("none.eml"), "{}", text(&output.stderr));
}

#[test]
fn bad_input_is_named() {
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
        (vec!["check", "nobody"], "", "expected a mail address"),
        (vec!["suppression", "list", "--scope", "planet"], "", "expected a scope"),
        (vec!["suppression", "get", "jane@example.com"], "", "--table"),
    ];
    for (arguments, input, expected) in cases {
        let output = postroomctl(&arguments, input);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            text(&output.stderr).contains(expected),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
    }
}
