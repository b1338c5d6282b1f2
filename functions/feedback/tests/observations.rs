//! What records show about SES's settings: last notifications, and proofs of topics.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod support;

use jiff::Timestamp;
use lambda_kit::Metrics;
use serde_json::{Value, json};
use store::{ProofSubject, SesResource, TopicProof};
use support::Stack;

const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:feedback";
const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:queue";
const PUBLISHED: &str = "2026-03-02T08:21:00Z";

fn now() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

fn shop() -> SesResource {
    "111122223333/identity/shop.example".parse().unwrap()
}

/// The SQS body of an SNS message.
fn through_sns(message: &str, published: &str) -> String {
    let envelope = json!({"Type": "Notification", "MessageId": "id", "TopicArn": TOPIC, "Message": message, "Timestamp": published});
    envelope.to_string()
}

async fn handle(stack: &Stack, bodies: &[String]) {
    let record = |(index, body): (usize, &String)| json!({"eventSource": "aws:sqs", "messageId": index.to_string(), "eventSourceARN": QUEUE, "body": body});
    let event = json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<Value>>()});
    let response = feedback::handle(&event, &stack.effects, &mut Metrics::default(), now()).await;
    assert_eq!(
        serde_json::to_value(response.unwrap()).unwrap(),
        json!({"batchItemFailures": []})
    );
}

fn subscribed(topic: &str, kind: &str) -> String {
    let text = format!(
        "You have successfully subscribed your Amazon SNS topic '{topic}' to receive '{kind}' notifications from Amazon SES \
         for identity 'Shop.Example'."
    );
    json!({"notificationType": "AmazonSnsSubscriptionSucceeded", "message": text}).to_string()
}

fn send(tags: &Value, source_arn: Option<&str>) -> String {
    let mut mail = json!({
        "timestamp": "2026-03-02T08:20:00Z", "messageId": "m1", "destination": ["jane@example.net"],
        "source": "news@shop.example", "sendingAccountId": "444455556666", "tags": tags,
    });
    if let Some(arn) = source_arn {
        mail.as_object_mut().unwrap().insert("sourceArn".to_owned(), json!(arn));
    }
    json!({"eventType": "Send", "send": {}, "mail": mail}).to_string()
}

#[tokio::test]
async fn an_event_shows_that_its_identity_and_its_configuration_set_report() {
    let stack = Stack::new().await;
    let tags = json!({"ses:configuration-set": ["campaigns"]});
    let arn = "arn:aws:ses:us-east-1:111122223333:identity/shop.example";
    handle(&stack, &[through_sns(&send(&tags, Some(arn)), PUBLISHED)]).await;
    // Without identity and configuration set nothing is known to report.
    handle(&stack, &[through_sns(&send(&json!({}), None), PUBLISHED)]).await;
    let all = stack.effects.store.all_last_notifications().await.unwrap();
    let expected: Timestamp = "2026-03-02T08:20:00Z".parse().unwrap();
    let set = "444455556666/configuration-set/campaigns".parse().unwrap();
    assert_eq!(all.keys().collect::<Vec<_>>(), [&shop(), &set]);
    for last in all.values() {
        assert_eq!(last.events.get("Send"), Some(&expected));
        assert!(last.notifications.is_empty());
    }
}

#[tokio::test]
async fn a_publication_time_in_the_future_is_not_believed() {
    let stack = Stack::new().await;
    let arn = "arn:aws:ses:us-east-1:111122223333:identity/shop.example";
    handle(
        &stack,
        &[through_sns(&send(&json!({}), Some(arn)), "2030-01-01T00:00:00Z")],
    )
    .await;
    let all = stack.effects.store.all_last_notifications().await.unwrap();
    assert_eq!(all.get(&shop()).unwrap().last("Send"), Some(now()));
}

#[tokio::test]
async fn the_test_message_of_ses_is_recorded_as_proof() {
    let stack = Stack::new().await;
    let of_bounces = ProofSubject::Notification {
        identity: "shop.example".into(),
        notification_type: "Bounce".to_owned(),
    };
    let validated = "Successfully validated SNS topic for Amazon SES event publishing.\n";
    handle(
        &stack,
        &[
            through_sns(&subscribed(TOPIC, "Bounce"), PUBLISHED),
            // Again, and with a word that cannot be read.
            through_sns(&subscribed(TOPIC, "Bounce"), PUBLISHED),
            through_sns(
                r#"{"notificationType":"AmazonSnsSubscriptionSucceeded","message":"..."}"#,
                PUBLISHED,
            ),
            through_sns(r#"{"notificationType":"AmazonSnsSubscriptionSucceeded"}"#, PUBLISHED),
            through_sns(validated, PUBLISHED),
            // Raw message delivery: the topic is the one that SES names, or else only the queue is known.
            subscribed("arn:aws:sns:us-east-1:111122223333:raw", "Bounce"),
            validated.to_owned(),
        ],
    )
    .await;
    let store = &stack.effects.store;
    let at: Timestamp = PUBLISHED.parse().unwrap();
    let proof = |topic: &str, subject: &ProofSubject, at| TopicProof {
        topic_arn: topic.to_owned(),
        subject: subject.clone(),
        at,
    };
    assert_eq!(
        store.topic_proofs(TOPIC).await.unwrap(),
        [
            proof(TOPIC, &ProofSubject::EventDestination, at),
            proof(TOPIC, &of_bounces, at)
        ]
    );
    let raw = "arn:aws:sns:us-east-1:111122223333:raw";
    assert_eq!(store.topic_proofs(raw).await.unwrap(), [proof(raw, &of_bounces, now())]);
    assert_eq!(
        store.topic_proofs(QUEUE).await.unwrap(),
        [proof(QUEUE, &ProofSubject::EventDestination, now())]
    );
}
