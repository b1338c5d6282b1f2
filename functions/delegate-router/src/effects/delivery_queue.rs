//! The delivery queue and its dead-letter queue.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Display;

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures_util::{StreamExt, stream};
use store::Target;

use crate::delivery::Delivery;
use crate::effects::message_attributes::{accepted, sqs_string};
use crate::effects::target_error::TargetError;
use crate::rejected_digest::RejectedDigest;
use crate::settings::Settings;

/// Maximum number of entries of a SendMessageBatch request.
const MAX_ENTRIES: usize = 10;
/// Maximum size of a SendMessageBatch request. SQS accepts 1 MiB today; this is the former limit.
const MAX_BYTES: usize = 256 * 1024;

/// The delivery queue and its dead-letter queue.
#[derive(Debug, Clone)]
pub(super) struct DeliveryQueue {
    sqs: aws_sdk_sqs::Client,
    url: String,
    dead_letter_url: String,
    concurrency: usize,
}

impl DeliveryQueue {
    pub(super) fn new(sqs: aws_sdk_sqs::Client, settings: &Settings) -> Self {
        Self {
            sqs,
            url: settings.delivery_queue_url.clone(),
            dead_letter_url: settings.dead_letter_queue_url.clone(),
            concurrency: settings.concurrency,
        }
    }

    /// Enqueues deliveries, each with the index of its record. Returns the indexes of the records whose deliveries were not
    /// accepted, with the reason.
    pub(super) async fn enqueue(&self, deliveries: &[(usize, &Delivery)]) -> Vec<(usize, String)> {
        let messages: Vec<(usize, String)> = deliveries
            .iter()
            .map(|(index, delivery)| (*index, delivery.to_message()))
            .collect();
        let failures = stream::iter(batches(&messages))
            .map(|batch| self.enqueue_batch(batch))
            .buffered(self.concurrency)
            .collect::<Vec<_>>();
        failures.await.into_iter().flatten().collect()
    }

    async fn enqueue_batch(&self, messages: &[(usize, String)]) -> Vec<(usize, String)> {
        let fail_all = |reason: &dyn Display| -> Vec<(usize, String)> {
            let reason = format!("SendMessageBatch to the delivery queue: {reason}");
            messages.iter().map(|(index, _)| (*index, reason.clone())).collect()
        };
        let entries = match entries(messages) {
            Ok(entries) => entries,
            Err(error) => return fail_all(&error),
        };
        let request = self.sqs.send_message_batch().queue_url(&self.url);
        let output = match request.set_entries(Some(entries)).send().await {
            Ok(output) => output,
            Err(error) => return fail_all(&TargetError::from_sdk(&error)),
        };
        let accepted: HashSet<&str> = output.successful.iter().map(|entry| entry.id.as_str()).collect();
        let code = |id: &str| {
            let failed = output.failed.iter().find(|failed| failed.id == id);
            failed.map_or("no result", |failed| failed.code.as_str())
        };
        let ids = (0..messages.len()).map(|position| position.to_string());
        let not_accepted = messages
            .iter()
            .zip(ids)
            .filter(|(_, id)| !accepted.contains(id.as_str()));
        not_accepted
            .map(|((index, _), id)| {
                let code = code(&id);
                (*index, format!("the delivery queue did not accept a delivery: {code}"))
            })
            .collect()
    }

    /// Sends a delivery that its target rejected permanently to the dead-letter queue, with the reason.
    ///
    /// # Errors
    /// When the dead-letter queue does not accept it.
    pub(super) async fn dead_letter(&self, delivery: &Delivery, error: &TargetError) -> Result<(), TargetError> {
        let attributes = BTreeMap::from([
            ("target".to_owned(), delivery.target.to_string()),
            ("idempotencyKey".to_owned(), delivery.key.clone()),
        ]);
        self.send_dead_letter(delivery.to_message(), attributes, error).await
    }

    /// Sends a digest that SES rejected permanently to the dead-letter queue, with the reason.
    ///
    /// # Errors
    /// When the dead-letter queue does not accept it.
    pub(super) async fn dead_letter_digest(
        &self,
        rejected: &RejectedDigest,
        error: &TargetError,
    ) -> Result<(), TargetError> {
        let target = Target::Email(rejected.digest.address.clone());
        let attributes = BTreeMap::from([("target".to_owned(), target.to_string())]);
        self.send_dead_letter(rejected.to_message(), attributes, error).await
    }

    async fn send_dead_letter(
        &self,
        body: String,
        mut attributes: BTreeMap<String, String>,
        error: &TargetError,
    ) -> Result<(), TargetError> {
        attributes.insert("reason".to_owned(), error.describe());
        let request = self.sqs.send_message().queue_url(&self.dead_letter_url);
        let mut request = request.message_body(body);
        for (name, value) in accepted(&attributes) {
            request = request.message_attributes(name, sqs_string(value)?);
        }
        let result = request.send().await;
        result.map(drop).map_err(|error| TargetError::from_sdk(&error))
    }
}

/// The entries of a request. The id of an entry is its position.
fn entries(messages: &[(usize, String)]) -> Result<Vec<SendMessageBatchRequestEntry>, aws_sdk_sqs::error::BuildError> {
    let entry = |(position, (_, message)): (usize, &(usize, String))| {
        SendMessageBatchRequestEntry::builder()
            .id(position.to_string())
            .message_body(message)
            .build()
    };
    messages.iter().enumerate().map(entry).collect()
}

/// The fewest batches in the given order. A message above the size limit is alone in its batch, and SQS rejects it.
fn batches(messages: &[(usize, String)]) -> Vec<&[(usize, String)]> {
    let mut batches = Vec::new();
    let mut rest = messages;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fitting = rest.iter().take(MAX_ENTRIES).take_while(|(_, message)| {
            bytes += message.len();
            bytes <= MAX_BYTES
        });
        let (batch, remaining) = rest.split_at(fitting.count().max(1));
        batches.push(batch);
        rest = remaining;
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, batches};

    #[test]
    fn batches_respect_the_limits_and_contain_every_message() {
        let cases: [(&[usize], &[usize]); 4] = [
            (&[], &[]),
            (&[1; 23], &[10, 10, 3]),
            (&[MAX_BYTES / 2; 5], &[2, 2, 1]),
            (&[1, MAX_BYTES + 1, 1, 1], &[1, 1, 2]),
        ];
        for (lengths, expected) in cases {
            let messages: Vec<(usize, String)> = lengths.iter().map(|length| (0, "x".repeat(*length))).collect();
            let sizes: Vec<usize> = batches(&messages).iter().map(|batch| batch.len()).collect();
            assert_eq!(sizes, expected);
        }
    }
}
