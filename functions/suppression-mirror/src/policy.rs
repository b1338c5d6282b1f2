//! What is mirrored where and how fast, from the environment.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail};

/// The mirror's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Which lists are written.
    pub mirror_to: MirrorTo,
    /// Whether who left a whole contact list is mirrored too.
    pub unsubscribes: bool,
    /// The wait before each call.
    pub pace: Duration,
}

/// Which of SES's lists are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MirrorTo {
    /// None: requests are acknowledged.
    Nothing,
    /// `global` to the account's list, a tenant's to the tenant's; a domain has no list.
    Tenant,
    /// As `Tenant`, and a domain's to the account's list: for an account that sends for one product only.
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

impl FromStr for MirrorTo {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        match text {
            "none" => Ok(Self::Nothing),
            "tenant" => Ok(Self::Tenant),
            "account" => Ok(Self::Account),
            _ => bail!("expected none, tenant or account"),
        }
    }
}

impl Policy {
    /// The policy from environment variables, through `get`. An unset or empty variable means the default.
    ///
    /// # Errors
    /// When a variable is set to something else than it takes; the error names the variable.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let default = Self::default();
        let set = |name: &str| {
            get(name)
                .map(|value| value.trim().to_owned())
                .filter(|value| !value.is_empty())
        };
        Ok(Self {
            mirror_to: match set("MIRROR_TO") {
                None => default.mirror_to,
                Some(text) => text.parse().context("environment variable MIRROR_TO")?,
            },
            unsubscribes: match set("MIRROR_UNSUBSCRIBES") {
                None => default.unsubscribes,
                Some(text) => text
                    .parse()
                    .ok()
                    .context("environment variable MIRROR_UNSUBSCRIBES: expected true or false")?,
            },
            pace: match set("PACE_MS") {
                None => default.pace,
                Some(text) => match text.parse() {
                    Ok(pace_ms) if pace_ms <= 60_000 => Duration::from_millis(pace_ms),
                    _ => bail!("environment variable PACE_MS: expected milliseconds from 0 to 60000"),
                },
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{MirrorTo, Policy};

    fn from(name: &'static str, value: &'static str) -> anyhow::Result<Policy> {
        Policy::from_env(|asked| (asked == name).then(|| value.to_owned()))
    }

    #[test]
    fn variables_override_defaults() {
        assert_eq!(from("MIRROR_TO", " ").unwrap(), Policy::default());
        assert_eq!(from("MIRROR_TO", "account").unwrap().mirror_to, MirrorTo::Account);
        assert_eq!(from("PACE_MS", "500").unwrap().pace, Duration::from_millis(500));
        assert!(from("MIRROR_UNSUBSCRIBES", "true").unwrap().unsubscribes);
    }

    #[test]
    fn a_bad_value_is_named() {
        for (name, value) in [
            ("MIRROR_TO", "all"),
            ("PACE_MS", "fast"),
            ("MIRROR_UNSUBSCRIBES", "yes"),
        ] {
            let error = format!("{:#}", from(name, value).unwrap_err());
            assert!(error.contains(name), "{error}");
        }
    }
}
