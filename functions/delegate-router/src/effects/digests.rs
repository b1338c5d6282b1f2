//! Collects what people are told, and mails it when its window has ended.

use aws_sdk_sesv2::error::BuildError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag};
use jiff::{SignedDuration, Timestamp};
use lambda_kit::Metrics;
use notification_model::EmailAddress;
use serde_json::Value;
use store::DigestKey;

use crate::decide::{NOTICE_HEADER, NOTICE_TAG};
use crate::delivery::Delivery;
use crate::digest::{Rendered, Summary};
use crate::effects::Effects;
use crate::effects::rejection::Rejection;
use crate::effects::targets::incomplete;

/// From a window's end until its digest is sent: longer than an invocation can take, so that a line that was on its way
/// when the window ended is in.
const GRACE: SignedDuration = SignedDuration::from_mins(2);

/// For how long a run that claimed a digest is believed to be at it: longer than any invocation.
const CLAIM: SignedDuration = SignedDuration::from_mins(16);

/// How long a digest is tried, and kept after it was sent.
const KEPT: SignedDuration = SignedDuration::from_hours(14 * 24);

impl Effects {
    pub(super) async fn add_to_digest(
        &self,
        address: &str,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<(), Rejection> {
        let address = self.mailable(address)?;
        let failed = |error: store::StoreError| Rejection::for_now(&error.to_string());
        let window = self.window(now);
        // The present window is closed only when clocks disagree; then the next one takes the line.
        for window in [window, window + self.settings.digest_window] {
            let digest = DigestKey {
                address: address.key().to_owned(),
                window,
            };
            let expires_at = window + KEPT;
            if self.store.open_digest(&digest, expires_at).await.map_err(failed)? {
                let line = self
                    .store
                    .add_digest_item(&digest, &delivery.key, &delivery.body, expires_at);
                return line.await.map_err(failed);
            }
        }
        Err(Rejection::for_now("no digest is open"))
    }

    /// The address, if anyone can be mailed at all.
    pub(super) fn mailable(&self, address: &str) -> Result<EmailAddress, Rejection> {
        if self.settings.digest_from.is_none() {
            return Err(Rejection::for_good(
                "NoDigestSender",
                "DIGEST_FROM is not set, so nobody can be mailed",
            ));
        }
        EmailAddress::parse(address)
            .filter(|address| address.domain().is_some())
            .ok_or_else(|| Rejection::for_good("InvalidAddress", "expected a mail address"))
    }

    fn window(&self, now: Timestamp) -> Timestamp {
        let length = self.settings.digest_window.as_secs();
        let began = now.as_second().div_euclid(length) * length;
        Timestamp::from_second(began).unwrap_or(now)
    }

    /// Sends every digest whose window has ended, one mail per person and window.
    ///
    /// # Errors
    /// When the table fails, or when a digest was not sent; the others were. It stays due until it is.
    pub async fn send_digests(&self, metrics: &mut Metrics, now: Timestamp) -> anyhow::Result<()> {
        let ended = now - self.settings.digest_window - GRACE;
        let due = self.store.due_digests(ended).await?;
        let mut failed = 0;
        for digest in &due {
            match self.send_digest(digest, now).await {
                Ok(Some(notifications)) => {
                    tracing::info!(window = %digest.window, notifications, "sent a digest");
                    metrics.count("DigestsSent", vec![]);
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(window = %digest.window, error = %error, "did not send a digest");
                    metrics.count("DigestFailures", vec![]);
                    failed += 1;
                }
            }
        }
        anyhow::ensure!(failed == 0, "{failed} of {} digests were not sent", due.len());
        Ok(())
    }

    /// How many notifications the digest told of; `None` when there was nothing to send, or another run is at it.
    async fn send_digest(&self, digest: &DigestKey, now: Timestamp) -> anyhow::Result<Option<usize>> {
        if !self.store.claim_digest(digest, now, now - CLAIM).await? {
            return Ok(None);
        }
        let mut summary = Summary::default();
        self.store.digest_items(digest, |line| summary.add(line)).await?;
        if !summary.is_empty() {
            self.send_mail(
                &digest.address,
                &summary.render(digest.window, self.settings.digest_window),
            )
            .await
            .map_err(|rejection| anyhow::anyhow!("SendEmail: {rejection}"))?;
        }
        self.store.mark_digest_sent(digest, now).await?;
        Ok((!summary.is_empty()).then(|| summary.notifications()))
    }

    /// Mails an alert at once, without a digest: alerts are rare and urgent. SES has no idempotency key, so a retry after a
    /// lost answer mails the alert twice.
    pub(super) async fn mail_alert(&self, address: &str, delivery: &Delivery) -> Result<(), Rejection> {
        let address = self.mailable(address)?;
        let alert: Value = serde_json::from_str(&delivery.body).unwrap_or_default();
        let text = |name: &str| alert.get(name).and_then(Value::as_str);
        let (Some(subject), Some(text)) = (text("subject"), text("text")) else {
            return Err(Rejection::for_good(
                "InvalidAlert",
                "expected an alert's subject and text",
            ));
        };
        self.send_mail(address.key(), &Rendered::of_text(subject, text)).await
    }

    pub(super) async fn send_mail(&self, address: &str, rendered: &Rendered) -> Result<(), Rejection> {
        let from = self.settings.digest_from.as_ref();
        let from = from.ok_or_else(|| Rejection::for_now("DIGEST_FROM is not set"))?;
        let (name, value) = NOTICE_TAG;
        let tag = MessageTag::builder().name(name).value(value).build();
        self.clients
            .ses
            .send_email()
            .from_email_address(from.as_str())
            .destination(Destination::builder().to_addresses(address).build())
            .content(content(rendered).map_err(|error| incomplete(&error))?)
            .email_tags(tag.map_err(|error| incomplete(&error))?)
            .send()
            .await
            .map(drop)
            .map_err(|error| Rejection::of(&error))
    }
}

fn content(rendered: &Rendered) -> Result<EmailContent, BuildError> {
    let text = |text: &str| Content::builder().data(text).charset("UTF-8").build();
    let header = |name: &str, value: &str| MessageHeader::builder().name(name).value(value).build();
    let body = Body::builder()
        .text(text(&rendered.text)?)
        .html(text(&rendered.html)?)
        .build();
    let message = Message::builder()
        .subject(text(&rendered.subject)?)
        .body(body)
        .headers(header(NOTICE_HEADER, NOTICE_TAG.1)?)
        // RFC 3834: no machine is to answer.
        .headers(header("Auto-Submitted", "auto-generated")?)
        .build();
    Ok(EmailContent::builder().simple(message).build())
}
