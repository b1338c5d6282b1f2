//! `postroomctl suppression` and `postroomctl check`, against an embedded DynamoDB.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use serde_json::{Value, json};

use support::Stack;

#[tokio::test]
async fn an_address_that_did_not_bounce_is_not_suppressed() {
    let stack = Stack::new().await;
    let outcome = stack.run("suppression get jane@example.net").await;
    assert_eq!(
        (outcome.exit_code, outcome.stdout.as_str()),
        (1, "jane@example.net is not suppressed\n")
    );
}

#[tokio::test]
async fn republish_changes_the_rows_that_changed_since_a_time() {
    let stack = Stack::new().await;
    stack.receive_event("bounce-permanent-general").await;
    let at = stack.effects.store.recipient(&jane()).await.unwrap().unwrap().entries;
    let at = at.values().next().unwrap().at;
    let later = at + jiff::SignedDuration::from_secs(1);
    let republished = async || {
        stack
            .effects
            .store
            .recipient(&jane())
            .await
            .unwrap()
            .unwrap()
            .republished_at
    };

    let counted = stack
        .run(&format!("suppression republish --since {at} --dry-run --json"))
        .await;
    assert_eq!(counted.json()["addresses"], 1);
    let none = stack
        .run_successfully(&format!("suppression republish --since {later}"))
        .await;
    assert_eq!(none, "0 addresses are published again\n");
    assert_eq!(republished().await, None);
    let one = stack
        .run_successfully(&format!("suppression republish --since {at}"))
        .await;
    assert_eq!(one, "1 addresses are published again\n");
    assert!(republished().await.is_some());
    assert_eq!(stack.run("suppression republish --since 2999-01-01").await.exit_code, 2);
}

fn jane() -> notification_model::EmailAddress {
    notification_model::EmailAddress::parse("jane@example.net").unwrap()
}

#[tokio::test]
async fn a_bounce_is_shown_by_get_list_and_check() {
    let stack = Stack::new().await;
    stack.receive_event("bounce-permanent-general").await;
    insta::assert_snapshot!(
        "suppression_get",
        stack.run_successfully("suppression get Jane@Example.NET").await
    );
    let list = stack.run_successfully("suppression list --scope global").await;
    assert!(list.contains("  jane@example.net  permanently  hard bounce"), "{list}");
    assert!(list.ends_with("1 in force for all senders (global)\n"), "{list}");

    assert_eq!(stack.run("check joe@example.net").await.exit_code, 0);
    let check = stack
        .run("check joe@example.net jane@example.net --identity shop.example")
        .await;
    assert_eq!(check.exit_code, 1);
    let lines: Vec<&str> = check.stdout.lines().collect();
    assert_eq!(lines[0], "yes  joe@example.net");
    assert!(
        lines[1].starts_with("no   jane@example.net  global: hard bounce"),
        "{}",
        lines[1]
    );
}

#[tokio::test]
async fn json_has_the_same_facts_as_the_text() {
    let stack = Stack::new().await;
    stack.receive_event("bounce-permanent-general").await;
    let get = stack.run("suppression get jane@example.net --json").await.json();
    assert_eq!(get["suppressed"], true);
    let suppression = &get["suppressions"][0];
    assert_eq!(
        (&suppression["scope"], &suppression["source"]),
        (&json!("global"), &json!("bounce"))
    );
    assert_eq!(
        (&suppression["since"], &suppression["until"]),
        (&suppression["at"], &Value::Null)
    );
    let list = stack.run("suppression list --json").await.json();
    assert_eq!(
        (&list[0]["address"], &list[0]["reason"]),
        (&json!("jane@example.net"), &suppression["reason"])
    );
    let check = stack.run("check jane@example.net joe@example.net --json").await;
    assert_eq!(check.exit_code, 1);
    let check = check.json();
    assert_eq!((&check[0]["mail"], &check[1]["mail"]), (&json!(false), &json!(true)));
    assert_eq!(check[0]["suppressions"][0]["reason"], suppression["reason"]);
}

#[tokio::test]
async fn a_released_address_is_not_suppressed_again_by_an_older_event() {
    let stack = Stack::new().await;
    stack.receive_event("bounce-permanent-general").await;
    let release = stack
        .run_successfully("suppression release jane@example.net --reason they_wrote_to_us")
        .await;
    assert_eq!(release, "jane@example.net is released, for all senders (global)\n");
    stack.receive_event("bounce-permanent-general").await;
    assert_eq!(stack.run("suppression get jane@example.net").await.exit_code, 1);
    let list = stack.run_successfully("suppression list").await;
    assert_eq!(list, "0 in force for all senders (global)\n");

    let history = stack.run("suppression history jane@example.net --json").await.json();
    let history = history.as_array().unwrap();
    let kinds: Vec<&Value> = history.iter().map(|entry| &entry["kind"]).collect();
    assert_eq!(kinds, [&json!("hard"), &json!("manual-release")]);
    assert_eq!(history[1]["reason"], "released by olga: they wrote to us");
    let text = stack.run_successfully("suppression history jane@example.net").await;
    assert_eq!(text.lines().count(), 2, "{text}");
    let unknown = stack.run_successfully("suppression history joe@example.net").await;
    assert_eq!(unknown, "no history of joe@example.net\n");
}

