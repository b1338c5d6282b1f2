//! The account, the Region and the clients whose settings are read and written.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use ses_settings::{Context, DEFAULT_PAUSE, Pace, SesSettings, SettingsError};

use crate::aws_error::AwsError;

#[derive(Debug, Args)]
pub(crate) struct SesArgs {
    /// The stack's topic for notifications (output TopicArn), which the configuration calls "postroom".
    #[arg(long, env = "POSTROOM_TOPIC", value_name = "ARN")]
    topic_arn: Option<String>,
    /// How many calls of SES's settings API are started in a second. SES allows an account one a second.
    #[arg(long, value_name = "NUMBER", default_value_t = 1.0 / DEFAULT_PAUSE.as_secs_f64(), hide_default_value = true)]
    calls_per_second: f64,
}

/// SES and SNS of an account and Region.
pub(crate) struct SesAccess {
    pub(crate) settings: SesSettings,
    pub(crate) context: Context,
}

impl SesArgs {
    /// Asks STS for the account.
    pub(crate) async fn open(&self) -> anyhow::Result<SesAccess> {
        if !(self.calls_per_second > 0.0 && self.calls_per_second <= 1000.0) {
            bail!("--calls-per-second: expected a number above 0, and 1000 at most");
        }
        if let Some(arn) = &self.topic_arn
            && !(arn.starts_with("arn:") && arn.contains(":sns:"))
        {
            bail!("--topic-arn: expected the ARN of an SNS topic, not {arn}");
        }
        let config = crate::sdk_config::load().await;
        let region = config
            .region()
            .context("no Region: set AWS_REGION or choose a profile")?
            .to_string();
        let identity = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await;
        let identity = identity.map_err(|error| AwsError::of_operation("GetCallerIdentity", &error))?;
        let account = identity.account().unwrap_or_default();
        let account = account
            .parse()
            .map_err(|_| AwsError::new(format!("GetCallerIdentity: unusable account {account:?}")))?;
        let pause = Duration::from_secs_f64(1.0 / self.calls_per_second);
        Ok(SesAccess {
            settings: SesSettings::from_config(&config, Pace::new(pause)),
            context: Context {
                partition: Context::partition_of(&region).to_owned(),
                region,
                account,
                own_topic: self.topic_arn.clone(),
            },
        })
    }
}

impl From<SettingsError> for AwsError {
    fn from(error: SettingsError) -> Self {
        let hint = if error.is_access_denied() {
            "\n  docs/permissions.md lists what postroomctl needs"
        } else {
            ""
        };
        Self::new(format!("{error}{hint}"))
    }
}
