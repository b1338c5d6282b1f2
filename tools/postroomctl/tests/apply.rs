//! `postroomctl apply` and the lists of routes, against an embedded DynamoDB.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use serde_json::json;

use support::{Stack, write_file};

const EXAMPLE: &str = "../../docs/examples/postroom.toml";

#[tokio::test]
async fn a_dry_run_shows_the_changes_and_writes_nothing() {
    let stack = Stack::new().await;
    let dry_run = stack.run(&format!("apply {EXAMPLE} --dry-run")).await;
    assert_eq!(dry_run.exit_code, 1);
    insta::assert_snapshot!("apply_dry_run", dry_run.stdout);
    let routes = stack.run_successfully("routes list").await;
    assert_eq!(
        routes,
        "no routes: every notification goes to the topic for unrouted notifications\n"
    );
}

#[tokio::test]
async fn changes_are_not_written_without_confirmation() {
    let stack = Stack::new().await;
    let outcome = stack.run(&format!("apply {EXAMPLE}")).await;
    assert_eq!(outcome.exit_code, 2, "{}", outcome.stdout);
    assert!(
        outcome.stderr.contains("standard input is not a terminal"),
        "{}",
        outcome.stderr
    );
    assert!(stack.effects.store.all_routes().await.unwrap().is_empty());
}

#[tokio::test]
async fn after_apply_the_table_agrees_with_the_file() {
    let stack = Stack::new().await;
    let dry_run = stack.run(&format!("apply {EXAMPLE} --dry-run")).await.stdout;
    let applied = stack.run_successfully(&format!("apply {EXAMPLE} --yes")).await;
    assert_eq!(applied, dry_run.replace("dry run: nothing is changed", "applied"));
    insta::assert_snapshot!("routes_list", stack.run_successfully("routes list").await);
    let routes = stack.run("routes list --json").await.json();
    assert_eq!(
        (&routes[0]["name"], &routes[0]["redaction"]),
        (&json!("all-of-the-shop"), &json!("none"))
    );

    let test = "routes test ../../events/feedback/delegate-bounce.json";
    for arguments in [test.to_owned(), format!("{test} --json")] {
        let with_table = stack.run_successfully(&arguments).await;
        let with_file = stack.run_successfully(&format!("{arguments} --config {EXAMPLE}")).await;
        assert_eq!(with_table, with_file, "{arguments}");
    }
    for arguments in ["--yes", "--dry-run"] {
        let again = stack.run_successfully(&format!("apply {EXAMPLE} {arguments}")).await;
        assert_eq!(again, "nothing to change\n");
    }
}

#[tokio::test]
async fn changed_and_removed_settings_are_changed_and_removed() {
    let stack = Stack::new().await;
    stack.run_successfully(&format!("apply {EXAMPLE} --yes")).await;
    let mut changed = std::fs::read_to_string(EXAMPLE).unwrap();
    for (before, after) in [
        (
            "account = \"Agency\"\nidentity = \"shop.example\"",
            "account = \"Agency\"",
        ),
        ("redaction = \"none\"", "redaction = \"standard\""),
        ("warn = \"2.5 %\"", "warn = \"3 %\""),
        ("name = \"campaign-complaints\"", "name = \"campaigns\""),
    ] {
        assert!(changed.contains(before), "{before}");
        changed = changed.replace(before, after);
    }
    let changed = write_file("changed.toml", &changed);
    insta::assert_snapshot!(
        "apply_changed",
        stack.run_successfully(&format!("apply {changed} --yes")).await
    );
    let again = stack.run_successfully(&format!("apply {changed} --yes")).await;
    assert!(again.starts_with("nothing to change"), "{again}");
}

#[tokio::test]
async fn empty_sections_remove_everything_and_missing_sections_nothing() {
    let stack = Stack::new().await;
    stack.run_successfully(&format!("apply {EXAMPLE} --yes")).await;
    let empty = write_file("empty.toml", "account = []\nroute = []\nmailbox = []\n[thresholds]\n");
    let missing = write_file("missing.toml", "");
    let unchanged = stack.run_successfully(&format!("plan {missing}")).await;
    assert_eq!(
        unchanged.lines().collect::<Vec<_>>(),
        [
            "nothing to change",
            "not in the file, so they stay: 2 accounts, 3 routes, 1 threshold, 6 mailboxes"
        ]
    );
    let outcome = stack.run(&format!("apply {empty} --yes --json")).await;
    let value = outcome.json();
    assert_eq!((outcome.exit_code, &value["applied"]), (0, &json!(true)));
    let changes = value["changes"].as_array().unwrap();
    assert!(changes.len() > 5 && changes.iter().all(|change| change["after"].is_null()));
    let store = &stack.effects.store;
    assert!(store.all_routes().await.unwrap().is_empty());
    assert!(store.all_registered_identities().await.unwrap().is_empty());
    assert!(store.all_mailboxes().await.unwrap().is_empty());
    assert_eq!(store.thresholds().await.unwrap(), store::ThresholdTable::default());
}

#[tokio::test]
async fn an_invalid_file_is_not_written() {
    let stack = Stack::new().await;
    let content = "[[route]]\nname = \"a\"\nowner = \"111122223333\"\ntarget = \"here\"\n";
    let invalid = write_file("invalid.toml", content);
    let outcome = stack.run(&format!("apply {invalid} --yes")).await;
    assert_eq!(outcome.exit_code, 2);
    assert!(
        outcome
            .stderr
            .contains("invalid.toml:4: route[1].target: expected the ARN of an SNS topic"),
        "{}",
        outcome.stderr
    );
    assert!(stack.effects.store.all_routes().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_unknown_table_has_exit_code_3() {
    let stack = Stack::new().await;
    let outcome = stack.run(&format!("apply {EXAMPLE} --yes --table elsewhere")).await;
    assert_eq!(outcome.exit_code, 3);
}
