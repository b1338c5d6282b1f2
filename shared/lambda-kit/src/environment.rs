//! What Lambda puts into the environment, under the names that all of AWS's tools share:
//! <https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html>.

use std::fmt;

use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

/// A variable that every function needs is not there.
#[derive(Debug, thiserror::Error)]
#[error("environment variable {variable}: expected {expected}")]
pub struct BadEnvironment {
    variable: &'static str,
    expected: &'static str,
}

pub(crate) struct Environment<G>(pub(crate) G);

impl<G: Fn(&str) -> Option<String>> Environment<G> {
    pub(crate) fn get(&self, variable: &str) -> Option<String> {
        (self.0)(variable).filter(|value| !value.trim().is_empty())
    }

    pub(crate) fn need(&self, variable: &'static str, expected: &'static str) -> Result<String, BadEnvironment> {
        self.get(variable).ok_or(BadEnvironment { variable, expected })
    }

    pub(crate) fn is_on(&self, variable: &str) -> bool {
        self.get(variable)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// Tells each client its own endpoint, such as `AWS_ENDPOINT_URL_SNS`, which goes before `AWS_ENDPOINT_URL`.
impl<G: Fn(&str) -> Option<String> + Send + Sync> LoadServiceConfig for Environment<G> {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace(' ', "_");
        self.get(&format!("{}_{service}", key.env()))
    }
}

/// Without the variables: credentials are among them.
impl<G> fmt::Debug for Environment<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}
