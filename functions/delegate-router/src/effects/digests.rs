//! Collects digest items, and sends a digest when its window has ended.

use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use store::{DigestClaim, DigestKey, Store, StoreError};

use crate::delivery::Delivery;
use crate::digest::Summary;
use crate::effects::delivery_queue::DeliveryQueue;
use crate::effects::mailer::Mailer;
use crate::effects::target_error::TargetError;
use crate::metrics::{count_dead_lettered_digest, count_sent_digest};
use crate::rejected_digest::RejectedDigest;

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
    /// For digests that SES rejects permanently.
    delivery_queue: DeliveryQueue,
    window_length: SignedDuration,
}

/// The result of sending a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sending {
    /// SES accepted it.
    Sent,
    /// It has no items, or it was sent before, or it has expired.
    NothingToSend,
    /// Another invocation has claimed it and may still send it.
    InProgress,
    /// SES rejected it permanently, and it is in the dead-letter queue.
    DeadLettered,
}

impl Digests {
    pub(super) fn new(
        store: Store,
        mailer: Mailer,
        delivery_queue: DeliveryQueue,
        window_length: SignedDuration,
    ) -> Self {
        Self {
            store,
            mailer,
            delivery_queue,
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

    /// Sends every digest whose window has ended, one mail per address and window. A digest that SES rejects permanently goes
    /// to the dead-letter queue with the reason.
    ///
    /// # Errors
    /// When DynamoDB fails, or a digest was not sent. The others are sent, and the failed one is retried by the next run.
    pub(super) async fn send_due(&self, metrics: &mut Metrics, now: Timestamp) -> anyhow::Result<()> {
        let ended = now - self.window_length - GRACE_PERIOD;
        let due = self.store.due_digests(ended).await?;
        let mut failed = 0;
        for digest in &due {
            match self.send(digest, metrics, now).await {
                Ok(_) => {}
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

    /// Sends a digest that was rejected, after an operator has moved its message back to the delivery queue.
    ///
    /// # Errors
    /// When it was not sent, also when another invocation is sending it.
    pub(super) async fn send_rejected(
        &self,
        rejected: &RejectedDigest,
        metrics: &mut Metrics,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let sending = self.send(&rejected.digest, metrics, now).await?;
        anyhow::ensure!(
            sending != Sending::InProgress,
            "another invocation has claimed the digest and may still send it"
        );
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

    /// Claims and sends a digest.
    async fn send(&self, digest: &DigestKey, metrics: &mut Metrics, now: Timestamp) -> anyhow::Result<Sending> {
        match self.store.claim_digest(digest, now, now - CLAIM).await? {
            DigestClaim::Claimed => {}
            DigestClaim::InProgress => return Ok(Sending::InProgress),
            DigestClaim::Sent | DigestClaim::Missing => return Ok(Sending::NothingToSend),
        }
        let mut summary = Summary::default();
        self.store.digest_items(digest, |item| summary.add(item)).await?;
        if summary.is_empty() {
            self.store.mark_digest_sent(digest, now).await?;
            return Ok(Sending::NothingToSend);
        }
        let mail = summary.render(digest.window, self.window_length);
        if let Err(error) = self.mailer.send(&digest.address, &mail).await {
            anyhow::ensure!(error.is_permanent, "SendEmail: {error}");
            self.dead_letter(digest, &error, now).await?;
            count_dead_lettered_digest(metrics);
            return Ok(Sending::DeadLettered);
        }
        let notifications = summary.notifications();
        tracing::info!(window = %digest.window, notifications, "sent a digest");
        count_sent_digest(metrics);
        self.store.mark_digest_sent(digest, now).await?;
        Ok(Sending::Sent)
    }

    /// The dead-letter queue has the digest before it is marked: an invocation that stops between the two causes a second
    /// message, never a lost digest.
    async fn dead_letter(&self, digest: &DigestKey, error: &TargetError, now: Timestamp) -> anyhow::Result<()> {
        let rejected = RejectedDigest { digest: digest.clone() };
        self.delivery_queue
            .dead_letter_digest(&rejected, error)
            .await
            .map_err(|dead_letter_error| {
                anyhow::anyhow!(
                    "SES rejected it ({error}), and the dead-letter queue did not accept it: {dead_letter_error}"
                )
            })?;
        tracing::warn!(
            window = %digest.window,
            code = error.code,
            "SES rejected a digest permanently: it is in the dead-letter queue"
        );
        self.store.mark_digest_rejected(digest, now).await?;
        Ok(())
    }
}
