//! `postroomctl dlq`: reading removes nothing, and a redrive loses nothing.
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

/// The body in the feedback queue: the SNS envelope.
fn event_body(name: &str) -> String {
    let text = std::fs::read_to_string(format!("../../events/{name}.json")).unwrap();
    let event: Value = serde_json::from_str(&text).unwrap();
    event["Records"][0]["body"].as_str().unwrap().to_owned()
}

fn inbound_body() -> String {
    std::fs::read_to_string("../../shared/notification-model/tests/data/inbound-s3.json").unwrap()
}

/// A dead-letter queue of the feedback function with valid, invalid and misplaced messages.
async fn feedback_queues() -> Sqs {
    let sqs = Sqs::new().await;
    sqs.set_dead_letter_queue(SOURCE, DLQ);
    sqs.put(DLQ, &event_body("feedback/bounce-permanent-general"), Value::Null);
    sqs.put(DLQ, &event_body("feedback/bad-recipients-not-a-list"), Value::Null);
    sqs.put(
        DLQ,
        &event_body("feedback/complaint-abuse"),
        json!({"trace": {"DataType": "String", "StringValue": "x"}}),
    );
    sqs.put(DLQ, &inbound_body(), Value::Null);
    sqs.put(DLQ, "<html>", Value::Null);
    sqs
}

#[tokio::test]
async fn list_explain_and_dry_run_remove_nothing() {
    let sqs = feedback_queues().await;
    let url = sqs.url(DLQ);
    let before = sqs.bodies(DLQ);
    let list = sqs.run(&["dlq", "list", &url]).await;
    // The age depends on the day.
    let (age, rest): (Vec<&str>, Vec<&str>) = list.stdout.lines().partition(|line| line.contains("oldest: "));
    assert!(age[0].starts_with("  oldest: sent "), "{age:?}");
    insta::assert_snapshot!("dlq_list", rest.join("\n"));
    insta::assert_snapshot!("dlq_explain", sqs.run(&["dlq", "explain", &url]).await.text());
    insta::assert_snapshot!("dlq_redrive_dry_run", sqs.run(&["dlq", "redrive", &url]).await.text());

    assert_eq!(sqs.bodies(DLQ), before);
    assert!(!sqs.has_messages_in_flight(DLQ));
    assert!(sqs.bodies(SOURCE).is_empty());
    let requests = sqs.requests();
    let writes = ["DeleteMessageBatch", "SendMessageBatch"];
    assert!(
        !requests.iter().any(|operation| writes.contains(&operation.as_str())),
        "{requests:?}"
    );
}

#[tokio::test]
async fn json_has_counts_by_cause_and_the_selected_messages() {
    let sqs = feedback_queues().await;
    let url = sqs.url(DLQ);
    let list = sqs.run(&["dlq", "list", &url, "--json"]).await.json();
    assert_eq!(
        list[0]["causes"],
        json!({"payload": 2, "wrong-queue": 1, "dependency": 2})
    );
    assert_eq!((&list[0]["messages"], &list[0]["read"]), (&json!(5), &json!(5)));
    let selected = sqs
        .run(&["dlq", "explain", &url, "--cause", "payload", "--json"])
        .await
        .json();
    assert_eq!(selected.as_array().map(Vec::len), Some(2));
    assert_eq!(
        (&selected[0]["id"], &selected[0]["cause"]),
        (&json!(format!("{DLQ}-1")), &json!("payload"))
    );
}

