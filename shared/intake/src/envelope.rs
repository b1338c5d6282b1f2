//! From one entry of an event to a record: each sender's envelope comes off here.

use serde_json::Value;

use crate::error::{BadRecord, ShapeError};
use crate::record::{Provenance, Record, RecordKind, Via};
use crate::wire;

/// The outer error is for a record that could not be reported if it failed.
pub(crate) fn from_sqs(entry: &Value, path: &str) -> Result<Result<Record, BadRecord>, ShapeError> {
    let wire::SqsRecordId { message_id } = wire::read(entry, path)?;
    if message_id.is_empty() {
        // Lambda takes an empty itemIdentifier for a failure of the whole batch.
        return Err(ShapeError::new(format!("{path}.messageId"), "expected a message id"));
    }
    Ok(sqs_record(entry, path, &message_id).map_err(|error| BadRecord { id: message_id, error }))
}

pub(crate) fn from_sns(entry: &Value, path: &str) -> Result<Record, BadRecord> {
    let bad = |error| BadRecord {
        id: path.to_owned(),
        error,
    };
    let wire::SnsRecord { sns } = wire::read(entry, path).map_err(bad)?;
    let path = format!("{path}.Sns");
    let record = sns_record(&sns, &path, Via::Sns).map_err(bad)?;
    match &record.provenance.sns_message_id {
        Some(id) => Ok(Record {
            id: id.clone(),
            ..record
        }),
        None => Err(bad(ShapeError::new(path, "missing field `MessageId`"))),
    }
}

pub(crate) fn from_receipt_rule(entry: &Value, path: &str) -> Result<Record, BadRecord> {
    let bad = |error| BadRecord {
        id: path.to_owned(),
        error,
    };
    let wire::SesRecord { ses } = wire::read(entry, path).map_err(bad)?;
    let wire::SesObject { mail } = wire::read(&ses, &format!("{path}.ses")).map_err(bad)?;
    Ok(Record {
        id: mail.message_id,
        kind: RecordKind::Notification,
        payload: ses.to_string(),
        provenance: Provenance::new(Via::ReceiptRule),
    })
}

/// None if it is no EventBridge event.
pub(crate) fn from_event_bridge(event: &Value) -> Option<Result<Record, ShapeError>> {
    let detail = event_bridge_detail(event)?;
    Some(wire::read(event, "$").map(|wire::EventBridgeId { id }| Record {
        id,
        kind: RecordKind::Notification,
        payload: detail.to_string(),
        provenance: Provenance::new(Via::EventBridge),
    }))
}

fn sqs_record(entry: &Value, path: &str, message_id: &str) -> Result<Record, ShapeError> {
    let wire::SqsRecord {
        body,
        event_source_arn,
        attributes,
    } = wire::read(entry, path)?;
    let record = sqs_body(body, &format!("{path}.body"))?;
    Ok(Record {
        id: message_id.to_owned(),
        provenance: Provenance {
            queue_arn: event_source_arn,
            receive_count: attributes
                .and_then(|attributes| attributes.approximate_receive_count)
                .and_then(|count| count.parse().ok()),
            ..record.provenance
        },
        ..record
    })
}

/// The record in an SQS body, its id still to be set.
fn sqs_body(body: String, path: &str) -> Result<Record, ShapeError> {
    // Plain text is legal, but none begins like this: it is an envelope or an SES message that got cut.
    let value = match serde_json::from_str::<Value>(&body) {
        Err(error) if body.trim_start().starts_with('{') => {
            let problem = format!(
                "expected valid JSON, broken at line {} column {}",
                error.line(),
                error.column()
            );
            return Err(ShapeError::new(path, problem));
        }
        parsed => parsed.unwrap_or_default(),
    };
    if let Some(event) = failed_invocation(&value) {
        return record_of_failed(event, &format!("{path}.requestPayload"));
    }
    if is_sns_message(&value) {
        return sns_record(&value, path, Via::SqsFromSns);
    }
    let (via, payload) = match event_bridge_detail(&value) {
        Some(detail) => (Via::SqsFromEventBridge, detail.to_string()),
        None => (Via::SqsRaw, body),
    };
    Ok(Record {
        id: String::new(),
        kind: RecordKind::Notification,
        payload,
        provenance: Provenance::new(via),
    })
}

/// The event in what Lambda writes of an asynchronous invocation it gave up on; its destination is a queue, and from there
/// it comes back: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>.
fn failed_invocation(body: &Value) -> Option<&Value> {
    body.get("requestContext")?.get("functionArn")?;
    body.get("requestPayload")
}

/// Whoever invokes asynchronously sends one record at a time. Its provenance is as it was: a mail came by a receipt rule.
fn record_of_failed(event: &Value, path: &str) -> Result<Record, ShapeError> {
    let entry = match event.get("Records").and_then(Value::as_array).map(Vec::as_slice) {
        Some([entry]) => entry,
        _ => return Err(ShapeError::new(format!("{path}.Records"), "expected one record")),
    };
    let path = format!("{path}.Records[0]");
    let record = match (entry.get("Sns"), entry.get("ses")) {
        (Some(_), _) => from_sns(entry, &path),
        (None, Some(_)) => from_receipt_rule(entry, &path),
        (None, None) => return Err(ShapeError::new(path, "expected `Sns` or `ses`")),
    };
    record.map_err(|bad| bad.error)
}

/// The record in an SNS message, its id still to be set.
fn sns_record(sns: &Value, path: &str, via: Via) -> Result<Record, ShapeError> {
    let message: wire::SnsMessage = wire::read(sns, path)?;
    let kind = message
        .r#type
        .as_deref()
        .and_then(record_kind)
        .unwrap_or(RecordKind::Notification);
    let payload = match kind {
        RecordKind::Notification => message.message,
        RecordKind::SubscriptionConfirmation | RecordKind::UnsubscribeConfirmation => sns.to_string(),
    };
    let provenance = Provenance {
        topic_arn: message.topic_arn,
        sns_message_id: message.message_id,
        sns_timestamp: message.timestamp,
        ..Provenance::new(via)
    };
    Ok(Record {
        id: String::new(),
        kind,
        payload,
        provenance,
    })
}

fn is_sns_message(body: &Value) -> bool {
    let known_type = body.get("Type").and_then(Value::as_str).and_then(record_kind);
    known_type.is_some() && body.get("TopicArn").is_some()
}

fn record_kind(sns_type: &str) -> Option<RecordKind> {
    match sns_type {
        "Notification" => Some(RecordKind::Notification),
        "SubscriptionConfirmation" => Some(RecordKind::SubscriptionConfirmation),
        "UnsubscribeConfirmation" => Some(RecordKind::UnsubscribeConfirmation),
        _ => None,
    }
}

fn event_bridge_detail(event: &Value) -> Option<&Value> {
    event.get("source")?;
    event.get("detail-type")?;
    event.get("detail")
}
