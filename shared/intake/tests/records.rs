//! The records of each Lambda event in `tests/data`. A new case is a new file.

use intake::{Batch, Record};
use serde_json::Value;

#[test]
fn each_event_has_the_recorded_records() {
    let mut files: Vec<_> = std::fs::read_dir("tests/data")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut report = String::new();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        report.push_str(&format!("{name}\n"));
        for line in describe_batch(&std::fs::read(&file).unwrap()) {
            report.push_str(&format!("  {line}\n"));
        }
    }
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("records", report);
    });
}

fn describe_batch(event: &[u8]) -> Vec<String> {
    let batch = match Batch::from_slice(event) {
        Ok(batch) => batch,
        Err(error) => return vec![format!("error: {error}")],
    };
    let mut lines = vec![format!("from {}, {} records", batch.via(), batch.len())];
    for record in batch.records() {
        match record {
            Ok(record) => lines.extend(describe_record(record)),
            Err(bad) => lines.push(format!("- {}: {bad}", bad.id)),
        }
    }
    lines
}

fn describe_record(record: &Record) -> Vec<String> {
    let provenance = &record.provenance;
    let mut lines = vec![format!("- {}: {} via {}", record.id, record.kind, provenance.via)];
    let fields = [
        ("topic", provenance.topic_arn.clone()),
        ("queue", provenance.queue_arn.clone()),
        ("SNS message id", provenance.sns_message_id.clone()),
        ("receive count", provenance.receive_count.map(|count| count.to_string())),
        ("published at", provenance.published_at.map(|at| at.to_string())),
    ];
    for (name, value) in fields {
        lines.extend(value.map(|value| format!("  {name}: {value}")));
    }
    let start: String = record.payload.chars().take(60).collect();
    lines.push(format!("  payload: {} bytes, {start}", record.payload.len()));
    lines
}

/// The exact payload of each kind of envelope, as a JSON pointer to its place in the event. A text there is the payload;
/// of a JSON body, the second pointer leads to the payload within it.
#[test]
fn the_payload_is_the_message_without_its_envelope() {
    let cases = [
        ("sns_direct", "/Records/0/Sns/Message", None),
        ("sqs_from_sns", "/Records/0/body", Some("/Message")),
        ("sqs_from_sns_plain_text", "/Records/0/body", Some("/Message")),
        ("sqs_from_event_bridge", "/Records/0/body", Some("/detail")),
        ("sns_from_event_bridge", "/Records/0/Sns/Message", Some("/detail")),
        ("event_bridge_service_event", "", None),
        ("sqs_raw", "/Records/0/body", None),
        ("sqs_raw_plain_text", "/Records/0/body", None),
        ("sqs_raw_bare", "/Records/0/body", None),
        ("sqs_confirmations", "/Records/0/body", Some("")),
        ("event_bridge", "/detail", None),
        ("receipt_rule", "/Records/0/ses", None),
    ];
    for (name, pointer, inner) in cases {
        let bytes = std::fs::read(format!("tests/data/{name}.json")).unwrap();
        let event: Value = serde_json::from_slice(&bytes).unwrap();
        let mut expected = event.pointer(pointer).unwrap().clone();
        if let Some(inner) = inner {
            let body: Value = serde_json::from_str(expected.as_str().unwrap()).unwrap();
            expected = body.pointer(inner).unwrap().clone();
        }
        let expected = expected.as_str().map_or_else(|| expected.to_string(), str::to_owned);
        let batch = Batch::from_event(&event).unwrap();
        assert_eq!(batch.records()[0].as_ref().unwrap().payload, expected, "{name}");
    }
}

#[test]
fn the_error_of_bytes_that_are_not_json_names_the_position() {
    let error = Batch::from_slice(b"{\"Records\": [jane@example.com]}").unwrap_err();
    assert_eq!(error.to_string(), "event is not valid JSON at line 1 column 14");
}

#[test]
fn debug_output_does_not_contain_the_payload() {
    let event = std::fs::read("tests/data/sqs_from_sns.json").unwrap();
    let debug = format!("{:?}", Batch::from_slice(&event).unwrap());
    assert!(debug.contains("payload_bytes"), "{debug}");
    assert!(!debug.contains("nobody@example.com"), "{debug}");
}
