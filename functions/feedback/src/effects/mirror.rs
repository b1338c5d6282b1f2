//! The way to the mirror lane's queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use store::MirrorRequest;

/// Asks the mirror lane, without ever holding up a notification: the table is what senders go by, SES's lists are a second
/// line.
#[derive(Debug, Clone)]
pub struct Mirror {
    queue: Client,
    queue_url: String,
    failures: Arc<AtomicU64>,
}

impl Mirror {
    /// A way to an existing queue.
    #[must_use]
    pub fn new(queue: Client, queue_url: impl Into<String>) -> Self {
        Self {
            queue,
            queue_url: queue_url.into(),
            failures: Arc::default(),
        }
    }

    /// How many requests could not be sent since the last call.
    #[must_use]
    pub fn take_failures(&self) -> u64 {
        self.failures.swap(0, Ordering::Relaxed)
    }

    pub(super) async fn send(&self, request: &MirrorRequest) {
        let message = self.queue.send_message().queue_url(&self.queue_url);
        if let Err(error) = message.message_body(request.to_json()).send().await {
            self.failures.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                id = request.id,
                code = error.code(),
                "could not ask for SES's own list to be changed"
            );
        }
    }
}
