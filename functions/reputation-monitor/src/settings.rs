//! The configuration of the function, from environment variables.

use anyhow::Context;
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
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let optional = |name: &str| {
            get(name)
                .map(|value| value.trim().to_owned())
                .filter(|value| !value.is_empty())
        };
        let required = |name: &str, expected: &str| {
            optional(name).with_context(|| format!("environment variable {name}: expected {expected}"))
        };
        Ok(Self {
            table: required("TABLE_NAME", "the name of the table")?,
            account: required("ACCOUNT_ID", "the id of the account")?
                .parse()
                .context("environment variable ACCOUNT_ID")?,
            alarm_topic_arn: optional("ALARM_TOPIC_ARN"),
            alert_queue_url: optional("ALERT_QUEUE_URL"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    fn from(variables: &[(&str, &str)]) -> anyhow::Result<Settings> {
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
            let error = format!("{:#}", from(&variables).unwrap_err());
            assert!(error.starts_with(&format!("environment variable {name}: ")), "{error}");
        }
    }
}
