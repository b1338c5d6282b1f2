//! The connection pool that all AWS clients share, with its TLS configuration.

use std::sync::{Arc, OnceLock};

use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_http_client::ConnectorBuilder;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;

use crate::timeouts::{CONNECT, POOL_IDLE};

/// An HTTP client that creates its connector on first use. The default client of the SDK reads and parses the root
/// certificates, which takes a few milliseconds, each time a client is created.
#[derive(Debug, Clone, Default)]
pub(crate) struct Connections(Arc<OnceLock<SharedHttpConnector>>);

/// Creates an HTTP client with the TLS set-up of the functions, for clients that are configured by other means.
#[must_use]
pub fn http_client() -> SharedHttpClient {
    SharedHttpClient::new(Connections::default())
}

impl HttpClient for Connections {
    /// Ignores the settings: all clients use the same connect time-out, so they can share one connector.
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        self.connector()
    }
}

impl Connections {
    /// Opens a connection and adds it to the pool.
    pub(crate) async fn open(self, url: String) -> Result<(), BoxError> {
        let mut request = HttpRequest::new(SdkBody::empty());
        request.set_uri(url)?;
        // On another thread, because this one asks Lambda for the next event.
        let connector = tokio::task::spawn_blocking(move || self.connector()).await?;
        let response = connector.call(request).await?;
        // The pool reuses a connection only after the response has been read.
        ByteStream::new(response.into_body()).collect().await?;
        Ok(())
    }

    fn connector(&self) -> SharedHttpConnector {
        self.0.get_or_init(new_connector).clone()
    }
}

/// Uses the root certificates of the system or of `SSL_CERT_FILE`, and the proxy of `HTTPS_PROXY` if it is set.
///
/// The cryptography is `ring`, whose code is a third of the size of AWS-LC, the default of the SDK. Ring does not offer
/// post-quantum key exchange.
fn new_connector() -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT).build();
    SharedHttpConnector::new(
        ConnectorBuilder::default()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .connector_settings(settings)
            .pool_idle_timeout(POOL_IDLE)
            .proxy_config(ProxyConfig::from_env())
            .build(),
    )
}
