//! Splits the event of a Lambda function that processes Amazon SES messages into records, runs a handler for each record,
//! and returns the response that Lambda expects.
//!
//! SES messages reach a function through SNS, through SQS (with or without the SNS envelope, or filled by an EventBridge
//! rule), through EventBridge, or through the Lambda action of a receipt rule. [`Batch::from_event`] reads the event of each
//! of them, [`Batch::run`] handles each record on its own, and [`Outcomes::report`] returns the response for the source.
//!
//! ```
//! use intake::{Batch, Record};
//!
//! async fn handle(record: Record) -> Result<usize, std::num::ParseIntError> {
//!     record.payload.parse()
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let event = br#"{"Records": [
//!     {"eventSource": "aws:sqs", "messageId": "a", "body": "1"},
//!     {"eventSource": "aws:sqs", "messageId": "b", "body": "one"}
//! ]}"#;
//! let outcomes = Batch::from_slice(event)?.run(8, handle).await;
//! assert_eq!(outcomes.succeeded().collect::<Vec<_>>(), [(0, &1)]);
//!
//! let response = serde_json::to_string(&outcomes.report()?)?;
//! assert_eq!(response, r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#);
//! # Ok(())
//! # }
//! ```
//!
//! # Retries
//!
//! | source | a failed record | response |
//! |---|---|---|
//! | SQS | returns to the queue alone and finally moves to the dead-letter queue | its id; an error if every record failed |
//! | SNS, EventBridge, receipt rule | is lost unless Lambda retries the invocation | an error if any record failed |
//!
//! The event source mapping must set `ReportBatchItemFailures`, and the queue must be a standard queue. On a FIFO queue, the
//! records after a failed one would have to be skipped.
//!
//! # Isolation of records
//!
//! A record whose envelope cannot be read is a [`BadRecord`]. It fails like a record whose handler failed, and the other
//! records are handled. [`IntakeError`] is for events of an unknown shape and for SQS records without an id, because a
//! failure without an id cannot be reported.
//!
//! Nothing in this crate logs or displays a payload. The message of an error that a handler returns is logged; the messages
//! of its causes are not, because libraries quote their input. The message of the error must therefore say what an operator
//! needs to know, and must not contain addresses. Rust prints the message of a panic before it can be caught;
//! `lambda_kit::start_log` prevents that.
//!
//! # Why not the types of `aws_lambda_events`
//!
//! Its `SnsMessage` requires `SigningCertUrl`, `UnsubscribeUrl`, `Signature` and a readable `Timestamp`. None of them is
//! needed here, confirmations do not have `UnsubscribeUrl`, and one record that does not fit fails the whole batch. Its
//! `SqsMessage` has an optional `message_id`, which is the one field that is required here.

mod batch;
mod envelope;
mod error;
mod outcomes;
mod record;
mod wire;

pub use batch::{Batch, EventSource};
pub use error::{BadRecord, BoxError, IntakeError, RecordFailure, ShapeError};
pub use outcomes::{BatchFailed, Outcome, Outcomes, Response};
pub use record::{Provenance, Record, RecordKind, Via};
