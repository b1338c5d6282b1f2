//! Dead-letter queues as an operator handles them: nothing is taken by looking, and nothing is lost by sending back.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "support/sqs.rs"]
mod sqs;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use sqs::Sqs;

const DLQ: &str = "postroom-FeedbackDeadLetterQueue-A1";
const SOURCE: &str = "postroom-FeedbackQueue-A1";

/// The body as the feedback queue has it: the SNS envelope.
fn event(name: &str) -> String {
    let text = std::fs::read_to_string(format!("../../events/{name}.json")).unwrap();
    let event: Value = serde_json::from_str(&text).unwrap();
    event["Records"][0]["body"].as_str().unwrap().to_owned()
}

fn received() -> String {
    std::fs::read_to_string("../../shared/notification-model/tests/data/inbound-s3.json").unwrap()
}

async fn feedback() -> Sqs {
    let sqs = Sqs::new().await;
    sqs.ends_in(SOURCE, DLQ);
    sqs.put(DLQ, &event("feedback/bounce-permanent-general"), Value::Null);
    sqs.put(DLQ, &event("feedback/bad-recipients-not-a-list"), Value::Null);
    sqs.put(
        DLQ,
        &event("feedback/complaint-abuse"),
        json!({"trace": {"DataType": "String", "StringValue": "x"}}),
    );
    sqs.put(DLQ, &received(), Value::Null);
    sqs.put(DLQ, "<html>", Value::Null);
    sqs
}

fn told(said: &(i32, String, String)) -> String {
    format!("{}{}exit code {}", said.1, said.2, said.0)
}

