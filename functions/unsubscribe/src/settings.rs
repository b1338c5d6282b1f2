//! The settings of the function, from environment variables.
//!
//! | variable | default | meaning |
//! |---|---|---|
//! | `TABLE_NAME` | required | the DynamoDB table |
//! | `UNSUBSCRIBE_SECRET_ARN` | required | the secret that signs unsubscribe tokens |
//! | `REQUESTS_PER_TOKEN` | 5 | requests with one token within a minute that change the table |
//! | `REQUESTS_PER_MINUTE` | 600 | requests within a minute that change the table |

use lambda_kit::{Environment, InvalidSetting};

/// The settings of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `TABLE_NAME`
    pub table: String,
    /// `UNSUBSCRIBE_SECRET_ARN`
    pub secret: String,
    /// `REQUESTS_PER_TOKEN`
    pub requests_per_token: usize,
    /// `REQUESTS_PER_MINUTE`
    pub requests_per_minute: usize,
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
            secret: environment.required("UNSUBSCRIBE_SECRET_ARN", "the ARN of a secret")?,
            requests_per_token: environment.positive_number("REQUESTS_PER_TOKEN", 5)?,
            requests_per_minute: environment.positive_number("REQUESTS_PER_MINUTE", 600)?,
        })
    }
}
