//! The settings of the function, from environment variables.
//!
//! | variable | default | meaning |
//! |---|---|---|
//! | `TABLE_NAME` | required | the DynamoDB table |
//! | those of [`Policy`] | | the feedback policy |

use lambda_kit::{Environment, InvalidSetting};

use crate::policy::Policy;

/// The settings of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `TABLE_NAME`
    pub table: String,
    /// The feedback policy.
    pub policy: Policy,
}

impl Settings {
    /// Reads the settings. `get` returns the value of a variable.
    ///
    /// # Errors
    /// If a variable is missing or has a value that is not accepted. The message names the variable.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSetting> {
        let environment = Environment::new(&get);
        Ok(Self {
            table: environment.required("TABLE_NAME", "the name of the DynamoDB table")?,
            policy: Policy::from_env(&get)?,
        })
    }
}
