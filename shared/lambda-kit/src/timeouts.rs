//! Time-outs and retries of calls to AWS.
//!
//! Three facts determine them:
//!
//! - A function times out after 60 s (`Timeout` in the template). A call that hangs must fail earlier, so that the other
//!   records of the batch are still reported.
//! - Lambda freezes a function between events. When it resumes minutes later, the services have closed the connections in
//!   its pool.
//! - SQS delivers a failed record again, so a call can fail early.
//!
//! Bodies that are read as a stream after the call has returned are covered by the stalled-stream protection of the SDK.

use std::time::Duration;

use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

/// Time-out for opening a connection, TLS handshake included. Within a Region this takes milliseconds. The time-out leaves
/// room for one lost SYN packet, which TCP repeats after one second, and for a slow processor.
pub(crate) const CONNECT: Duration = Duration::from_secs(2);

/// How long the pool keeps an unused connection. DynamoDB closes a connection
/// [after about 60 s](https://github.com/aws/aws-sdk-java/issues/1365) without a request. The time during a freeze counts,
/// because [the monotonic clock continues](https://github.com/aws/aws-lambda-web-adapter/issues/830), so a connection that
/// is too old after a freeze is not reused.
pub(crate) const POOL_IDLE: Duration = Duration::from_secs(30);

/// Time-outs for calls that take milliseconds: DynamoDB, SQS, SNS, EventBridge. An attempt without a response after 3 s
/// has lost its connection, and the next attempt opens a new one. After 10 s the call fails, and the record returns to its
/// queue.
#[must_use]
pub fn standard() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(10))
        .build()
}

/// Time-outs for SES. Its calls can take seconds, and a second attempt may send a mail twice, so there is no time-out for
/// a single attempt.
#[must_use]
pub fn ses() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_timeout(Duration::from_secs(10))
        .build()
}

/// Four attempts, the default of the AWS SDKs for DynamoDB, with pauses of at most 50 ms, 100 ms and 200 ms. If a table
/// throttles for longer, the call fails, and SQS delivers the record again.
#[must_use]
pub fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(4)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_secs(1))
}
