//! The SDK clients and their time-outs. No call may take longer than SES waits.

use std::time::Duration;

use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use lambda_kit::LazyClient;

/// The SDK clients. Each is created at its first use, because no mail needs all of them.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Reads mail.
    pub s3: LazyClient<aws_sdk_s3::Client>,
    /// Sends forwards, notices and automatic replies.
    pub ses: LazyClient<aws_sdk_sesv2::Client>,
    /// Sends bounces. The SES API v2 has no `SendBounce`.
    pub ses_v1: LazyClient<aws_sdk_ses::Client>,
    /// Publishes to topics.
    pub sns: LazyClient<aws_sdk_sns::Client>,
    /// Sends to queues.
    pub sqs: LazyClient<aws_sdk_sqs::Client>,
    /// Sends unfinished work to the inbound queue, with short time-outs, because SES waits for the disposition.
    pub hand_over: LazyClient<aws_sdk_sqs::Client>,
    /// Reads the keys of unsubscribe tokens.
    pub secrets: LazyClient<aws_sdk_secretsmanager::Client>,
}

impl Clients {
    /// Creates the clients. `config` has the time-outs of calls that take milliseconds.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        let timeouts = |attempt, operation| {
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(2))
                .operation_attempt_timeout(Duration::from_secs(attempt))
                .operation_timeout(Duration::from_secs(operation))
                .build()
        };
        // A lost response must not cause a second mail. The claim decides about retries.
        let sending = config
            .to_builder()
            .timeout_config(timeouts(15, 15))
            .retry_config(RetryConfig::disabled())
            .build();
        let reading = config.to_builder().timeout_config(timeouts(4, 9)).build();
        let hand_over = config.to_builder().timeout_config(timeouts(1, 3)).build();
        Self {
            // The time-outs end when the body begins. The SDK's stalled stream protection covers the body.
            s3: LazyClient::of(&reading, aws_sdk_s3::Client::new),
            ses: LazyClient::of(&sending, aws_sdk_sesv2::Client::new),
            ses_v1: LazyClient::of(&sending, aws_sdk_ses::Client::new),
            sns: LazyClient::of(config, aws_sdk_sns::Client::new),
            sqs: LazyClient::of(config, aws_sdk_sqs::Client::new),
            hand_over: LazyClient::of(&hand_over, aws_sdk_sqs::Client::new),
            secrets: LazyClient::of(config, aws_sdk_secretsmanager::Client::new),
        }
    }
}
