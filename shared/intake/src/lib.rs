//! What AWS hands a Lambda function that listens to Amazon SES, turned into records, and what the function owes
//! Lambda in return.
//!
//! SES reaches a function through SNS, through SQS (with or without the SNS envelope, or filled by an EventBridge
//! rule), through EventBridge, or as the Lambda action of a receipt rule. [`Batch::from_event`] takes the whole event
//! of any of them, [`Batch::run`] gives every record its own try, and [`Outcomes::report`] answers in the sender's
//! terms.
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
//! # Who retries what
//!
//! | source | a failed record | answer |
//! |---|---|---|
//! | SQS | returns to the queue alone, in the end to the dead-letter queue | its id; an error when every record failed |
//! | SNS, EventBridge, receipt rule | is lost, unless Lambda retries the invocation | an error when any record failed |
//!
//! The event source mapping must set `ReportBatchItemFailures`, and the queue must be a standard one: on a FIFO queue
//! the records after a failed one would have to be left alone.
//!
//! # What fails whom
//!
//! An envelope that cannot be read is a [`BadRecord`]: it fails like a record whose handler failed, and its
//! neighbours do not notice. [`IntakeError`] is left for events of no known shape and for SQS records without an id,
//! because a failure that cannot be named could only be dropped.
//!
//! Nothing in this crate logs or displays a payload. Handlers keep the other half of that promise: the message of the
//! error they return is logged, the messages of its sources are not, because libraries do quote their input. So the
//! message must say what an operator needs. Rust prints the message of a panic before
//! it can be caught; `lambda_kit::start_log` prevents that.
//!
//! # Why not the `aws_lambda_events` types
//!
//! Its `SnsMessage` requires `SigningCertUrl`, `UnsubscribeUrl`, `Signature` and a readable `Timestamp`: none of them
//! is needed here, confirmations lack the second, and one misfit fails the batch. Its `SqsMessage` makes `message_id`
//! optional, the one field that must not be.

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
