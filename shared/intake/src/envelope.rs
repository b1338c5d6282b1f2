//! Reads a record from an entry of an event by removing the envelope of the source.

use jiff::Timestamp;
use serde_json::Value;

use crate::error::{BadRecord, ShapeError};
use crate::record::{Provenance, Record, RecordKind, Via};
use crate::wire;

/// The outer error is for a record without an id, whose failure could not be reported.
pub(crate) fn from_sqs(entry: &Value, path: &str) -> Result<Result<Record, BadRecord>, ShapeError> {
    let wire::SqsRecordId { message_id } = wire::read(entry, path)?;
    if message_id.is_empty() {
        // Lambda treats an empty itemIdentifier as a failure of the whole batch.
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
        ..bare(Via::ReceiptRule, ses.to_string())
    })
}

/// Reads an event that is the `ses` object of a receipt-rule event, without its envelope. Returns `None` if the event has no
/// `mail` and `receipt`.
pub(crate) fn from_bare_mail(event: &Value) -> Option<Result<Record, BadRecord>> {
    if !(event.get("mail")?.is_object() && event.get("receipt")?.is_object()) {
        return None;
    }
    let record = wire::read(event, "$").map(|wire::SesObject { mail }| Record {
        id: mail.message_id,
        ..bare(Via::ReceiptRule, event.to_string())
    });
    Some(record.map_err(|error| BadRecord {
        id: "$".to_owned(),
        error,
    }))
}

/// Returns `None` if the event is not an EventBridge event.
pub(crate) fn from_event_bridge(event: &Value) -> Option<Result<Record, ShapeError>> {
    let record = event_bridge_record(event, Via::EventBridge)?;
    Some(wire::read(event, "$").map(|wire::EventBridgeId { id }| Record { id, ..record }))
}

fn sqs_record(entry: &Value, path: &str, message_id: &str) -> Result<Record, ShapeError> {
    let wire::SqsRecord { body } = wire::read(entry, path)?;
    let record = match sqs_body_fast(&body) {
        Some(record) => record,
        None => sqs_body(&body, &format!("{path}.body"))?,
    };
    let attribute = |name: &str| entry.get("attributes")?.get(name)?.as_str();
    let sent_at = || Timestamp::from_millisecond(attribute("SentTimestamp")?.parse().ok()?).ok();
    Ok(Record {
        id: message_id.to_owned(),
        provenance: Provenance {
            queue_arn: entry.get("eventSourceARN").and_then(Value::as_str).map(str::to_owned),
            receive_count: attribute("ApproximateReceiveCount").and_then(|count| count.parse().ok()),
            published_at: record.provenance.published_at.or_else(sent_at),
            ..record.provenance
        },
        ..record
    })
}

/// Fast path of [`sqs_body`] for nearly all bodies. Returns `None` if the full parse is needed.
fn sqs_body_fast(body: &str) -> Option<Record> {
    // serde would read an array as the fields in their order.
    if !body.trim_start().starts_with('{') {
        return None;
    }
    let parsed: wire::SqsBody = serde_json::from_str(body).ok()?;
    if parsed.has_detail || parsed.has_request_payload {
        return None;
    }
    let Some(sns_type) = parsed.r#type else {
        return Some(bare(Via::SqsRaw, body.to_owned()));
    };
    if record_kind(&sns_type)? != RecordKind::Notification {
        return None;
    }
    let message = parsed.message?;
    if may_be_event_bridge(&message) {
        return None;
    }
    let mut record = bare(Via::SqsFromSns, message);
    record.provenance.topic_arn = Some(parsed.topic_arn?);
    record.provenance.sns_message_id = parsed.message_id;
    record.provenance.published_at = parsed.timestamp.and_then(|text| text.parse().ok());
    Some(record)
}

/// Returns the record in an SQS body, without its id.
fn sqs_body(body: &str, path: &str) -> Result<Record, ShapeError> {
    // Plain text is accepted, but a text that starts with a brace is a truncated envelope or SES message.
    let value = match serde_json::from_str::<Value>(body) {
        Err(error) if body.trim_start().starts_with('{') => {
            let problem = format!(
                "expected valid JSON, invalid at line {} column {}",
                error.line(),
                error.column()
            );
            return Err(ShapeError::new(path, problem));
        }
        parsed => parsed.unwrap_or_default(),
    };
    if let Some(event) = failed_invocation(&value) {
        return failed_record(event, &format!("{path}.requestPayload"));
    }
    if is_sns_message(&value) {
        return sns_record(&value, path, Via::SqsFromSns);
    }
    let record = event_bridge_record(&value, Via::SqsFromEventBridge);
    Ok(record.unwrap_or_else(|| bare(Via::SqsRaw, body.to_owned())))
}

