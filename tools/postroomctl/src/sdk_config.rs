//! Region, credentials and HTTP client of the operator.

use aws_config::{BehaviorVersion, SdkConfig};

/// Loads Region and credentials from the
/// [usual AWS sources](https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html): environment, profile,
/// SSO, credential process, container or instance. The HTTP client is that of the functions, so that one TLS stack is
/// linked.
pub(crate) async fn load() -> SdkConfig {
    let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(lambda_kit::http_client());
    loader.load().await
}
