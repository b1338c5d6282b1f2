//! Collects digest items, and sends a digest when its window has ended.

use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use store::{DigestKey, Store, StoreError};

use crate::delivery::Delivery;
use crate::digest::Summary;
use crate::effects::mailer::Mailer;
use crate::effects::target_error::TargetError;

/// Time from the end of a window until its digest is sent. Longer than an invocation, so that an item that is being written
/// at the end of the window is in the digest.
const GRACE_PERIOD: SignedDuration = SignedDuration::from_mins(2);

/// How long a claimed digest is left to the invocation that claimed it. Longer than an invocation.
const CLAIM: SignedDuration = SignedDuration::from_mins(16);

/// Time from the start of a window until its items expire. A digest is retried until then.
const RETENTION: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Collects and sends digests.
#[derive(Debug, Clone)]
pub(super) struct Digests {
    store: Store,
    mailer: Mailer,
    window_length: SignedDuration,
}

impl Digests {
    pub(super) fn new(store: Store, mailer: Mailer, window_length: SignedDuration) -> Self {
        Self {
            store,
            mailer,
            window_length,
        }
    }

    /// Adds a delivery to the current digest of an address.
    ///
    /// # Errors
    /// When the address is invalid, or DynamoDB fails.
    pub(super) async fn add(&self, address: &str, delivery: &Delivery, now: Timestamp) -> Result<(), TargetError> {
        let address = self.mailer.recipient(address)?;
        let current = self.window_start(now);
        // The current window is closed only when the clocks of two invocations differ. Then the next window takes the item.
        for window in [current, current + self.window_length] {
            let digest = DigestKey {
                address: address.key().to_owned(),
                window,
            };
            if self
                .add_if_open(&digest, delivery)
                .await
                .map_err(TargetError::temporary)?
            {
                return Ok(());
            }
        }
        Err(TargetError::temporary("no digest is open"))
    }

    /// Sends every digest whose window has ended, one mail per address and window.
    ///
    /// # Errors
    /// When DynamoDB fails, or a digest was not sent. The others are sent, and the failed one is retried by the next run.
    pub(super) async fn send_due(&self, metrics: &mut Metrics, now: Timestamp) -> anyhow::Result<()> {
        let ended = now - self.window_length - GRACE_PERIOD;
        let due = self.store.due_digests(ended).await?;
        let mut failed = 0;
        for digest in &due {
            match self.send(digest, now).await {
                Ok(Some(notifications)) => {
                    tracing::info!(window = %digest.window, notifications, "sent a digest");
                    metrics.count("DigestsSent", vec![]);
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(window = %digest.window, %error, "failed to send a digest");
                    metrics.count("DigestFailures", vec![]);
                    failed += 1;
                }
            }
        }
        anyhow::ensure!(failed == 0, "{failed} of {} digests were not sent", due.len());
        Ok(())
    }

    /// Returns whether the digest was open and has the item.
    async fn add_if_open(&self, digest: &DigestKey, delivery: &Delivery) -> Result<bool, StoreError> {
        let expires_at = digest.window + RETENTION;
        if !self.store.open_digest(digest, expires_at).await? {
            return Ok(false);
        }
        self.store
            .add_digest_item(digest, &delivery.key, &delivery.body, expires_at)
            .await?;
        Ok(true)
    }

    fn window_start(&self, now: Timestamp) -> Timestamp {
        let length = self.window_length.as_secs();
        let start = now.as_second().div_euclid(length) * length;
        Timestamp::from_second(start).unwrap_or(now)
    }

    /// Sends a digest. Returns its number of notifications, or `None` when it is empty or claimed by another invocation.
    async fn send(&self, digest: &DigestKey, now: Timestamp) -> anyhow::Result<Option<usize>> {
        if !self.store.claim_digest(digest, now, now - CLAIM).await? {
            return Ok(None);
        }
        let mut summary = Summary::default();
        self.store.digest_items(digest, |item| summary.add(item)).await?;
        if !summary.is_empty() {
            let mail = summary.render(digest.window, self.window_length);
            let sent = self.mailer.send(&digest.address, &mail).await;
            sent.map_err(|error| anyhow::anyhow!("SendEmail: {error}"))?;
        }
        self.store.mark_digest_sent(digest, now).await?;
        Ok((!summary.is_empty()).then(|| summary.notifications()))
    }
}
