//! Serving on a loopback port.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use tokio::net::TcpListener;

use crate::console::Console;
use crate::router::router;

/// The port without `--port`. Fixed, so that the address of a page stays the same and can be shared.
pub const DEFAULT_PORT: u16 = 8625;

/// Binds the loopback port of a console. No other computer can connect to it.
///
/// # Errors
/// If the port is in use.
pub async fn bind(port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address)
        .await
        .with_context(|| format!("{address}: choose another port with --port"))
}

/// Serves a console until it is idle.
///
/// # Errors
/// If the port fails.
pub async fn serve(listener: TcpListener, console: &Console) -> anyhow::Result<()> {
    tokio::select! {
        result = std::future::IntoFuture::into_future(axum::serve(listener, router(console.clone()))) => Ok(result?),
        () = console.idle() => Ok(()),
    }
}
