//! The AWS clients of the function.

use lambda_kit::LazyClient;

/// The clients of the services of targets. A client that most events do not need is created on first use.
#[derive(Debug, Clone)]
pub struct Clients {
    /// For topics.
    pub sns: LazyClient<aws_sdk_sns::Client>,
    /// For queues: those of targets, the delivery queue and its dead-letter queue.
    pub sqs: aws_sdk_sqs::Client,
    /// For event buses.
    pub eventbridge: LazyClient<aws_sdk_eventbridge::Client>,
    /// For digests and alerts to mail addresses.
    pub ses: LazyClient<aws_sdk_sesv2::Client>,
}
