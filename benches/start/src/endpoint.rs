//! What the functions call instead of AWS: an embedded DynamoDB, the same behind connections that take a while to open, and
//! an SNS that says yes.

use std::io;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// Where the functions find their services.
pub(crate) struct Endpoints {
    /// The table `postroom`, at once.
    pub(crate) table: String,
    /// The same table; every new connection has to wait first.
    pub(crate) slow_table: String,
    /// SNS.
    pub(crate) topic: String,
}

impl Endpoints {
    pub(crate) async fn start(connect: Duration) -> anyhow::Result<Self> {
        let (_, table) = ledger::testing::fresh_with_endpoint().await;
        let upstream = table.trim_start_matches("http://").to_owned();
        let slow_table = serve(move |client| slow(client, upstream.clone(), connect)).await?;
        let topic = serve(agree).await?;
        Ok(Self {
            table,
            slow_table,
            topic,
        })
    }
}

async fn serve<F>(handle: impl Fn(TcpStream) -> F + Send + 'static) -> anyhow::Result<String>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("a loopback port")?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let _ = client.set_nodelay(true);
            // A function that ends in the middle of a request is how every turn ends.
            tokio::spawn(handle(client));
        }
    });
    Ok(url)
}

async fn slow(mut client: TcpStream, upstream: String, connect: Duration) -> io::Result<()> {
    tokio::time::sleep(connect).await;
    let mut upstream = TcpStream::connect(upstream).await?;
    upstream.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut upstream).await.map(drop)
}

/// Answers every request with what SNS says to `Publish`.
async fn agree(mut client: TcpStream) -> io::Result<()> {
    const BODY: &str = "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>";
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{BODY}",
        BODY.len()
    );
    let mut request = vec![0; 64 * 1024];
    if client.read(&mut request).await? > 0 {
        client.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}
