//! SQS, SNS and EventBridge: they record what they receive.

use std::collections::{HashMap, VecDeque};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use fastrand::Rng;
use serde_json::{Value, json};

use super::response::{response, xml_error};

/// The delivery queue of the router.
pub const DELIVERY_QUEUE_URL: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/postroom-delivery";
/// The dead-letter queue of the delivery queue.
pub const DELIVERY_DEAD_LETTER_QUEUE_URL: &str =
    "https://sqs.us-east-1.amazonaws.com/111122223333/postroom-delivery-dlq";
/// The inbound queue: received mail that was not finished.
pub const INBOUND_QUEUE_URL: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/postroom-inbound";
/// The topic for alerts of the reputation monitor.
pub const ALARM_TOPIC_ARN: &str = "arn:aws:sns:us-east-1:111122223333:postroom-alarms";
/// The topic for notifications that no route matches.
pub const UNROUTED_TOPIC_ARN: &str = "arn:aws:sns:us-east-1:111122223333:postroom-unrouted";

/// A message that a target received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedMessage {
    /// Topic ARN, queue URL or event bus.
    pub target: String,
    /// The notification or the delivery.
    pub body: String,
    /// The attribute `idempotencyKey`, or `alertId` of an alert.
    pub idempotency_key: String,
    /// The attribute `reason` of a dead letter.
    pub reason: String,
}

/// Everything that queues, topics and event buses received.
#[derive(Debug, Default)]
pub(super) struct Targets {
    /// Bodies in the delivery queue that no invocation received yet.
    pub(super) enqueued: VecDeque<String>,
    /// Bodies that were sent to the inbound queue, each with its delay in seconds.
    pub(super) handed_over: Vec<(String, i64)>,
    /// Messages of targets, of the delivery dead-letter queue and of the unrouted topic.
    pub(super) received: Vec<ReceivedMessage>,
}

impl Targets {
    pub(super) fn send_message_batch(&mut self, body: &Value, partially: bool, rng: &mut Rng) -> HttpResponse {
        assert_eq!(body["QueueUrl"], DELIVERY_QUEUE_URL);
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in body["Entries"].as_array().into_iter().flatten() {
            if partially && rng.bool() {
                failed.push(json!({"Id": entry["Id"], "SenderFault": false, "Code": "InternalError"}));
                continue;
            }
            self.enqueued
                .push_back(entry["MessageBody"].as_str().unwrap_or_default().to_owned());
            successful.push(json!({"Id": entry["Id"], "MessageId": "1", "MD5OfMessageBody": "-"}));
        }
        response(200, json!({"Successful": successful, "Failed": failed}).to_string())
    }

    pub(super) fn send_message(&mut self, body: &Value) -> HttpResponse {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if body["QueueUrl"] == INBOUND_QUEUE_URL {
            let delay = body["DelaySeconds"].as_i64().unwrap_or_default();
            self.handed_over.push((text(&body["MessageBody"]), delay));
        } else {
            self.received.push(ReceivedMessage {
                target: text(&body["QueueUrl"]),
                body: text(&body["MessageBody"]),
                idempotency_key: text(&body["MessageAttributes"]["idempotencyKey"]["StringValue"]),
                reason: text(&body["MessageAttributes"]["reason"]["StringValue"]),
            });
        }
        response(200, json!({"MessageId": "1", "MD5OfMessageBody": "-"}).to_string())
    }

    pub(super) fn put_events(&mut self, body: &Value, partially: bool) -> HttpResponse {
        if partially {
            let entry = json!({"ErrorCode": "InternalFailure", "ErrorMessage": "try again"});
            return response(200, json!({"FailedEntryCount": 1, "Entries": [entry]}).to_string());
        }
        let entry = &body["Entries"][0];
        let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap_or_default()).expect("a detail");
        self.received.push(ReceivedMessage {
            target: entry["EventBusName"].as_str().unwrap_or_default().to_owned(),
            body: detail["notification"].to_string(),
            idempotency_key: detail["idempotencyKey"].as_str().unwrap_or_default().to_owned(),
            reason: String::new(),
        });
        response(
            200,
            json!({"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}).to_string(),
        )
    }

    /// SNS `Publish`. A topic named `gone` does not exist.
    pub(super) fn publish(&mut self, body: &[u8]) -> HttpResponse {
        let fields: HashMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
        let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
        assert_eq!(field("Action"), "Publish");
        if field("TopicArn").ends_with(":gone") {
            return xml_error("NotFound", 404);
        }
        let names = ["idempotencyKey", "alertId"];
        let key = (1..20)
            .find(|number| names.contains(&field(&format!("MessageAttributes.entry.{number}.Name")).as_str()))
            .map(|number| field(&format!("MessageAttributes.entry.{number}.Value.StringValue")));
        self.received.push(ReceivedMessage {
            target: field("TopicArn"),
            body: field("Message"),
            idempotency_key: key.unwrap_or_default(),
            reason: String::new(),
        });
        let xml = r#"<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"#;
        response(200, xml.to_owned())
    }
}
