//! `postroom.toml` on a table, and a sender's act undone, as an operator does it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::Value;
use store::{Enforcement, EnforcementChange, EnforcementStatus, Level, Measure, ReputationState, Sender, Window};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use support::Operator;

const EXAMPLE: &str = "../../docs/examples/postroom.toml";

fn file(name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_difference_is_shown_applied_and_then_gone() {
    let operator = Operator::new().await;
    assert!(operator.types("routes list").await.out.starts_with("no routes"));

    let said = operator.types(&format!("apply {EXAMPLE}")).await;
    assert_eq!(said.code, 2, "nobody to ask: {}", said.out);
    assert!(said.err.contains("--yes applies the difference"), "{}", said.err);
    let dry = operator.types(&format!("apply {EXAMPLE} --dry-run")).await;
    assert_eq!(dry.code, 1, "it differs");
    insta::assert_snapshot!("apply_dry_run", dry.out);
    assert!(
        operator.types("routes list").await.out.starts_with("no routes"),
        "nothing was written"
    );

    let said = operator.types(&format!("apply {EXAMPLE} --yes")).await;
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.out, dry.out.replace("a dry run: nothing was changed", "applied"));
    insta::assert_snapshot!("routes_list", operator.types("routes list").await.out);
    let said = operator
        .types("routes test ../../events/feedback/delegate-bounce.json")
        .await;
    let from_file = operator
        .types(&format!(
            "routes test ../../events/feedback/delegate-bounce.json --config {EXAMPLE}"
        ))
        .await;
    assert_eq!((said.code, said.out), (0, from_file.out), "file and table agree");

    let again = operator.types(&format!("apply {EXAMPLE} --yes")).await;
    assert_eq!(again.code, 0);
    assert!(again.out.starts_with("nothing to change"), "{}", again.out);
    assert_eq!(operator.types(&format!("apply {EXAMPLE} --dry-run")).await.code, 0);
}

#[tokio::test]
async fn what_the_file_no_longer_says_is_removed() {
    let operator = Operator::new().await;
    operator.types(&format!("apply {EXAMPLE} --yes")).await;
    let text = std::fs::read_to_string(EXAMPLE).unwrap();
    let changed = text
        .replace(
            "account = \"Agency\"\nidentity = \"shop.example\"",
            "account = \"Agency\"",
        )
        .replace("redaction = \"none\"\n", "redaction = \"standard\"\n")
        .replace("warn = \"2.5 %\"", "warn = \"3 %\"")
        .replace("name = \"campaigns-by-mail\"", "name = \"campaigns\"");
    assert_ne!(text, changed);
    let changed = file("changed.toml", &changed);
    let said = operator.types(&format!("apply {changed} --yes")).await;
    assert_eq!(said.code, 0, "{}", said.err);
    insta::assert_snapshot!("apply_changed", said.out);
    assert!(
        operator
            .types(&format!("apply {changed} --yes"))
            .await
            .out
            .starts_with("nothing to change")
    );

    let empty = file("empty.toml", "");
    let said = operator.types(&format!("apply {empty} --yes --json")).await;
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, &told["applied"]), (0, &Value::Bool(true)));
    assert!(
        told["changes"]
            .as_array()
            .unwrap()
            .iter()
            .all(|change| change["after"].is_null())
    );
    assert!(operator.types("routes list").await.out.starts_with("no routes"));
    let store = &operator.effects.store;
    assert!(store.all_registered_identities().await.unwrap().is_empty());
    assert_eq!(store.thresholds().await.unwrap(), store::ThresholdTable::default());
}

#[tokio::test]
async fn a_bad_file_never_reaches_the_table() {
    let operator = Operator::new().await;
    let bad = file(
        "bad.toml",
        "[[route]]\nname = \"a\"\nowner = \"111122223333\"\ntarget = \"here\"\n",
    );
    let said = operator.types(&format!("apply {bad} --yes")).await;
    assert_eq!(said.code, 2);
    assert!(
        said.err
            .contains("bad.toml:4: route[1].target: expected an ARN of an SNS topic"),
        "{}",
        said.err
    );
    assert_eq!(
        operator
            .types(&format!("apply {EXAMPLE} --yes --table elsewhere"))
            .await
            .code,
        3
    );
}

/// An SES that says yes to everything, and what it was asked.
async fn ses() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 64 * 1024];
            let length = stream.read(&mut request).await.unwrap();
            request.truncate(length);
            let text = String::from_utf8(request).unwrap();
            let body = text.split("\r\n\r\n").nth(1).unwrap_or_default();
            let line = text.lines().next().unwrap_or_default();
            log.lock().unwrap().push(format!("{line} {body}"));
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (endpoint, asked)
}

#[tokio::test]
async fn a_paused_configuration_set_is_resumed_by_one_command() {
    let mut operator = Operator::new().await;
    let (endpoint, asked) = ses().await;
    operator.ses_is_at(endpoint);
    assert_eq!(
        operator.types("reputation status").await.out,
        "every sender is under its thresholds\n"
    );

    let sender: Sender = "111122223333/111122223333/shop.example".parse().unwrap();
    let at: Timestamp = "2026-01-27T14:59:38Z".parse().unwrap();
    let crossing = ReputationState {
        level: Level::Enforce,
        since: at,
        figures: store::Figures { count: 40, volume: 400 },
        ..ReputationState::unknown(Window::Hour, Measure::Bounces)
    };
    let change = EnforcementChange::ConfigurationSet {
        name: "campaigns".to_owned(),
    };
    let enforcement = Enforcement::plan(&sender, &crossing, change);
    let store = &operator.effects.store;
    store.put_reputation_state(&sender, &crossing).await.unwrap();
    store.plan_enforcement(&enforcement).await.unwrap();
    store
        .update_enforcement(&enforcement, &EnforcementStatus::Done { at })
        .await
        .unwrap();

    insta::assert_snapshot!("reputation_status", operator.types("reputation status").await.out);
    insta::assert_snapshot!(
        "reputation_history",
        operator.types(&format!("reputation history {sender}")).await.out
    );
    let said = operator.types(&format!("reputation undo {}", enforcement.id)).await;
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "undone: pause-configuration-set campaigns\n"),
        "{}",
        said.err
    );
    let requests = asked.lock().unwrap().clone();
    assert_eq!(requests.len(), 1);
    assert!(
        requests[0].starts_with("PUT /v2/email/configuration-sets/campaigns/sending"),
        "{}",
        requests[0]
    );

    let said = operator.types(&format!("reputation undo {}", enforcement.id)).await;
    assert!(
        said.code == 0 && said.out.contains("undone") && said.out.contains("by olga"),
        "{}",
        said.out
    );
    assert_eq!(asked.lock().unwrap().len(), 1, "once is enough");
    assert!(!operator.types("reputation status").await.out.contains("in force"));
    let enforcements: Vec<Value> =
        serde_json::from_str(&operator.types("reputation enforcements --json").await.out).unwrap();
    assert_eq!(
        (&enforcements[0]["status"], &enforcements[0]["by"]),
        (&"undone".into(), &"olga".into())
    );
    assert_eq!(
        operator.types("reputation undo 20260101T000000Z-00000000").await.code,
        2
    );
    assert_eq!(operator.types("reputation history nobody").await.code, 2);
}
