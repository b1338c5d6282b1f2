//! `postroomctl delegate instructions`. Needs no AWS.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

const CONFIG: &str = r#"
    [[account]]
    account = "111122223333"
    name = "shop"

    [[identity]]
    names = ["shop.example", "*.shop.example"]
    topics = { bounce = "arn:aws:sns:eu-west-1:222233334444:feedback", complaint = "postroom" }
    [[identity.delegate]]
    name = "agency"
    account = "222233334444"
    from = ["news@shop.example"]

    [[identity]]
    names = ["other.example"]
    [[identity.delegate]]
    name = "press"
    account = "333344445555"
    actions = ["SendRawEmail"]
"#;

/// Runs the command with a file of this content. Returns the exit code, standard output and standard error.
fn instructions(name: &str, content: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    // The tests run at the same time, in threads of one process or in processes of their own.
    let (process, thread) = (std::process::id(), std::thread::current().id());
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("delegate-{process}-{thread:?}.toml"));
    std::fs::write(&file, content).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_postroomctl"))
        .args([
            "delegate",
            "instructions",
            name,
            file.to_str().unwrap(),
            "--region",
            "eu-west-1",
        ])
        .args(arguments)
        .env_clear()
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_other_account_learns_identities_limits_and_what_its_topic_needs() {
    let (exit_code, text, _) = instructions("agency", CONFIG, &["--owner", "shop"]);
    assert_eq!(exit_code, Some(0));
    insta::assert_snapshot!(text);
    let (_, json, _) = instructions("agency", CONFIG, &["--owner", "111122223333", "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["actions"], json!(["SendEmail", "SendRawEmail"]));
    let statement = &json["topics"][0]["statement"];
    assert_eq!(
        statement["Condition"]["StringEquals"]["AWS:SourceAccount"],
        json!(["111122223333"])
    );
    assert_eq!(
        json["keyStatement"]["Principal"],
        json!({"Service": "ses.amazonaws.com"})
    );
}

#[test]
fn a_delegate_without_a_topic_of_its_own_needs_no_topic_policy() {
    let (_, json, _) = instructions("press", CONFIG, &["--owner", "shop", "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["topics"], &json["keyStatement"]), (&json!([]), &Value::Null));
    assert_eq!(json["actions"], json!(["SendRawEmail"]));
    assert_eq!(
        json["identityArns"],
        json!(["arn:aws:ses:eu-west-1:111122223333:identity/other.example"])
    );
}

#[test]
fn what_is_wrong_is_named() {
    let (exit_code, _, stderr) = instructions("agnecy", CONFIG, &["--owner", "shop"]);
    assert_eq!(
        (exit_code, stderr.as_str()),
        (
            Some(2),
            "postroomctl: no delegate agnecy in the file; it has: agency, press\n"
        )
    );
    let (exit_code, _, stderr) = instructions("agency", CONFIG, &["--owner", "store"]);
    assert_eq!(exit_code, Some(2));
    assert!(stderr.contains("not store"), "{stderr}");
    let differing = CONFIG.replace("\"press\"", "\"agency\"");
    let (exit_code, _, stderr) = instructions("agency", &differing, &["--owner", "shop"]);
    assert_eq!(exit_code, Some(2));
    assert!(stderr.contains("differs between entries (other.example)"), "{stderr}");
}
