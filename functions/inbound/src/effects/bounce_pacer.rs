//! Limits the rate of bounces.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// SES accepts one `SendBounce` per second from an account.
const BOUNCE_INTERVAL: Duration = Duration::from_millis(1100);

/// Spaces the bounces of this process. Other processes have their own; a bounce that SES throttles is retried later.
#[derive(Debug, Default)]
pub(super) struct BouncePacer(Mutex<Option<Instant>>);

impl BouncePacer {
    /// Waits until the next bounce may be sent.
    pub(super) async fn wait(&self) {
        let mut last = self.0.lock().await;
        if let Some(last) = *last {
            tokio::time::sleep_until(last + BOUNCE_INTERVAL).await;
        }
        *last = Some(Instant::now());
    }
}