#[tokio::test]
async fn looking_takes_nothing() {
    let sqs = feedback().await;
    let url = sqs.url(DLQ);
    let before = sqs.bodies(DLQ);
    let listed = sqs.types(&["dlq", "list", &url]).await;
    let text = told(&listed);
    // Ages depend on the day.
    let text: String = text
        .lines()
        .filter(|line| !line.contains("the oldest"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(listed.1.contains("the oldest was sent "), "{}", listed.1);
    insta::assert_snapshot!("dlq_list", text);
    insta::assert_snapshot!("dlq_explain", told(&sqs.types(&["dlq", "explain", &url]).await));
    let dry = sqs.types(&["dlq", "redrive", &url]).await;
    insta::assert_snapshot!("dlq_redrive_dry_run", told(&dry));
    assert_eq!(sqs.bodies(DLQ), before);
    assert!(!sqs.is_holding(DLQ), "what was looked at is everybody's again");
    assert!(sqs.bodies(SOURCE).is_empty());
    let asked = sqs.asked();
    assert!(
        !asked
            .iter()
            .any(|one| one == "DeleteMessageBatch" || one == "SendMessageBatch"),
        "{asked:?}"
    );

    let one = sqs
        .types(&["dlq", "explain", &url, "--cause", "payload", "--json"])
        .await;
    let rows: Value = serde_json::from_str(&one.1).unwrap();
    assert_eq!(rows.as_array().map(Vec::len), Some(2));
    assert_eq!(
        (&rows[0]["id"], &rows[0]["cause"]),
        (&json!(format!("{DLQ}-1")), &json!("payload"))
    );
}

#[tokio::test]
async fn what_was_chosen_goes_back_as_it_was() {
    let sqs = feedback().await;
    let url = sqs.url(DLQ);
    let said = sqs
        .types(&["dlq", "redrive", &url, "--cause", "around", "--rate", "1000", "--yes"])
        .await;
    insta::assert_snapshot!("dlq_redrive", told(&said));
    let messages = sqs.messages(SOURCE);
    let bodies: Vec<&str> = messages.iter().map(|message| message.body.as_str()).collect();
    assert_eq!(
        bodies,
        [
            event("feedback/bounce-permanent-general"),
            event("feedback/complaint-abuse")
        ]
    );
    assert_eq!(messages[1].attributes["trace"]["StringValue"], "x");
    assert_eq!(sqs.bodies(DLQ).len(), 3);
    assert!(!sqs.is_holding(DLQ), "what stays is everybody's again");

    let id = format!("{DLQ}-3");
    let to = sqs.url("postroom-InboundQueue-A1");
    let said = sqs
        .types(&["dlq", "redrive", &url, "--id", &id, "--to", &to, "--yes"])
        .await;
    assert_eq!(said.0, 0, "{}", said.2);
    assert_eq!(sqs.bodies("postroom-InboundQueue-A1"), [received()]);
    let rest = sqs.types(&["dlq", "redrive", &url, "--yes", "--json"]).await;
    let rest: Value = serde_json::from_str(&rest.1).unwrap();
    assert_eq!(rest["moved"].as_array().map(Vec::len), Some(2));
    assert!(sqs.bodies(DLQ).is_empty());
    assert_eq!(sqs.types(&["dlq", "redrive", &url]).await.0, 0, "nothing left to send");
}

#[tokio::test]
async fn nothing_is_lost_when_an_answer_is() {
    for operation in [
        "SendMessageBatch",
        "DeleteMessageBatch",
        "ReceiveMessage",
        "ChangeMessageVisibilityBatch",
    ] {
        let sqs = Sqs::new().await;
        sqs.ends_in(SOURCE, DLQ);
        let all: BTreeSet<String> = (0..25)
            .map(|number| {
                let body = event("feedback/bounce-permanent-general").replace("010001", &format!("{number:06}"));
                sqs.put(DLQ, &format!("{body}{}", " ".repeat(number)), Value::Null);
                format!("{body}{}", " ".repeat(number))
            })
            .collect();
        sqs.put(DLQ, "<html>", Value::Null);
        sqs.does_not_answer(operation);
        let url = sqs.url(DLQ);
        let everywhere = || {
            sqs.bodies(DLQ)
                .into_iter()
                .chain(sqs.bodies(SOURCE))
                .collect::<BTreeSet<_>>()
        };
        let arguments = ["dlq", "redrive", &url, "--cause", "around", "--rate", "1000", "--yes"];
        let said = sqs.types(&arguments).await;
        assert!(all.is_subset(&everywhere()), "{operation}: {}", told(&said));
        sqs.time_passes();
        let said = sqs.types(&arguments).await;
        assert_eq!(said.0, 0, "{operation}: {}", told(&said));
        assert_eq!(sqs.bodies(DLQ), ["<html>"], "{operation}");
        assert!(sqs.lost().is_empty(), "{operation}: deleted before it was sent");
        assert_eq!(
            sqs.bodies(SOURCE).into_iter().collect::<BTreeSet<_>>(),
            all,
            "{operation}"
        );
    }
}

#[tokio::test]
async fn a_run_that_is_killed_is_taken_up_again() {
    let sqs = Sqs::new().await;
    sqs.ends_in(SOURCE, DLQ);
    let all: BTreeSet<String> = (0..40)
        .map(|number| {
            let body = format!("{}{}", event("feedback/delivery"), " ".repeat(number));
            sqs.put(DLQ, &body, Value::Null);
            body
        })
        .collect();
    let url = sqs.url(DLQ);
    let mut child = sqs.starts(&["dlq", "redrive", &url, "--rate", "1", "--yes"]);
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(25)).await;
        if !sqs.bodies(SOURCE).is_empty() {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let sent = sqs.bodies(SOURCE).len();
    assert_eq!(sent, 10, "the rate holds the second batch back");
    let left: BTreeSet<String> = sqs.bodies(DLQ).into_iter().chain(sqs.bodies(SOURCE)).collect();
    assert_eq!(left, all);
    sqs.time_passes();
    let said = sqs.types(&["dlq", "redrive", &url, "--rate", "1000", "--yes"]).await;
    assert_eq!((said.0, sqs.bodies(DLQ).len()), (0, 0), "{}", told(&said));
    assert_eq!(sqs.bodies(SOURCE).into_iter().collect::<BTreeSet<_>>(), all);
}

#[tokio::test]
async fn what_the_queue_refuses_stays() {
    let sqs = feedback().await;
    sqs.refuses("<html>");
    let url = sqs.url(DLQ);
    let said = sqs.types(&["dlq", "redrive", &url, "--rate", "1000", "--yes"]).await;
    assert_eq!(said.0, 1);
    assert!(said.1.contains("which stays: InvalidMessageContents: no"), "{}", said.1);
    assert_eq!(
        (sqs.bodies(DLQ), sqs.bodies(SOURCE).len()),
        (vec!["<html>".to_owned()], 4)
    );
    assert!(!sqs.is_holding(DLQ));
}

#[tokio::test]
async fn every_queue_is_understood() {
    let sqs = Sqs::new().await;
    let delivery = json!({
        "postroom": "delivery", "target": "topic:arn:aws:sns:us-east-1:222233334444:bounces", "key": "0100-abc",
        "reason": "route shop", "attributes": {}, "body": "{}",
    })
    .to_string();
    let reason = json!({"reason": {"DataType": "String", "StringValue": "AuthorizationError: not you"}});
    let mirror = json!({
        "action": "put", "address": "jane@example.net", "scope": "global", "reason": "BOUNCE",
        "at": "2026-03-02T08:15:32.000Z", "id": "010f0194-000000",
    })
    .to_string();
    sqs.put("DeliverDeadLetterQueue", &delivery, reason);
    sqs.put("DeliverDeadLetterQueue", &delivery, Value::Null);
    sqs.put("DeliverDeadLetterQueue", "{}", Value::Null);
    sqs.put("MirrorDeadLetterQueue", &mirror, Value::Null);
    sqs.put("MirrorDeadLetterQueue", &delivery, Value::Null);
    sqs.put(
        "RouterDeadLetterQueue",
        &event("delegate-router/delegate-bounce"),
        Value::Null,
    );
    sqs.put("InboundDeadLetterQueue", &received(), Value::Null);
    sqs.put("InboundDeadLetterQueue", &event("feedback/delivery"), Value::Null);
    for body in [&delivery, &mirror, &received(), &event("feedback/delivery")] {
        sqs.put("renamed", body, Value::Null);
    }
    let mut text = String::new();
    for queue in [
        "DeliverDeadLetterQueue",
        "MirrorDeadLetterQueue",
        "RouterDeadLetterQueue",
        "InboundDeadLetterQueue",
        "renamed",
    ] {
        let said = sqs.types(&["dlq", "explain", &sqs.url(queue)]).await;
        text.push_str(&format!("# {queue}\n{}\n\n", told(&said)));
    }
    insta::assert_snapshot!("dlq_functions", text);
    let said = sqs.types(&["dlq", "redrive", &sqs.url("renamed")]).await;
    assert_eq!(said.0, 2);
    assert!(said.2.contains("--to names the queue to send to"), "{}", said.2);
    let empty = sqs.types(&["dlq", "list", &sqs.url("empty")]).await;
    assert_eq!((empty.0, empty.1.as_str()), (0, "empty\n  empty\n"));
}