#[tokio::test]
async fn selected_messages_are_sent_back_unchanged() {
    let sqs = feedback_queues().await;
    let url = sqs.url(DLQ);
    let arguments = ["dlq", "redrive", &url, "--rate", "1000", "--yes"];
    let outcome = sqs.run(&[&arguments[..], &["--cause", "dependency"]].concat()).await;
    assert_eq!(
        outcome.text(),
        format!(
            "{DLQ}-0  dependency\n{DLQ}-2  dependency\n2 message(s) sent to \
             http://sqs/111122223333/{SOURCE}\nexit code 0"
        )
    );
    let messages = sqs.messages(SOURCE);
    let bodies: Vec<&str> = messages.iter().map(|message| message.body.as_str()).collect();
    assert_eq!(
        bodies,
        [
            event_body("feedback/bounce-permanent-general"),
            event_body("feedback/complaint-abuse")
        ]
    );
    assert_eq!(messages[1].attributes["trace"]["StringValue"], "x");
    assert_eq!(sqs.bodies(DLQ).len(), 3);
    assert!(!sqs.has_messages_in_flight(DLQ));

    let inbound_queue = "postroom-InboundQueue-A1";
    let (id, to) = (format!("{DLQ}-3"), sqs.url(inbound_queue));
    let outcome = sqs.run(&[&arguments[..], &["--id", &id, "--to", &to]].concat()).await;
    assert_eq!(outcome.exit_code, 0, "{}", outcome.stderr);
    assert_eq!(sqs.bodies(inbound_queue), [inbound_body()]);

    let rest = sqs.run(&[&arguments[..], &["--json"]].concat()).await.json();
    assert_eq!(rest["moved"].as_array().map(Vec::len), Some(2));
    assert!(sqs.bodies(DLQ).is_empty());
    let nothing_left = sqs.run(&["dlq", "redrive", &url]).await;
    assert_eq!(nothing_left.exit_code, 0);
}

#[tokio::test]
async fn a_redrive_without_a_response_loses_nothing() {
    for operation in [
        "SendMessageBatch",
        "DeleteMessageBatch",
        "ReceiveMessage",
        "ChangeMessageVisibilityBatch",
    ] {
        let sqs = Sqs::new().await;
        sqs.set_dead_letter_queue(SOURCE, DLQ);
        let body = event_body("feedback/bounce-permanent-general");
        let all: BTreeSet<String> = (0..25).map(|number| format!("{body}{}", " ".repeat(number))).collect();
        for body in &all {
            sqs.put(DLQ, body, Value::Null);
        }
        sqs.put(DLQ, "<html>", Value::Null);
        sqs.drop_response_to(operation);
        let url = sqs.url(DLQ);
        let arguments = [
            "dlq",
            "redrive",
            &url,
            "--cause",
            "dependency",
            "--rate",
            "1000",
            "--yes",
        ];
        let first = sqs.run(&arguments).await;
        let in_both: BTreeSet<String> = sqs.bodies(DLQ).into_iter().chain(sqs.bodies(SOURCE)).collect();
        assert!(all.is_subset(&in_both), "{operation}: {}", first.text());

        sqs.expire_visibility_timeouts();
        let second = sqs.run(&arguments).await;
        assert_eq!(second.exit_code, 0, "{operation}: {}", second.text());
        assert_eq!(sqs.bodies(DLQ), ["<html>"], "{operation}");
        assert!(sqs.lost().is_empty(), "{operation}: deleted before it was sent");
        let sent: BTreeSet<String> = sqs.bodies(SOURCE).into_iter().collect();
        assert_eq!(sent, all, "{operation}");
    }
}

#[tokio::test]
async fn a_killed_redrive_can_be_run_again() {
    let sqs = Sqs::new().await;
    sqs.set_dead_letter_queue(SOURCE, DLQ);
    let body = event_body("feedback/delivery");
    let all: BTreeSet<String> = (0..40).map(|number| format!("{body}{}", " ".repeat(number))).collect();
    for body in &all {
        sqs.put(DLQ, body, Value::Null);
    }
    let url = sqs.url(DLQ);
    let mut child = sqs.start(&["dlq", "redrive", &url, "--rate", "1", "--yes"]);
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(25)).await;
        if !sqs.bodies(SOURCE).is_empty() {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(sqs.bodies(SOURCE).len(), 10, "the rate delays the second batch");
    let in_both: BTreeSet<String> = sqs.bodies(DLQ).into_iter().chain(sqs.bodies(SOURCE)).collect();
    assert_eq!(in_both, all);

    sqs.expire_visibility_timeouts();
    let outcome = sqs.run(&["dlq", "redrive", &url, "--rate", "1000", "--yes"]).await;
    assert_eq!((outcome.exit_code, sqs.bodies(DLQ).len()), (0, 0), "{}", outcome.text());
    let sent: BTreeSet<String> = sqs.bodies(SOURCE).into_iter().collect();
    assert_eq!(sent, all);
}