#[tokio::test]
async fn only_a_release_ends_a_manual_suppression() {
    let stack = Stack::new().await;
    let put = stack
        .run_successfully("suppression put joe@example.net --scope tenant:acme --reason requested_by_phone")
        .await;
    assert_eq!(put, "joe@example.net is suppressed, for tenant acme, permanently\n");
    stack.receive_event("complaint-not-spam").await;
    stack.receive_event("delivery").await;
    assert_eq!(stack.run("check joe@example.net --tenant acme").await.exit_code, 1);
    assert_eq!(stack.run("check joe@example.net --tenant other").await.exit_code, 0);

    let release = "suppression release joe@example.net --reason new_request";
    assert_eq!(stack.run(release).await.exit_code, 0);
    assert_eq!(stack.run("check joe@example.net --tenant acme").await.exit_code, 0);
    let again = stack.run(release).await;
    assert_eq!(
        (again.exit_code, again.stdout.as_str()),
        (1, "joe@example.net is not suppressed: nothing to release\n")
    );
}

#[tokio::test]
async fn a_suppression_can_have_an_end() {
    let stack = Stack::new().await;
    let put = stack
        .run("suppression put joe@example.net --days 2 --reason holiday --json")
        .await
        .json();
    let time = |name: &str| put[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(time("until").duration_since(time("at")).as_hours(), 48);
    assert_eq!(
        (&put["action"], &put["scopes"]),
        (&json!("suppress"), &json!(["global"]))
    );
}

#[tokio::test]
async fn control_characters_in_texts_are_escaped() {
    let stack = Stack::new().await;
    let put = "suppression put joe@example.net --reason a\u{1b}[2Jb";
    stack.run_successfully(put).await;
    let get = stack.run_successfully("suppression get joe@example.net").await;
    assert!(get.contains(r"suppressed by olga: a\u{1b}[2Jb"), "{get}");
    let history = stack.run_successfully("suppression history joe@example.net").await;
    assert!(!history.contains('\u{1b}'), "{history}");
}

#[tokio::test]
async fn a_failed_request_to_aws_has_exit_code_3() {
    let stack = Stack::new().await;
    let outcome = stack.run("suppression get jane@example.net --table elsewhere").await;
    assert_eq!(outcome.exit_code, 3);
    assert!(outcome.stderr.contains("check --table"), "{}", outcome.stderr);
}

#[tokio::test]
async fn a_feedback_type_with_control_characters_stays_on_its_line() {
    let stack = Stack::new().await;
    stack.receive_event("complaint-control-characters").await;
    let history = stack.run_successfully("suppression history me@attacker.example").await;
    assert_eq!(history.lines().count(), 1, "{history}");
    assert!(
        history.contains(r"reported as \u{1b}[31mabuse\n2026-03-02"),
        "{history}"
    );
    let entry = stack.run_successfully("suppression get me@attacker.example").await;
    assert!(!entry.contains('\u{1b}'), "{entry:?}");
    assert!(!entry.lines().any(|line| line.starts_with("2026")), "{entry}");
}

#[tokio::test]
async fn check_takes_the_tables_of_several_stacks() {
    let stack = Stack::new().await;
    stack.create_table("second").await;
    stack
        .run_successfully("suppression put jane@example.net --scope global --reason asked_to_stop --table second")
        .await;
    assert_eq!(stack.run("check jane@example.net --table postroom").await.exit_code, 0);
    for tables in ["--table postroom --table second", "--table second,postroom"] {
        let check = stack
            .run(&format!("check joe@example.net jane@example.net {tables}"))
            .await;
        assert_eq!(check.exit_code, 1, "{}", check.stderr);
        let lines: Vec<&str> = check.stdout.lines().collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!(lines.first(), Some(&"yes  joe@example.net"));
        assert!(
            lines[1].starts_with("no   jane@example.net  global: suppressed by olga: asked to stop"),
            "{lines:?}"
        );
    }
    // A table that cannot be read is not a table without suppressions.
    let unknown = stack.run("check joe@example.net --table postroom,elsewhere").await;
    assert_eq!((unknown.exit_code, unknown.stdout.as_str()), (3, ""));
}
