//! The commands that read and write the table, against an embedded DynamoDB: a day of an operator.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use jiff::Timestamp;
use lambda_kit::Metrics;
use serde_json::{Value, json};

use support::Operator;

#[tokio::test]
async fn a_bounce_is_looked_up_released_and_not_brought_back() {
    let operator = Operator::new().await;
    let said = operator.types("suppression get jane@example.net").await;
    assert_eq!(
        (said.code, said.out.as_str()),
        (1, "jane@example.net is not suppressed\n")
    );

    operator.happens("bounce-permanent-general").await;
    let said = operator.types("suppression get Jane@Example.NET").await;
    assert_eq!(said.code, 0, "{}", said.err);
    insta::assert_snapshot!("suppression_get", said.out);
    insta::assert_snapshot!(
        "suppression_list",
        operator.types("suppression list --scope global").await.out
    );
    assert_eq!(operator.types("check joe@example.net").await.code, 0);
    let said = operator
        .types("check joe@example.net jane@example.net --identity shop.example")
        .await;
    assert_eq!(said.code, 1);
    insta::assert_snapshot!("check", said.out);

    let said = operator
        .types("suppression release jane@example.net --reason they_wrote_to_us")
        .await;
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "jane@example.net is released, for every sender (global)\n")
    );
    operator.happens("bounce-permanent-general").await;
    assert_eq!(
        operator.types("suppression get jane@example.net").await.code,
        1,
        "an older event, replayed"
    );
    assert!(operator.types("suppression list").await.out.starts_with("0 in force"));

    let history = operator.types("suppression history jane@example.net --json").await;
    let history: Vec<Value> = serde_json::from_str(&history.out).unwrap();
    let kinds: Vec<&Value> = history.iter().map(|entry| &entry["kind"]).collect();
    assert_eq!(kinds, [&json!("hard"), &json!("manual-release")]);
    assert_eq!(history[1]["reason"], "released by olga: they wrote to us");
}

#[tokio::test]
async fn a_person_s_word_stands_until_a_person_takes_it_back() {
    let operator = Operator::new().await;
    let said = operator
        .types("suppression put joe@example.net --scope tenant:acme --reason asked_by_phone")
        .await;
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "joe@example.net is suppressed, for tenant acme, for good\n")
    );
    operator.happens("complaint-not-spam").await;
    operator.happens("delivery").await;
    assert_eq!(operator.types("check joe@example.net --tenant acme").await.code, 1);
    assert_eq!(operator.types("check joe@example.net --tenant other").await.code, 0);
    assert_eq!(
        operator
            .types("suppression release joe@example.net --reason changed_mind")
            .await
            .code,
        0
    );
    assert_eq!(operator.types("check joe@example.net --tenant acme").await.code, 0);
    let said = operator
        .types("suppression release joe@example.net --reason again")
        .await;
    assert_eq!(
        (said.code, said.out.as_str()),
        (1, "joe@example.net is not suppressed: nothing to release\n")
    );
}

#[tokio::test]
async fn senders_are_listed_worst_first() {
    let operator = Operator::new().await;
    assert_eq!(
        operator.types("reputation senders").await.out,
        "nobody sent in the last 24 hours\n"
    );
    let now = Timestamp::now().to_string();
    for (account, bounces) in [("111122223333", 0), ("222233334444", 2)] {
        for message in 0..20 {
            let recipient = format!("user{message}@example.net");
            let mail = json!({
                "timestamp": now, "messageId": format!("{account}-{message}"), "destination": [recipient],
                "sendingAccountId": account, "sourceArn": "arn:aws:ses:us-east-1:111122223333:identity/shop.example",
                "tags": {"ses:configuration-set": ["campaigns"]},
            });
            let body = if message < bounces {
                json!({"eventType": "Bounce", "mail": mail, "bounce": {"bounceType": "Permanent", "timestamp": now,
                       "bouncedRecipients": [{"emailAddress": recipient, "status": "5.1.1"}]}})
            } else {
                json!({"eventType": "Delivery", "mail": mail, "delivery": {"timestamp": now, "recipients": [recipient]}})
            };
            let event = json!({"Records": [{"eventSource": "aws:sqs", "messageId": "1", "body": body.to_string()}]});
            feedback::handle(&event, &operator.effects, &mut Metrics::default(), Timestamp::now())
                .await
                .unwrap();
        }
    }
    insta::assert_snapshot!("senders", operator.types("reputation senders").await.out);
    let rows: Vec<Value> = serde_json::from_str(&operator.types("reputation senders --json").await.out).unwrap();
    assert_eq!(rows[0]["account"], "222233334444");
    assert_eq!(rows[0]["day"]["bounceRate"], 0.1);
    assert_eq!(rows[0]["day"]["bounceVerdict"], "few mails");
    let rows: Vec<Value> =
        serde_json::from_str(&operator.types("reputation senders --json --minimum 20").await.out).unwrap();
    assert_eq!(rows[0]["day"]["bounceVerdict"], "PAUSE LINE");
}

#[tokio::test]
async fn aws_failures_have_their_own_exit_code() {
    let operator = Operator::new().await;
    let said = operator
        .types("suppression get jane@example.net --table elsewhere")
        .await;
    assert_eq!(said.code, 3);
    assert!(said.err.contains("check --table"), "{}", said.err);
}
