//! The log of a batch: failures without payloads. A test binary of its own, because a panic hook is global.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use intake::{Batch, BoxError, Record};
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

/// A subscriber that writes each event and span as a line of `name=value` pairs.
#[derive(Clone, Default)]
struct LogLines(Arc<Mutex<String>>);

impl Subscriber for LogLines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut line = span.metadata().name().to_owned();
        span.record(&mut Fields(&mut line));
        self.write(&line);
        span::Id::from_u64(1)
    }
    fn event(&self, event: &Event<'_>) {
        let mut line = event.metadata().level().to_string();
        event.record(&mut Fields(&mut line));
        self.write(&line);
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

impl LogLines {
    fn write(&self, line: &str) {
        writeln!(self.0.lock().unwrap(), "{line}").unwrap();
    }
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Line numbers change with every edit of this file.
        if field.name() != "line" {
            write!(self.0, " {}={value:?}", field.name()).unwrap();
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("notification is unreadable")]
struct Unreadable(#[source] std::io::Error);

async fn handle(record: Record) -> Result<(), BoxError> {
    let quote = "jane@example.com";
    match record.id.as_str() {
        "panics" => panic!("unexpected {quote}"),
        "fails" => Err(Unreadable(std::io::Error::other(quote)).into()),
        _ => Ok(()),
    }
}

#[tokio::test]
async fn failures_are_logged_once_without_any_payload() {
    lambda_kit::log::log_panics_without_message();
    let lines = LogLines::default();
    let guard = tracing::subscriber::set_default(lines.clone());

    let event = json!({ "Records": [
        { "eventSource": "aws:sqs", "messageId": "works", "body": "jane@example.com" },
        { "eventSource": "aws:sqs", "messageId": "fails in the batch", "body": "jane@example.com" },
        { "eventSource": "aws:sqs", "messageId": "panics", "body": "jane@example.com" },
        { "eventSource": "aws:sqs", "messageId": "fails", "body": "x", "attributes": { "ApproximateReceiveCount": "3" } },
        { "eventSource": "aws:sqs", "messageId": "is bad", "body": "{jane@example.com}" },
    ]});
    let mut outcomes = Batch::from_event(&event).unwrap().run(1, handle).await;
    outcomes.fail(1, "statistics not written");
    outcomes.fail(1, "statistics not written");
    assert_eq!(outcomes.report().map(|_| ()), Ok(()));

    drop(guard);
    insta::assert_snapshot!(lines.0.lock().unwrap(), @r#"
    record record_id=works via=sqs_raw
    record record_id=fails in the batch via=sqs_raw
    record record_id=panics via=sqs_raw
    ERROR message=panicked file="shared/lambda-kit/tests/log.rs"
    ERROR message=record failed record_id="panics" via=sqs_raw kind="panic" error=handler panicked
    record record_id=fails via=sqs_raw
    ERROR message=record failed record_id="fails" via=sqs_raw receive_count=3 kind="handler" error=notification is unreadable
    ERROR message=record failed record_id="is bad" kind="bad_envelope" error=bad envelope at `Records[4].body`: expected valid JSON, invalid at line 1 column 2
    ERROR message=record failed record_id="fails in the batch" via=sqs_raw kind="batch" error=statistics not written
    "#);
}
