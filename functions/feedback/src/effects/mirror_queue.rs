//! Sends requests to the queue of the suppression mirror.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_sqs::Client;
use lambda_kit::sdk_error_code;
use notification_model::EmailAddress;
use store::{HistoryEntry, SuppressionSource};

use crate::mirror;
use crate::policy::Policy;

/// Queues changes to SES's own suppression lists. Never delays or fails a notification: senders check the table, and SES's
/// lists are an additional safeguard.
#[derive(Debug, Clone)]
pub struct MirrorQueue {
    client: Client,
    queue_url: String,
    failures: Arc<AtomicU64>,
}

impl MirrorQueue {
    /// Uses an existing queue.
    #[must_use]
    pub fn new(client: Client, queue_url: impl Into<String>) -> Self {
        Self {
            client,
            queue_url: queue_url.into(),
            failures: Arc::default(),
        }
    }

    /// Returns the number of requests since the last call that could not be sent.
    #[must_use]
    pub fn take_failures(&self) -> u64 {
        self.failures.swap(0, Ordering::Relaxed)
    }

    /// Sends the change that a history entry calls for, if any. Counts and logs a failure.
    pub(super) async fn send_change(
        &self,
        address: &EmailAddress,
        source: &SuppressionSource,
        history: &HistoryEntry,
        policy: &Policy,
    ) {
        let Some(request) = mirror::request(address, source, history, policy) else {
            return;
        };
        let message = self.client.send_message().queue_url(&self.queue_url);
        if let Err(error) = message.message_body(request.to_json()).send().await {
            self.failures.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                id = request.id,
                error = sdk_error_code(&error),
                "could not queue a change to SES's suppression list"
            );
        }
    }
}