#[tokio::test]
async fn a_message_that_the_source_queue_rejects_stays() {
    let sqs = feedback_queues().await;
    sqs.reject("<html>");
    let url = sqs.url(DLQ);
    let outcome = sqs.run(&["dlq", "redrive", &url, "--rate", "1000", "--yes"]).await;
    assert_eq!(outcome.exit_code, 1);
    assert!(
        outcome
            .stdout
            .contains("which stays in the dead-letter queue: InvalidMessageContents: no"),
        "{}",
        outcome.stdout
    );
    assert_eq!(
        (sqs.bodies(DLQ), sqs.bodies(SOURCE).len()),
        (vec!["<html>".to_owned()], 4)
    );
    assert!(!sqs.has_messages_in_flight(DLQ));
}

#[tokio::test]
async fn messages_of_every_function_are_diagnosed() {
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
    sqs.put("DeliveryDeadLetterQueue", &delivery, reason);
    sqs.put("DeliveryDeadLetterQueue", &delivery, Value::Null);
    sqs.put("DeliveryDeadLetterQueue", "{}", Value::Null);
    let digest =
        json!({"postroom": "rejected-digest", "address": "ops@shop.example", "window": "2026-03-02T08:00:00.000Z"});
    let rejected = json!({"reason": {"DataType": "String", "StringValue": "MessageRejected: address is not verified"}});
    sqs.put("DeliveryDeadLetterQueue", &digest.to_string(), rejected);
    let alert = event_body("delegate-router/alert");
    sqs.put("DeliveryDeadLetterQueue", &alert, Value::Null);
    sqs.put("MirrorDeadLetterQueue", &mirror, Value::Null);
    sqs.put("MirrorDeadLetterQueue", &delivery, Value::Null);
    sqs.put(
        "RouterDeadLetterQueue",
        &event_body("delegate-router/delegate-bounce"),
        Value::Null,
    );
    sqs.put("InboundDeadLetterQueue", &inbound_body(), Value::Null);
    sqs.put("InboundDeadLetterQueue", &event_body("feedback/delivery"), Value::Null);
    let unreadable = json!({"reason": "stream record: expected a time", "sequenceNumber": "111"}).to_string();
    let not_accepted = json!({
        "requestContext": {"condition": "RetryAttemptsExhausted"},
        "DDBStreamBatchInfo": {"startSequenceNumber": "111", "endSequenceNumber": "120", "batchSize": 3},
    });
    for body in [unreadable.as_str(), &not_accepted.to_string(), "{}"] {
        sqs.put("SuppressionChangesDeadLetterQueue", body, Value::Null);
    }
    let other_name = "dead-letters";
    for body in [
        &delivery,
        &mirror,
        &unreadable,
        &inbound_body(),
        &event_body("feedback/delivery"),
    ] {
        sqs.put(other_name, body, Value::Null);
    }
    let mut text = String::new();
    for queue in [
        "DeliveryDeadLetterQueue",
        "MirrorDeadLetterQueue",
        "RouterDeadLetterQueue",
        "InboundDeadLetterQueue",
        "SuppressionChangesDeadLetterQueue",
        other_name,
    ] {
        let outcome = sqs.run(&["dlq", "explain", &sqs.url(queue)]).await;
        text.push_str(&format!("# {queue}\n{}\n\n", outcome.text()));
    }
    insta::assert_snapshot!("dlq_functions", text);
}

#[tokio::test]
async fn a_redrive_requires_a_target_queue() {
    let sqs = Sqs::new().await;
    let url = sqs.url("dead-letters");
    let outcome = sqs.run(&["dlq", "redrive", &url]).await;
    assert_eq!(outcome.exit_code, 2);
    assert!(
        outcome.stderr.contains("name the queue to send to with --to"),
        "{}",
        outcome.stderr
    );
    let same = sqs.run(&["dlq", "redrive", &url, "--to", &url]).await;
    assert_eq!(same.exit_code, 2);
    for queue in ["one", "two"] {
        sqs.set_dead_letter_queue(queue, "dead-letters");
    }
    let several = sqs.run(&["dlq", "redrive", &url]).await;
    assert!(several.stderr.contains("several queues have"), "{}", several.stderr);
}

#[tokio::test]
async fn an_empty_queue_is_listed() {
    let sqs = Sqs::new().await;
    let outcome = sqs.run(&["dlq", "list", &sqs.url("empty")]).await;
    assert_eq!(outcome.text(), "empty\n  empty\nexit code 0");
}
