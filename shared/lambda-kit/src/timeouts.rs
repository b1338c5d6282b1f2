//! How long a call may take and how often it is tried: the one place for these numbers.
//!
//! They are set for three things. A function ends after 60 s (`Timeout` in the template), and a call that hangs must fail
//! before that, so that the other records of the batch are still reported. Lambda freezes a function between events and
//! thaws it minutes later, when the services have long closed the connections in its pool. And every record has further
//! attempts: SQS hands it out again, so a call gives up early rather than late.
//!
//! Not set here: what is read as a stream, after the call has returned, is guarded by the SDK's stalled-stream protection.

use std::time::Duration;

use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

/// For a connection to open, TLS handshake included. In a region that takes milliseconds; one lost SYN, which TCP repeats
/// after a second, and a slow processor fit in.
pub(crate) const CONNECT: Duration = Duration::from_secs(2);

/// For how long an unused connection is kept. DynamoDB closes its end
/// [after about 60 s](https://github.com/aws/aws-sdk-java/issues/1365) without a request. A freeze counts:
/// [the monotonic clock goes on](https://github.com/aws/aws-lambda-web-adapter/issues/830) meanwhile, so what is too old
/// after a thaw is not used.
pub(crate) const KEEP_IDLE: Duration = Duration::from_secs(30);

/// For calls that take milliseconds: DynamoDB, SQS, SNS, EventBridge. An attempt without an answer after 3 s has no living
/// connection; the next one gets a new connection. After 10 s the record goes back to its queue.
#[must_use]
pub fn standard() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(10))
        .build()
}

/// For SES, whose calls can take seconds, and which would send a mail again: an attempt ends with its connection or with the
/// whole call, not by the clock.
#[must_use]
pub fn ses() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_timeout(Duration::from_secs(10))
        .build()
}

/// For a call whose failure is only counted: the event is not to wait for it.
#[must_use]
pub fn best_effort() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_millis(1500))
        .operation_timeout(Duration::from_secs(3))
        .build()
}

/// Four attempts, as AWS's SDKs make for DynamoDB, with short pauses: 50 ms, 100 ms and 200 ms at most. A table that throttles
/// for longer is left alone until SQS hands the record out again.
#[must_use]
pub fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(4)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_secs(1))
}
