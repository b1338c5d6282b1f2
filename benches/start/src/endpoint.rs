//! Local endpoints that the functions call instead of AWS: an embedded DynamoDB behind TLS, the same table with a delay per
//! connection, and an SNS that accepts every message.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// The endpoints.
pub(crate) struct Endpoints {
    /// DynamoDB with the table `postroom`.
    pub(crate) table: String,
    /// The same table with a delay before each new connection is accepted.
    pub(crate) slow_table: String,
    /// SNS.
    pub(crate) topic: String,
    /// A file with the root certificates: those of the system, about as many as on Lambda, and that of the local endpoints.
    pub(crate) roots: PathBuf,
}

/// Paths on Debian and on Amazon Linux, which Lambda runs.
const SYSTEM_ROOTS: [&str; 2] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

impl Endpoints {
    pub(crate) async fn start(connect: Duration) -> anyhow::Result<Self> {
        let (_, table) = store::testing::fresh_with_endpoint().await;
        let upstream = table.trim_start_matches("http://").to_owned();
        let (tls, roots) = tls()?;
        let behind_tls = |wait: Duration| {
            let (tls, upstream) = (tls.clone(), upstream.clone());
            serve("https://localhost", move |client| {
                behind_tls(client, tls.clone(), upstream.clone(), wait)
            })
        };
        Ok(Self {
            table: behind_tls(Duration::ZERO).await?,
            slow_table: behind_tls(connect).await?,
            topic: serve("http://127.0.0.1", accept_publish).await?,
            roots,
        })
    }
}

impl Drop for Endpoints {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.roots);
    }
}

/// The TLS acceptor of the endpoints, and a file with the root certificates that clients need.
fn tls() -> anyhow::Result<(TlsAcceptor, PathBuf)> {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let system = SYSTEM_ROOTS.iter().find_map(|path| std::fs::read_to_string(path).ok());
    let roots = std::env::temp_dir().join(format!("bench-start-{}.pem", std::process::id()));
    std::fs::write(&roots, system.unwrap_or_default() + &certified.cert.pem())?;
    let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)?;
    Ok((TlsAcceptor::from(Arc::new(config)), roots))
}

async fn serve<F>(host: &str, handle: impl Fn(TcpStream) -> F + Send + 'static) -> anyhow::Result<String>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0))
        .await
        .context("cannot listen on a loopback port")?;
    let url = format!("{host}:{}", listener.local_addr()?.port());
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let _ = client.set_nodelay(true);
            // Every run ends by killing the function, so a broken connection is no error.
            tokio::spawn(handle(client));
        }
    });
    Ok(url)
}

async fn behind_tls(client: TcpStream, tls: TlsAcceptor, upstream: String, wait: Duration) -> io::Result<()> {
    tokio::time::sleep(wait).await;
    let mut client = tls.accept(client).await?;
    let mut upstream = TcpStream::connect(upstream).await?;
    upstream.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut upstream).await.map(drop)
}

/// Answers a request with the response to SNS `Publish`.
async fn accept_publish(mut client: TcpStream) -> io::Result<()> {
    const BODY: &str = "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>";
    let response = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{BODY}",
        BODY.len()
    );
    let mut request = vec![0; 64 * 1024];
    if client.read(&mut request).await? > 0 {
        client.write_all(response.as_bytes()).await?;
    }
    Ok(())
}
