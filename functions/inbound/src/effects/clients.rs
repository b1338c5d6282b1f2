//! The clients, and how long each of them waits: no call may hang until SES has lost patience.

use std::time::Duration;

use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use lambda_kit::LazyClient;

/// The clients of the services that mail goes through. No mail needs all of them.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Where mail is.
    pub s3: LazyClient<aws_sdk_s3::Client>,
    /// For forwards, answers and notices.
    pub ses: LazyClient<aws_sdk_sesv2::Client>,
    /// For bounces, which the second version of the API lacks.
    pub ses_v1: LazyClient<aws_sdk_ses::Client>,
    /// For topics.
    pub sns: LazyClient<aws_sdk_sns::Client>,
    /// For queues.
    pub sqs: LazyClient<aws_sdk_sqs::Client>,
    /// For the queue in which unfinished work waits. SES is waiting too by then.
    pub handover: LazyClient<aws_sdk_sqs::Client>,
    /// For the key of unsubscribe tokens.
    pub secrets: LazyClient<aws_sdk_secretsmanager::Client>,
}

impl Clients {
    /// The clients. `config` has the time-outs of calls that take milliseconds.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        let timeouts = |attempt, operation| {
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(2))
                .operation_attempt_timeout(Duration::from_secs(attempt))
                .operation_timeout(Duration::from_secs(operation))
                .build()
        };
        // An answer that got lost is no reason to send a mail again at once: the claim decides, later.
        let sending = config
            .to_builder()
            .timeout_config(timeouts(15, 15))
            .retry_config(RetryConfig::disabled())
            .build();
        let reading = config.to_builder().timeout_config(timeouts(4, 9)).build();
        let handover = config.to_builder().timeout_config(timeouts(1, 3)).build();
        Self {
            // Until the body begins. A body that stops is the SDK's to notice (stalled stream protection).
            s3: LazyClient::of(&reading, aws_sdk_s3::Client::new),
            ses: LazyClient::of(&sending, aws_sdk_sesv2::Client::new),
            ses_v1: LazyClient::of(&sending, aws_sdk_ses::Client::new),
            sns: LazyClient::of(config, aws_sdk_sns::Client::new),
            sqs: LazyClient::of(config, aws_sdk_sqs::Client::new),
            handover: LazyClient::of(&handover, aws_sdk_sqs::Client::new),
            secrets: LazyClient::of(config, aws_sdk_secretsmanager::Client::new),
        }
    }
}
