//! How a Lambda function's AWS clients are set up: where they find region, credentials and endpoints, how long they wait
//! ([`timeouts`](crate::timeouts)), and how they connect.
//!
//! This is most of what a function does before its first event, so it does only what Lambda needs. Region and credentials
//! are environment variables there; the chain of `aws-config` (profile files, SSO, STS, instance metadata) would add code
//! that never runs. All clients share one pool of connections, and nothing touches TLS before the first connection.
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), lambda_kit::BadEnvironment> {
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

use crate::connections::Connections;
use crate::environment::{BadEnvironment, Environment};
use crate::timeouts;

/// What all clients of a function share.
#[derive(Debug, Clone)]
pub struct Aws {
    config: SdkConfig,
    connections: Connections,
    table_endpoint: Option<String>,
}

impl Aws {
    /// From environment variables, through `get` (for example `|name| std::env::var(name).ok()`).
    ///
    /// Outside Lambda, `eval "$(aws configure export-credentials --format env)"` sets what is needed of a profile.
    ///
    /// # Errors
    /// When the region or the credentials are missing; the error names the variable.
    pub fn from_env(get: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Result<Self, BadEnvironment> {
        let environment = Environment(get);
        let region = environment.need("AWS_REGION", "a region such as eu-west-1")?;
        let credentials = Credentials::new(
            environment.need("AWS_ACCESS_KEY_ID", "an access key; Lambda sets it from the role")?,
            environment.need("AWS_SECRET_ACCESS_KEY", "the access key's secret")?,
            environment.get("AWS_SESSION_TOKEN"),
            // Lambda's end with the sandbox, not before it.
            None,
            "environment",
        );
        let endpoint = environment.get("AWS_ENDPOINT_URL");
        let table_endpoint = environment.get("AWS_ENDPOINT_URL_DYNAMODB").or(endpoint.clone());
        let connections = Connections::default();
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .use_fips(environment.is_on("AWS_USE_FIPS_ENDPOINT"))
            .use_dual_stack(environment.is_on("AWS_USE_DUALSTACK_ENDPOINT"))
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

    /// For `Client::new` of any service, and for the builder of a client that is to wait differently.
    #[must_use]
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// Opens a connection to DynamoDB in the background, while the function asks Lambda for its first event. Nothing waits
    /// for it and nothing fails with it: it saves the first event the time of the TLS handshake.
    ///
    /// The request is an unsigned `GET /`, which DynamoDB answers with a word on its health: no permission, no capacity
    /// unit.
    pub fn open_table_connection(&self) {
        let aws = self.clone();
        tokio::spawn(async move {
            let opened = match aws.table_url().await {
                Ok(url) => aws.connections.open(url).await,
                Err(error) => Err(error),
            };
            if let Err(error) = opened {
                tracing::debug!(error, "no early connection to the table");
            }
        });
    }

    /// Where a client of DynamoDB will connect to.
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

#[cfg(test)]
mod tests {
    use super::Aws;

    /// The same hosts that the clients' own tests expect: the early connection is to the one that is used afterwards.
    #[tokio::test]
    async fn the_early_connection_is_to_the_table_s_host() {
        let cases: [(&str, &[_]); 5] = [
            ("https://dynamodb.eu-west-1.amazonaws.com", &[]),
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
        for (expected, changes) in cases {
            let aws = Aws::from_env(move |asked| {
                let set = changes.iter().find(|(name, _)| *name == asked).map(|(_, value)| *value);
                let lambda = match asked {
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
