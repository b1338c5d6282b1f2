//! The settings of the function, from environment variables.
//!
//! | variable | default | meaning |
//! |---|---|---|
//! | `TABLE_NAME` | required | the DynamoDB table |
//! | `ACCOUNT_ID` | required | the AWS account of the function |
//! | `AWS_REGION` | required, set by Lambda | the Region of SES |
//! | `ALARM_TOPIC_ARN` | none: alerts are logged only | the SNS topic for alerts |
//! | `REPAIR` | `off` | `on`: repairs what SES itself removed |

use lambda_kit::{Environment, InvalidSetting};
use ses_settings::Context;

/// The settings of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `TABLE_NAME`
    pub table: String,
    /// `ACCOUNT_ID` and `AWS_REGION`: the SES whose settings are compared.
    pub context: Context,
    /// `ALARM_TOPIC_ARN`
    pub alarm_topic_arn: Option<String>,
    /// `REPAIR`
    pub repair: bool,
}

impl Settings {
    /// Reads the settings. `get` returns the value of a variable.
    ///
    /// # Errors
    /// If a variable is missing or has a value that is not accepted. The message names the variable.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSetting> {
        let environment = Environment::new(get);
        let account = environment.required("ACCOUNT_ID", "a 12-digit account id")?;
        let region = environment.required("AWS_REGION", "a Region")?;
        Ok(Self {
            table: environment.required("TABLE_NAME", "the name of the DynamoDB table")?,
            context: Context {
                partition: Context::partition_of(&region).to_owned(),
                region,
                account: account
                    .parse()
                    .map_err(|_| InvalidSetting::new("ACCOUNT_ID", "a 12-digit account id"))?,
                own_topic: None,
            },
            alarm_topic_arn: environment.optional("ALARM_TOPIC_ARN"),
            repair: environment.choice("REPAIR", &[("on", true), ("off", false)], false)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    fn from(changed: &[(&str, &str)]) -> Result<Settings, lambda_kit::InvalidSetting> {
        let all = [
            ("TABLE_NAME", "postroom"),
            ("ACCOUNT_ID", "111122223333"),
            ("AWS_REGION", "us-gov-west-1"),
        ];
        Settings::from_env(|name| {
            let value = changed.iter().chain(&all).find(|(known, _)| *known == name);
            value.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn without_optional_variables_nothing_is_published_and_nothing_repaired() {
        let settings = from(&[("ALARM_TOPIC_ARN", " ")]).unwrap();
        assert_eq!((settings.alarm_topic_arn, settings.repair), (None, false));
        assert_eq!(settings.context.partition, "aws-us-gov");
        assert!(from(&[("REPAIR", "on")]).unwrap().repair);
    }

    #[test]
    fn errors_name_the_variable() {
        for (name, value) in [
            ("TABLE_NAME", ""),
            ("ACCOUNT_ID", "1111"),
            ("AWS_REGION", ""),
            ("REPAIR", "yes"),
        ] {
            let error = from(&[(name, value)]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("environment variable {name}: ")), "{error}");
        }
    }
}
