//! The settings of the function, from environment variables.
//!
//! | variable | default | meaning |
//! |---|---|---|
//! | `TABLE_NAME` | required | the DynamoDB table |
//! | `SUPPRESSION_TOPIC_ARN` | none: no notices | the SNS topic for change notices |
//! | `MIRROR_QUEUE_URL` | none: no requests | the queue of the suppression mirror |
//! | `MIRROR_UNSUBSCRIBES` | `false` | whether opt-outs from all mail or a whole contact list go to SES's suppression lists |
//! | `DEAD_LETTER_QUEUE_URL` | required | the queue for records that cannot be handled |

use lambda_kit::{Environment, InvalidSetting};

/// The settings of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `TABLE_NAME`
    pub table: String,
    /// `SUPPRESSION_TOPIC_ARN`
    pub topic_arn: Option<String>,
    /// `MIRROR_QUEUE_URL`
    pub mirror_queue_url: Option<String>,
    /// `MIRROR_UNSUBSCRIBES`
    pub mirror_unsubscribes: bool,
    /// `DEAD_LETTER_QUEUE_URL`
    pub dead_letter_queue_url: String,
}

impl Settings {
    /// Reads the settings. `get` returns the value of a variable.
    ///
    /// # Errors
    /// If a variable is missing or has a value that is not accepted. The message names the variable.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSetting> {
        let environment = Environment::new(get);
        Ok(Self {
            table: environment.required("TABLE_NAME", "the name of the DynamoDB table")?,
            topic_arn: environment.optional("SUPPRESSION_TOPIC_ARN"),
            mirror_queue_url: environment.optional("MIRROR_QUEUE_URL"),
            mirror_unsubscribes: environment.flag("MIRROR_UNSUBSCRIBES", false)?,
            dead_letter_queue_url: environment.required(
                "DEAD_LETTER_QUEUE_URL",
                "the URL of the dead-letter queue of the function",
            )?,
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
            ("DEAD_LETTER_QUEUE_URL", "https://sqs.example/dead"),
            ("SUPPRESSION_TOPIC_ARN", ""),
            ("MIRROR_QUEUE_URL", " "),
            ("MIRROR_UNSUBSCRIBES", "true"),
        ]);
        let settings = settings.unwrap();
        assert_eq!((settings.topic_arn, settings.mirror_queue_url), (None, None));
        assert!(settings.mirror_unsubscribes);
    }

    #[test]
    fn errors_name_the_variable() {
        let cases = [
            ("TABLE_NAME", vec![("DEAD_LETTER_QUEUE_URL", "u")]),
            ("DEAD_LETTER_QUEUE_URL", vec![("TABLE_NAME", "postroom")]),
            (
                "MIRROR_UNSUBSCRIBES",
                vec![
                    ("TABLE_NAME", "postroom"),
                    ("DEAD_LETTER_QUEUE_URL", "u"),
                    ("MIRROR_UNSUBSCRIBES", "yes"),
                ],
            ),
        ];
        for (name, variables) in cases {
            let error = from(&variables).unwrap_err().to_string();
            assert!(error.starts_with(&format!("environment variable {name}: ")), "{error}");
        }
    }
}
