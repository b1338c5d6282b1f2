//! The one pool of connections, and the only TLS set-up.

use std::sync::{Arc, OnceLock};

use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_http_client::ConnectorBuilder;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;

use crate::timeouts::{CONNECT, KEEP_IDLE};

/// Made when first used. The SDK's own client reads and parses the system's root certificates, a few milliseconds of work,
/// for every service's client and when that is made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Connections(Arc<OnceLock<SharedHttpConnector>>);

impl HttpClient for Connections {
    /// All clients wait equally long for a connection, so they can share it.
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        self.connector()
    }
}

impl Connections {
    /// Opens a connection and leaves it to the pool.
    pub(crate) async fn open(self, url: String) -> Result<(), BoxError> {
        let mut request = HttpRequest::new(SdkBody::empty());
        request.set_uri(url)?;
        // Beside this thread, which has to ask Lambda for work.
        let connector = tokio::task::spawn_blocking(move || self.connector()).await?;
        let answer = connector.call(request).await?;
        // Only a connection whose answer has been read is used again.
        ByteStream::new(answer.into_body()).collect().await?;
        Ok(())
    }

    fn connector(&self) -> SharedHttpConnector {
        self.0.get_or_init(connect).clone()
    }
}

/// The system's root certificates, or those of `SSL_CERT_FILE`; the proxy of `HTTPS_PROXY`, if there is one. Ring is a
/// third of the size of AWS-LC, which the SDK takes by default; what it lacks is the post-quantum key exchange.
fn connect() -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT).build();
    SharedHttpConnector::new(
        ConnectorBuilder::default()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .connector_settings(settings)
            .pool_idle_timeout(KEEP_IDLE)
            .proxy_config(ProxyConfig::from_env())
            .build(),
    )
}
