//! The JSON of AWS, reduced to the fields that are needed, so that no other field can make a record unreadable.

use std::borrow::Cow;

use serde::de::{DeserializeOwned, Deserializer, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::ShapeError;

/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub(crate) struct SqsRecord<'a> {
    #[serde(borrow)]
    pub(crate) body: Cow<'a, str>,
}

/// Read separately, because a record without an id fails the whole batch.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub(crate) struct SqsRecordId {
    pub(crate) message_id: String,
}

/// An SQS body read in one pass without a tree of all fields: enough to recognise the envelope, and all fields of an SNS
/// envelope.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SqsBody {
    pub(crate) r#type: Option<String>,
    pub(crate) message_id: Option<String>,
    pub(crate) topic_arn: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) timestamp: Option<String>,
    /// Present in an EventBridge event.
    #[serde(rename = "detail", default, deserialize_with = "is_present")]
    pub(crate) has_detail: bool,
    /// Present in the record of a failed invocation.
    #[serde(rename = "requestPayload", default, deserialize_with = "is_present")]
    pub(crate) has_request_payload: bool,
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub(crate) struct SnsRecord {
    pub(crate) sns: Value,
}

/// The same in a Lambda event and in an SQS body, except for the spelling of fields that are not needed.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub(crate) struct SnsMessage {
    pub(crate) r#type: Option<String>,
    pub(crate) message_id: Option<String>,
    pub(crate) topic_arn: Option<String>,
    pub(crate) message: String,
    #[serde(default, deserialize_with = "or_none")]
    pub(crate) timestamp: Option<jiff::Timestamp>,
}

/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html>
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(crate) struct EventBridgeId {
    pub(crate) id: String,
}

/// <https://docs.aws.amazon.com/ses/latest/dg/receiving-email-action-lambda-event.html>
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(crate) struct SesRecord {
    pub(crate) ses: Value,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(crate) struct SesObject {
    pub(crate) mail: SesMail,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub(crate) struct SesMail {
    pub(crate) message_id: String,
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BatchItemFailures {
    pub(crate) batch_item_failures: Vec<BatchItemFailure>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BatchItemFailure {
    pub(crate) item_identifier: String,
}

/// Reads `value`, which is at `path` of the event.
pub(crate) fn read<'de, T: Deserialize<'de>>(value: &'de Value, path: &str) -> Result<T, ShapeError> {
    // Tracking the path is slow, so it is done only after a failure.
    T::deserialize(value)
        .or_else(|_| serde_path_to_error::deserialize(value))
        .map_err(|error| {
            let inner = error.path().to_string();
            let path = if inner == "." {
                path.to_owned()
            } else {
                format!("{path}.{inner}")
            };
            ShapeError::new(path, problem(error.inner()))
        })
}

/// Returns the message of serde without the value that it quotes.
fn problem(error: &serde_json::Error) -> String {
    let message = error.to_string();
    if message.starts_with("missing field") {
        return message;
    }
    match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None => "unreadable".to_owned(),
    }
}

/// Reads an optional value that must not fail the record.
fn or_none<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

fn is_present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}
