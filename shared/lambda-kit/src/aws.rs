//! Configuration of the AWS clients of a Lambda function: Region, credentials, endpoints, time-outs
//! ([`timeouts`](crate::timeouts)) and connections.
//!
//! Creating clients takes most of a cold start, so this module does only what Lambda needs. Lambda passes Region and
//! credentials in environment variables, under the names of the
//! [AWS SDKs reference](https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html). The provider chain of
//! `aws-config` (profile files, SSO, STS, instance metadata) would add code that never runs. All clients share one
//! connection pool, and TLS is set up by the first connection.
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), lambda_kit::InvalidSetting> {
//! let aws = lambda_kit::Aws::from_env(|name| std::env::var(name).ok())?;
//! let table = aws_sdk_dynamodb::Client::new(aws.config());
//! aws.open_table_connection();
//! // lambda_runtime::run(...)
//! # Ok(())
//! # }
//! ```

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::connections::Connections;
use crate::settings::{Environment, InvalidSetting};
use crate::timeouts;

/// The configuration that all AWS clients of a function share.
#[derive(Debug, Clone)]
pub struct Aws {
    config: SdkConfig,
    connections: Connections,
    table_endpoint: Option<String>,
}

impl Aws {
    /// Reads the configuration from environment variables. `get` returns the value of a variable, for example
    /// `|name| std::env::var(name).ok()`.
    ///
    /// Outside Lambda, `eval "$(aws configure export-credentials --format env)"` sets the credentials of a profile.
    ///
    /// # Errors
    /// If the Region or the credentials are missing. The message names the variable.
    pub fn from_env(get: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Result<Self, InvalidSetting> {
        let environment = Environment::new(get);
        let region = environment.required("AWS_REGION", "a Region such as eu-west-1")?;
        let credentials = Credentials::new(
            environment.required("AWS_ACCESS_KEY_ID", "an access key; Lambda sets it from the role")?,
            environment.required("AWS_SECRET_ACCESS_KEY", "the secret of the access key")?,
            environment.optional("AWS_SESSION_TOKEN"),
            // Lambda replaces the execution environment before its credentials expire.
            None,
            "environment",
        );
        let endpoint = environment.optional("AWS_ENDPOINT_URL");
        let table_endpoint = environment.optional("AWS_ENDPOINT_URL_DYNAMODB").or(endpoint.clone());
        let is_true = |variable| {
            let value = environment.optional(variable);
            value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
        };
        let connections = Connections::default();
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .use_fips(is_true("AWS_USE_FIPS_ENDPOINT"))
            .use_dual_stack(is_true("AWS_USE_DUALSTACK_ENDPOINT"))
            .service_config(environment)
            .timeout_config(timeouts::standard())
            .retry_config(timeouts::retries())
            .http_client(connections.clone());
        config.set_endpoint_url(endpoint);
        Ok(Self {
            config: config.build(),
            connections,
            table_endpoint,
        })
    }

    /// Returns the configuration for `Client::new` of any service, and for the builder of a client with other time-outs.
    #[must_use]
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// Opens a connection to DynamoDB in the background, while the function asks Lambda for its first event. This saves
    /// the first event the time of the TLS handshake. Nothing waits for the connection, and a failure has no effect.
    ///
    /// The request is an unsigned `GET /`, to which DynamoDB responds with its health. It needs no permission and consumes no
    /// capacity unit.
    pub fn open_table_connection(&self) {
        let aws = self.clone();
        tokio::spawn(async move {
            let opened = match aws.table_url().await {
                Ok(url) => aws.connections.open(url).await,
                Err(error) => Err(error),
            };
            if let Err(error) = opened {
                tracing::debug!(error, "could not open a connection to DynamoDB before the first event");
            }
        });
    }

    /// Returns the endpoint to which a DynamoDB client with this configuration connects.
    async fn table_url(&self) -> Result<String, BoxError> {
        let params = Params::builder()
            .set_region(self.config.region().map(ToString::to_string))
            .set_use_fips(self.config.use_fips())
            .set_use_dual_stack(self.config.use_dual_stack())
            .set_endpoint(self.table_endpoint.clone())
            .build()?;
        Ok(DefaultResolver::new().resolve_endpoint(&params).await?.url().to_owned())
    }
}

/// Provides the endpoint of a single service, such as `AWS_ENDPOINT_URL_SNS`. It takes precedence over
/// `AWS_ENDPOINT_URL`.
impl<G: Fn(&str) -> Option<String> + Send + Sync> LoadServiceConfig for Environment<G> {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace(' ', "_");
        self.optional(&format!("{}_{service}", key.env()))
    }
}

#[cfg(test)]
mod tests {
    use super::Aws;

    #[tokio::test]
    async fn the_early_connection_goes_to_the_endpoint_of_dynamodb_clients() {
        let cases: [(&str, &[_]); 7] = [
            ("https://dynamodb.eu-west-1.amazonaws.com", &[]),
            (
                "https://dynamodb.eusc-de-east-1.amazonaws.eu",
                &[("AWS_REGION", "eusc-de-east-1")],
            ),
            (
                "https://dynamodb.us-gov-west-1.amazonaws.com",
                &[("AWS_REGION", "us-gov-west-1")],
            ),
            (
                "https://dynamodb.cn-north-1.amazonaws.com.cn",
                &[("AWS_REGION", "cn-north-1")],
            ),
            (
                "https://dynamodb-fips.us-east-1.amazonaws.com",
                &[("AWS_REGION", "us-east-1"), ("AWS_USE_FIPS_ENDPOINT", "true")],
            ),
            (
                "https://dynamodb.eu-west-1.api.aws",
                &[("AWS_USE_DUALSTACK_ENDPOINT", "True")],
            ),
            (
                "http://table",
                &[
                    ("AWS_ENDPOINT_URL_DYNAMODB", "http://table"),
                    ("AWS_ENDPOINT_URL", "http://all"),
                ],
            ),
        ];
        for (expected, variables) in cases {
            let aws = Aws::from_env(move |variable| {
                let set = variables
                    .iter()
                    .find(|(name, _)| *name == variable)
                    .map(|(_, value)| *value);
                let lambda = match variable {
                    "AWS_REGION" => Some("eu-west-1"),
                    "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test"),
                    _ => None,
                };
                set.or(lambda).map(str::to_owned)
            });
            assert_eq!(aws.unwrap().table_url().await.unwrap(), expected);
        }
    }
}
