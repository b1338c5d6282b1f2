//! Every whole Lambda event in `tests/data`, as the records it holds. A new case is a new file.

use intake::{BadRecord, Batch, Record};
use serde_json::{Value, json};

#[test]
fn events() {
    insta::glob!("data/*.json", |path| {
        let event = std::fs::read(path).unwrap();
        let seen = match Batch::from_slice(&event) {
            Ok(batch) => json!({
                "via": batch.via().to_string(),
                "records": batch.records().iter().map(|it| it.as_ref().map_or_else(bad, good)).collect::<Vec<_>>(),
            }),
            Err(error) => json!({ "error": error.to_string() }),
        };
        insta::assert_json_snapshot!(seen);
    });
}

#[test]
fn bytes_that_are_not_json() {
    let error = Batch::from_slice(b"{\"Records\": [jane@example.com]}").unwrap_err();
    assert_eq!(error.to_string(), "event is not valid JSON at line 1 column 14");
}

#[test]
fn debug_withholds_the_payload() {
    let event = std::fs::read("tests/data/sqs_from_sns.json").unwrap();
    let shown = format!("{:?}", Batch::from_slice(&event).unwrap());
    assert!(shown.contains("payload_bytes"), "{shown}");
    assert!(!shown.contains("nobody@example.com"), "{shown}");
}

fn good(record: &Record) -> Value {
    let provenance = &record.provenance;
    json!({
        "id": record.id,
        "kind": record.kind.to_string(),
        "provenance": {
            "via": provenance.via.to_string(),
            "topic_arn": provenance.topic_arn,
            "queue_arn": provenance.queue_arn,
            "sns_message_id": provenance.sns_message_id,
            "receive_count": provenance.receive_count,
            "sns_timestamp": provenance.sns_timestamp,
        },
        "payload": record.payload,
    })
}

fn bad(record: &BadRecord) -> Value {
    json!({ "id": record.id, "error": record.to_string() })
}
