//! Mailboxes in a file and on a table: that both say the same, and what a careful reader would warn of.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::path::PathBuf;

use serde_json::Value;
use support::Operator;

const EXAMPLE: &str = "../../docs/examples/postroom.toml";

fn file(name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn file_and_table_agree() {
    let operator = Operator::new().await;
    assert!(operator.types("mailboxes list").await.out.starts_with("no mailboxes"));
    operator.types(&format!("apply {EXAMPLE} --yes")).await;
    for line in [
        "mailboxes list",
        "mailboxes list --json",
        "mailboxes test Support+x@Shop.example",
        "mailboxes test orders@in.shop.example --json",
    ] {
        let table = operator.types(line).await;
        let from_file = operator.types(&format!("{line} --config {EXAMPLE}")).await;
        assert_eq!((table.code, &table.err), (0, &String::new()), "{line}");
        assert_eq!(table.out, from_file.out, "{line}");
    }
    insta::assert_snapshot!("mailboxes_list", operator.types("mailboxes list").await.out);

    let fewer = file(
        "fewer.toml",
        "[[mailbox]]\naddress = \"support@shop.example\"\nactions = [{ action = \"unsubscribe\" }]\n",
    );
    let said = operator.types(&format!("apply {fewer} --yes")).await;
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(
        operator.types("mailboxes list").await.out,
        "support@shop.example\n  unsubscribe whom a signed token names\n"
    );
    let nobody = operator.types("mailboxes test anybody@shop.example").await;
    assert_eq!(nobody.code, 1);
    assert_eq!(
        nobody.out,
        "no mailbox takes mail for anybody@shop.example\nno mailbox of their own: anybody@shop.example, shop.example, *\n"
    );
    let explained = operator
        .types("explain ../../events/inbound/auto-reply.json --table postroom")
        .await;
    assert!(
        explained.out.contains("mailbox support@shop.example: "),
        "{}",
        explained.out
    );
}

#[tokio::test]
async fn a_change_within_an_action_is_a_change() {
    let operator = Operator::new().await;
    let text = std::fs::read_to_string(EXAMPLE).unwrap();
    operator.types(&format!("apply {EXAMPLE} --yes")).await;
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
        let changed = file("within.toml", &text.replace(before, after));
        let said = operator.types(&format!("apply {changed} --dry-run --json")).await;
        let told: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(
            told["changes"].as_array().map(Vec::len),
            Some(1),
            "{before}: {}",
            said.out
        );
    }
}

#[tokio::test]
async fn what_is_probably_not_meant_is_warned_of_and_done() {
    let operator = Operator::new().await;
    let odd = file(
        "odd.toml",
        r#"
[[mailbox]]
address = "shop.example"
actions = [{ action = "forward", to = ["desk@club.example"], from = "forward@shop.example" }]
verdicts = { virus-fail = "tag", spam-fail = "bounce" }

[[mailbox]]
address = "club.example"
actions = [{ action = "store" }]
"#,
    );
    let said = operator.types(&format!("apply {odd} --yes")).await;
    assert_eq!(said.code, 0, "{}", said.err);
    let warnings: String = said
        .out
        .lines()
        .filter(|line| line.starts_with("warning"))
        .map(|line| format!("{}\n", line.replace(&odd, "odd.toml")))
        .collect();
    insta::assert_snapshot!("mailbox_warnings", warnings);
    assert_eq!(operator.effects.store.all_mailboxes().await.unwrap().len(), 2);
}
