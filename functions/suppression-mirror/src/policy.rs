//! What is mirrored to SES's lists and how fast, from environment variables.
//!
//! | variable | default | meaning |
//! |---|---|---|
//! | `MIRROR_TO` | `none` | which of SES's lists are changed: `none`, `tenant` or `account` |
//! | `MIRROR_UNSUBSCRIBES` | `false` | whether opt-outs of whole contact lists are mirrored |
//! | `PACE_MS` | 2000 (at most 60000) | the pause before each call in milliseconds |

use std::time::Duration;

use lambda_kit::{Environment, InvalidSetting};

/// What is mirrored and how fast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Which of SES's lists are changed.
    pub mirror_to: MirrorTo,
    /// Whether opt-outs of whole contact lists are mirrored.
    pub unsubscribes: bool,
    /// The pause before each call.
    pub pace: Duration,
}

/// Which of SES's lists are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MirrorTo {
    /// None. Requests are acknowledged.
    Nothing,
    /// Suppressions of the scope `global` go to the account-level list, those of a tenant to its list. Those of a domain are
    /// not mirrored.
    Tenant,
    /// As `Tenant`, but suppressions of a domain go to the account-level list. For an account that sends for one product.
    Account,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            mirror_to: MirrorTo::Nothing,
            unsubscribes: false,
            pace: Duration::from_millis(2000),
        }
    }
}

impl Policy {
    /// Reads the policy from environment variables. `get` returns the value of a variable. An unset or empty variable has
    /// the default value.
    ///
    /// # Errors
    /// If a variable has a value that is not accepted. The message names the variable and the accepted values.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSetting> {
        let environment = Environment::new(get);
        let default = Self::default();
        let lists = [
            ("none", MirrorTo::Nothing),
            ("tenant", MirrorTo::Tenant),
            ("account", MirrorTo::Account),
        ];
        let default_ms = u64::try_from(default.pace.as_millis()).unwrap_or(u64::MAX);
        Ok(Self {
            mirror_to: environment.choice("MIRROR_TO", &lists, default.mirror_to)?,
            unsubscribes: environment.flag("MIRROR_UNSUBSCRIBES", default.unsubscribes)?,
            pace: Duration::from_millis(environment.number("PACE_MS", 0..=60_000, default_ms)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{MirrorTo, Policy};

    fn from(name: &'static str, value: &'static str) -> Result<Policy, lambda_kit::InvalidSetting> {
        Policy::from_env(|variable| (variable == name).then(|| value.to_owned()))
    }

    #[test]
    fn variables_override_the_defaults() {
        assert_eq!(from("MIRROR_TO", " ").unwrap(), Policy::default());
        assert_eq!(from("MIRROR_TO", "account").unwrap().mirror_to, MirrorTo::Account);
        assert_eq!(from("PACE_MS", "500").unwrap().pace, Duration::from_millis(500));
        assert!(from("MIRROR_UNSUBSCRIBES", "true").unwrap().unsubscribes);
    }

    #[test]
    fn an_error_names_the_variable_and_the_accepted_values() {
        for (name, value, expected) in [
            ("MIRROR_TO", "all", "none, tenant or account"),
            ("PACE_MS", "fast", "a number from 0 to 60000"),
            ("PACE_MS", "60001", "a number from 0 to 60000"),
            ("MIRROR_UNSUBSCRIBES", "yes", "true or false"),
        ] {
            let error = from(name, value).unwrap_err().to_string();
            assert_eq!(error, format!("environment variable {name}: expected {expected}"));
        }
    }
}
