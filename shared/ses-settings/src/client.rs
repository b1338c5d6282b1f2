//! Paced clients of SES and SNS.

use std::sync::Arc;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;

use crate::error::{SettingsError, delay};
use crate::pace::Pace;

/// The clients that read and write settings. Cheap to clone; clones share the pace.
#[derive(Debug, Clone)]
pub struct SesSettings {
    pub(crate) v1: aws_sdk_ses::Client,
    pub(crate) v2: aws_sdk_sesv2::Client,
    pub(crate) sns: aws_sdk_sns::Client,
    pub(crate) pace: Arc<Pace>,
}

impl SesSettings {
    /// Uses existing clients. They should not retry on their own, because retries would exceed the pace.
    #[must_use]
    pub fn new(v1: aws_sdk_ses::Client, v2: aws_sdk_sesv2::Client, sns: aws_sdk_sns::Client, pace: Pace) -> Self {
        Self {
            v1,
            v2,
            sns,
            pace: Arc::new(pace),
        }
    }

    /// Creates the clients of a Region. They do not retry; [`SesSettings`] does, at its pace.
    #[must_use]
    pub fn from_config(config: &SdkConfig, pace: Pace) -> Self {
        let retries = RetryConfig::disabled();
        let timeouts = lambda_kit::timeouts::ses();
        let v1 = aws_sdk_ses::config::Builder::from(config)
            .retry_config(retries.clone())
            .timeout_config(timeouts.clone())
            .build();
        let v2 = aws_sdk_sesv2::config::Builder::from(config)
            .retry_config(retries)
            .timeout_config(timeouts)
            .build();
        Self::new(
            aws_sdk_ses::Client::from_conf(v1),
            aws_sdk_sesv2::Client::from_conf(v2),
            aws_sdk_sns::Client::new(config),
            pace,
        )
    }

    /// The pace, with the number of calls so far.
    #[must_use]
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Makes a call to SES at the pace. Throttling and calls without a response are repeated, so a call may take effect
    /// twice.
    pub(crate) async fn call<T, E, R, F>(
        &self,
        operation: &'static str,
        send: impl Fn() -> F,
    ) -> Result<T, SettingsError>
    where
        E: ProvideErrorMetadata,
        F: Future<Output = Result<T, SdkError<E, R>>>,
    {
        let mut attempt = 1;
        loop {
            self.pace.wait().await;
            let error = match send().await {
                Ok(output) => return Ok(output),
                Err(error) => SettingsError::of_sdk(operation, &error),
            };
            match delay(error.class(), attempt) {
                Some(time) => self.pace.hold(time).await,
                None => return Err(error),
            }
            attempt += 1;
        }
    }
}
