//! Reads the [stream event](https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html) of Lambda.

use jiff::Timestamp;
use notification_model::EmailAddress;
use serde::Deserialize;
use serde_json::{Map, Value};
use store::Recipient;

/// A change of the row of a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChange {
    /// The normalised address.
    pub address: EmailAddress,
    /// The row before the change. `None`: it did not exist.
    pub old: Option<Recipient>,
    /// The row after the change. `None`: it was deleted.
    pub new: Option<Recipient>,
    /// When the row changed, in whole seconds, rounded down. The same in every retry.
    pub at: Timestamp,
    /// The sequence number of the record: digits that grow with each change of the row.
    pub sequence_number: String,
}

/// A record of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRecord {
    /// The sequence number, which the response names if the record fails.
    pub sequence_number: String,
    /// The change, or why the record cannot be read.
    pub change: Result<Box<RowChange>, UnreadableRecord>,
}

/// A record of the stream cannot be read. The message never quotes the record, which contains an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stream record: expected {expected}")]
pub struct UnreadableRecord {
    expected: &'static str,
}

/// An event is not one of a DynamoDB stream. Lambda then retries the whole event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected an event of a DynamoDB stream: `Records` with `eventSource` aws:dynamodb and `dynamodb.SequenceNumber`"
)]
pub struct UnknownEvent;

/// Returns the records of an event, oldest first.
///
/// # Errors
/// If the event is not one of a DynamoDB stream, or a record has no sequence number, so that its failure cannot be reported.
pub fn read(event: &Value) -> Result<Vec<StreamRecord>, UnknownEvent> {
    let records = event.get("Records").and_then(Value::as_array).ok_or(UnknownEvent)?;
    records.iter().map(read_record).collect()
}

fn read_record(record: &Value) -> Result<StreamRecord, UnknownEvent> {
    let source = record.get("eventSource").and_then(Value::as_str);
    let sequence_number = record.pointer("/dynamodb/SequenceNumber").and_then(Value::as_str);
    match (source, sequence_number) {
        (Some("aws:dynamodb"), Some(sequence_number)) => Ok(StreamRecord {
            sequence_number: sequence_number.to_owned(),
            change: read_change(record, sequence_number).map(Box::new),
        }),
        _ => Err(UnknownEvent),
    }
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wire {
    keys: Map<String, Value>,
    old_image: Option<Map<String, Value>>,
    new_image: Option<Map<String, Value>>,
    /// Seconds since the epoch.
    approximate_creation_date_time: f64,
}

fn read_change(record: &Value, sequence_number: &str) -> Result<RowChange, UnreadableRecord> {
    let unreadable = |expected| UnreadableRecord { expected };
    let wire = record.get("dynamodb").and_then(|wire| Wire::deserialize(wire).ok());
    let wire = wire.ok_or(unreadable("Keys, images and ApproximateCreationDateTime"))?;
    if wire.old_image.is_none() && wire.new_image.is_none() {
        return Err(unreadable("the view type NEW_AND_OLD_IMAGES"));
    }
    let seconds = wire.approximate_creation_date_time.floor() as i64;
    Ok(RowChange {
        address: Recipient::address_in_stream_keys(&wire.keys).ok_or(unreadable("the keys of a recipient"))?,
        old: wire.old_image.as_ref().map(Recipient::from_stream_image),
        new: wire.new_image.as_ref().map(Recipient::from_stream_image),
        at: Timestamp::from_second(seconds).map_err(|_| unreadable("a time"))?,
        sequence_number: sequence_number.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{UnknownEvent, read};

    fn record() -> Value {
        json!({
            "eventSource": "aws:dynamodb", "eventName": "INSERT",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_772_438_400.0, "SequenceNumber": "111", "SizeBytes": 1,
                "Keys": {"pk": {"S": "RECIPIENT#jane@example.net"}, "sk": {"S": "SUPPRESSION"}},
                "NewImage": {"createdAt": {"S": "2026-03-02T08:00:00.000Z"}},
            },
        })
    }

    #[test]
    fn a_record_has_the_address_the_images_and_the_time() {
        let records = read(&json!({"Records": [record()]})).unwrap();
        let change = records[0].change.as_ref().unwrap();
        assert_eq!(change.address.key(), "jane@example.net");
        assert_eq!(change.at, "2026-03-02T08:00:00Z".parse().unwrap());
        assert!(change.old.is_none() && change.new.is_some());
    }

    #[test]
    fn an_unreadable_record_says_what_was_expected_and_keeps_its_sequence_number() {
        let cases = [
            ("/dynamodb/Keys/sk", json!({"S": "EVENT#1"}), "the keys of a recipient"),
            (
                "/dynamodb/ApproximateCreationDateTime",
                json!("secret"),
                "Keys, images and ApproximateCreationDateTime",
            ),
            ("/dynamodb/ApproximateCreationDateTime", json!(1e300), "a time"),
            ("/dynamodb/NewImage", Value::Null, "the view type NEW_AND_OLD_IMAGES"),
        ];
        for (pointer, value, expected) in cases {
            let mut bad = record();
            *bad.pointer_mut(pointer).unwrap() = value;
            let records = read(&json!({"Records": [bad]})).unwrap();
            assert_eq!(records[0].sequence_number, "111");
            let error = records[0].change.as_ref().unwrap_err().to_string();
            assert_eq!(error, format!("stream record: expected {expected}"));
        }
    }

    #[test]
    fn other_events_are_errors() {
        let mut other = record();
        other["eventSource"] = json!("aws:sqs");
        let mut without_number = record();
        without_number["dynamodb"] = json!({});
        for event in [
            json!({}),
            json!({"Records": [other]}),
            json!({"Records": [without_number]}),
        ] {
            assert_eq!(read(&event), Err(UnknownEvent));
        }
    }
}
