//! `postroomctl mailboxes` and the mailboxes of `postroomctl apply`, against an embedded DynamoDB.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use support::{Stack, write_file};

const EXAMPLE: &str = "../../docs/examples/postroom.toml";

#[tokio::test]
async fn the_table_and_the_file_have_the_same_mailboxes() {
    let stack = Stack::new().await;
    let none = stack.run_successfully("mailboxes list").await;
    assert!(none.starts_with("no mailboxes"), "{none}");
    stack.run_successfully(&format!("apply {EXAMPLE} --yes")).await;
    for arguments in [
        "mailboxes list",
        "mailboxes list --json",
        "mailboxes test Support+x@Shop.example",
        "mailboxes test orders@in.shop.example --json",
    ] {
        let with_table = stack.run_successfully(arguments).await;
        let with_file = stack.run_successfully(&format!("{arguments} --config {EXAMPLE}")).await;
        assert_eq!(with_table, with_file, "{arguments}");
    }
    insta::assert_snapshot!("mailboxes_list", stack.run_successfully("mailboxes list").await);
    let explained = stack
        .run_successfully("explain ../../events/inbound/auto-reply.json --table postroom")
        .await;
    assert!(explained.contains("mailbox support@shop.example: "), "{explained}");
}

#[tokio::test]
async fn an_address_without_a_mailbox_is_reported() {
    let stack = Stack::new().await;
    let content = "[[mailbox]]\naddress = \"support@shop.example\"\nactions = [{ action = \"unsubscribe\" }]\n";
    let file = write_file("one-mailbox.toml", content);
    stack.run_successfully(&format!("apply {file} --yes")).await;
    assert_eq!(
        stack.run_successfully("mailboxes list").await,
        "support@shop.example\n  unsubscribe the recipient of a signed token\n"
    );
    let outcome = stack.run("mailboxes test anybody@shop.example").await;
    assert_eq!(outcome.exit_code, 1);
    assert_eq!(
        outcome.stdout,
        "no mailbox receives mail for anybody@shop.example\n\
         no mailbox exists for: anybody@shop.example, shop.example, *\n"
    );
}

#[tokio::test]
async fn every_setting_of_an_action_counts_as_a_change() {
    let stack = Stack::new().await;
    let text = std::fs::read_to_string(EXAMPLE).unwrap();
    stack.run_successfully(&format!("apply {EXAMPLE} --yes")).await;
    for (before, after) in [
        ("within two working days", "within a week"),
        ("Shop Support <", "Support <"),
        ("days = 90", "days = 91"),
        ("every-days = 3", "every-days = 4"),
        ("spam-fail = \"tag\"", "spam-fail = \"continue\""),
        ("orders-by-mail", "orders"),
        ("Jane has left.", "Jane is gone."),
    ] {
        assert!(text.contains(before), "{before}");
        let changed = write_file("one-setting.toml", &text.replace(before, after));
        let outcome = stack.run(&format!("apply {changed} --dry-run --json")).await.json();
        assert_eq!(
            outcome["changes"].as_array().map(Vec::len),
            Some(1),
            "{before}: {outcome}"
        );
    }
}

#[tokio::test]
async fn probable_mistakes_are_warnings() {
    let stack = Stack::new().await;
    let content = r#"
[[mailbox]]
address = "shop.example"
actions = [{ action = "forward", to = ["desk@club.example"], from = "forward@shop.example" }]
verdicts = { virus-fail = "tag", spam-fail = "bounce" }

[[mailbox]]
address = "club.example"
actions = [{ action = "store" }]
"#;
    let file = write_file("warnings.toml", content);
    let applied = stack.run_successfully(&format!("apply {file} --yes")).await;
    let warnings: Vec<&str> = applied
        .lines()
        .filter_map(|line| line.strip_prefix(&format!("warning: {file}:")))
        .collect();
    assert_eq!(
        warnings,
        [
            "4: mailbox[1].actions[1].from: this mailbox (shop.example) also receives this address, so that replies to a \
             forward are forwarded; add a mailbox for the address",
            "4: mailbox[1].actions[1].to[1]: mailbox club.example receives this address and applies its own actions; \
             forward to its targets instead",
            "5: mailbox[1].verdicts.spam-fail: the sender address of such mail is usually forged, so that the bounce goes \
             to a third party; consider stop-rule-set",
            "5: mailbox[1].verdicts.virus-fail: forwards and stores mail that contains a virus",
        ]
    );
    assert_eq!(stack.effects.store.all_mailboxes().await.unwrap().len(), 2);
}