/// Returns a record with a message of SES, without its id.
fn bare(via: Via, payload: String) -> Record {
    Record {
        id: String::new(),
        kind: RecordKind::Notification,
        payload,
        provenance: Provenance::new(via),
    }
}

/// Returns the event in the record that Lambda sends to a failure destination after an asynchronous invocation failed:
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>.
fn failed_invocation(body: &Value) -> Option<&Value> {
    body.get("requestContext")?.get("functionArn")?;
    body.get("requestPayload")
}

/// Asynchronous invocations have one record. The provenance is that of the original event.
fn failed_record(event: &Value, path: &str) -> Result<Record, ShapeError> {
    if let Some(record) = event_bridge_record(event, Via::EventBridge) {
        return Ok(record);
    }
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

/// Returns the record in an SNS message, without its id.
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
    let is_notification = kind == RecordKind::Notification;
    let event_bridge = is_notification.then(|| event_bridge_message(&payload, via)).flatten();
    let mut record = event_bridge.unwrap_or_else(|| bare(via, payload));
    record.kind = kind;
    record.provenance.topic_arn = message.topic_arn;
    record.provenance.sns_message_id = message.message_id;
    record.provenance.published_at = record.provenance.published_at.or(message.timestamp);
    Ok(record)
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

/// Returns the record in an SNS message that is an EventBridge event: a rule with a topic as its target.
fn event_bridge_message(message: &str, via: Via) -> Option<Record> {
    if !may_be_event_bridge(message) {
        return None;
    }
    event_bridge_record(&serde_json::from_str(message).ok()?, via)
}

/// Returns whether a text contains the field that every EventBridge event has. Much faster than parsing it.
fn may_be_event_bridge(text: &str) -> bool {
    text.contains("\"detail-type\"")
}

/// Returns the record in an EventBridge event, without its id. Returns `None` if the value is not an EventBridge event.
fn event_bridge_record(event: &Value, via: Via) -> Option<Record> {
    let source = event.get("source")?;
    let detail_type = event.get("detail-type")?;
    let detail = event.get("detail")?;
    let is_about_mail =
        detail.get("mail").is_some() || detail_type.as_str().is_some_and(|name| name.starts_with("Email "));
    let message = if source == "aws.ses" && !is_about_mail {
        event
    } else {
        detail
    };
    let mut record = bare(via, message.to_string());
    record.provenance.published_at = event
        .get("time")
        .and_then(Value::as_str)
        .and_then(|time| time.parse().ok());
    Some(record)
}

#[cfg(test)]
mod tests {
    use super::{sqs_body, sqs_body_fast};
    use serde_json::{Value, json};

    fn bodies() -> Vec<Value> {
        let sns = json!({
            "Type": "Notification", "MessageId": "id", "TopicArn": "arn", "Subject": "mail", "Message": "{}",
            "Timestamp": "2026-01-27T14:59:38.237Z", "MessageAttributes": {"a": {"Type": "String", "Value": "b"}},
        });
        let event_bridge =
            json!({"id": "id", "source": "aws.ses", "detail-type": "Email Bounced", "detail": {"mail": {}}});
        let failed = json!({"requestContext": {"functionArn": "arn"}, "requestPayload": {"Records": []}});
        let raw = json!({"notificationType": "Bounce", "mail": {"messageId": "id"}});
        let service_event =
            json!({"id": "id", "source": "aws.ses", "detail-type": "Sending Status Disabled", "detail": {}});
        let mut through_sns = sns.clone();
        through_sns["Message"] = json!(event_bridge.to_string());
        let mut bodies = vec![
            json!(["Notification", "id", "arn", "{}", null]),
            json!("text"),
            json!(7),
        ];
        for body in [sns, through_sns, service_event, event_bridge, failed, raw] {
            for key in
                "Type MessageId TopicArn Message Timestamp source detail detail-type requestContext requestPayload"
                    .split(' ')
            {
                let mut removed = body.clone();
                removed.as_object_mut().unwrap().remove(key);
                bodies.push(removed);
                for value in [
                    json!(null),
                    json!(7),
                    json!("x"),
                    json!({"functionArn": 1}),
                    json!("SubscriptionConfirmation"),
                ] {
                    let mut changed = body.clone();
                    changed[key] = value;
                    bodies.push(changed);
                }
            }
            bodies.push(body);
        }
        bodies
    }

    #[test]
    fn the_fast_path_returns_the_same_record_as_the_full_parse() {
        let mut fast = 0;
        for body in bodies() {
            let text = body.to_string();
            let Some(record) = sqs_body_fast(&text) else {
                continue;
            };
            assert_eq!(record, sqs_body(&text, "body").unwrap(), "{text}");
            fast += 1;
        }
        assert!(fast > 70, "only {fast} bodies took the fast path");
        assert!(sqs_body_fast(&bodies().last().unwrap().to_string()).is_some());
    }
}
