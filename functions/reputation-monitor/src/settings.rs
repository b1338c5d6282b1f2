//! The configuration of the function, from environment variables.

use lambda_kit::{Environment, InvalidSetting};
use notification_model::AccountId;

/// The configuration of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `TABLE_NAME`: the name of the DynamoDB table.
    pub table: String,
    /// `ACCOUNT_ID`: the AWS account of the function. Enforcement is limited to it.
    pub account: AccountId,
    /// `ALARM_TOPIC_ARN`: the SNS topic for alerts. Default: none.
    pub alarm_topic_arn: Option<String>,
    /// `ALERT_QUEUE_URL`: the router's delivery queue. Default: none, the router is not deployed.
    pub alert_queue_url: Option<String>,
}

impl Settings {
    /// Reads the settings through `get` (for example `|name| std::env::var(name).ok()`). An empty variable counts as unset.
    ///
    /// # Errors
    /// When a required variable is missing or a value is invalid. The error names the variable.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSetting> {
        let environment = Environment::new(get);
        let account = environment.required("ACCOUNT_ID", "a 12-digit account id")?;
        Ok(Self {
            table: environment.required("TABLE_NAME", "the name of the DynamoDB table")?,
            account: account
                .parse()
                .map_err(|_| InvalidSetting::new("ACCOUNT_ID", "a 12-digit account id"))?,
            alarm_topic_arn: environment.optional("ALARM_TOPIC_ARN"),
            alert_queue_url: environment.optional("ALERT_QUEUE_URL"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    fn from(variables: &[(&str, &str)]) -> Result<Settings, lambda_kit::InvalidSetting> {
        Settings::from_env(|name| {
            let value = variables.iter().find(|(known, _)| *known == name);
            value.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn empty_targets_are_none() {
        let settings = from(&[
            ("TABLE_NAME", "postroom"),
            ("ACCOUNT_ID", "111122223333"),
            ("ALARM_TOPIC_ARN", " "),
            ("ALERT_QUEUE_URL", ""),
        ])
        .unwrap();
        assert_eq!(settings.table, "postroom");
        assert_eq!(settings.account.as_str(), "111122223333");
        assert_eq!((settings.alarm_topic_arn, settings.alert_queue_url), (None, None));
    }

    #[test]
    fn errors_name_the_variable() {
        let cases = [
            ("TABLE_NAME", vec![("ACCOUNT_ID", "111122223333")]),
            ("ACCOUNT_ID", vec![("TABLE_NAME", "postroom")]),
            ("ACCOUNT_ID", vec![("TABLE_NAME", "postroom"), ("ACCOUNT_ID", "1111")]),
        ];
        for (name, variables) in cases {
            let error = from(&variables).unwrap_err().to_string();
            assert!(error.starts_with(&format!("environment variable {name}: ")), "{error}");
        }
    }
}
