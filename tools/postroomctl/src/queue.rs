//! An SQS queue: peek at messages, send them, and delete them afterwards.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message, MessageAttributeValue,
    MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
};
use jiff::{SignedDuration, Timestamp};

use crate::aws_error::AwsError;

/// The maximum number of messages in a batch request of SQS.
const MAX_BATCH_MESSAGES: usize = 10;
/// A quarter of the limit of SQS, and the whole limit of SQS before 2025 and of other implementations.
const MAX_BATCH_BYTES: usize = 256 * 1024;
const SEND_ATTEMPTS: u32 = 5;
/// The number of consecutive responses without a new message after which a queue counts as read. A single response may
/// omit messages, because SQS queries a subset of its servers.
pub(crate) const EMPTY_RESPONSES: u32 = 2;

pub(crate) struct Queue {
    client: Client,
    pub(crate) url: String,
}

#[derive(Debug, Clone)]
pub(crate) struct QueueMessage {
    pub(crate) id: String,
    receipt_handle: String,
    pub(crate) body: String,
    /// When it was first sent. A dead-letter queue keeps the time of the source queue.
    pub(crate) sent_at: Option<Timestamp>,
    pub(crate) attributes: HashMap<String, MessageAttributeValue>,
}

/// A message to send.
pub(crate) struct OutgoingMessage<'a> {
    pub(crate) body: &'a str,
    pub(crate) attributes: &'a HashMap<String, MessageAttributeValue>,
}

/// A message that was not sent: its index, and the error.
pub(crate) struct SendFailure {
    pub(crate) index: usize,
    pub(crate) error: String,
}

pub(crate) struct QueueInfo {
    /// Approximate, with the messages that are in flight.
    pub(crate) messages: u64,
    pub(crate) retention: Option<SignedDuration>,
}

impl Queue {
    pub(crate) async fn open(url: &str) -> Self {
        let config = crate::sdk_config::load().await;
        Self {
            client: Client::new(&config),
            url: url.to_owned(),
        }
    }

    /// The last part of the URL.
    pub(crate) fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or(&self.url)
    }

    pub(crate) async fn info(&self) -> Result<QueueInfo, AwsError> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::MessageRetentionPeriod,
        ];
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let request = names
            .iter()
            .fold(request, |request, name| request.attribute_names(name.clone()));
        let response = request.send().await;
        let response = response.map_err(|error| AwsError::of_operation("GetQueueAttributes", &error))?;
        let attributes = response.attributes.unwrap_or_default();
        let number = |name: &QueueAttributeName| attributes.get(name).and_then(|text| text.parse::<u64>().ok());
        let [visible, in_flight, retention] = &names;
        Ok(QueueInfo {
            messages: number(visible).unwrap_or_default() + number(in_flight).unwrap_or_default(),
            retention: number(retention)
                .and_then(|seconds| i64::try_from(seconds).ok())
                .map(SignedDuration::from_secs),
        })
    }

    /// The URLs of the queues whose redrive policy names this queue.
    pub(crate) async fn source_queues(&self) -> Result<Vec<String>, AwsError> {
        let request = self.client.list_dead_letter_source_queues().queue_url(&self.url);
        let response = request.send().await;
        let response = response.map_err(|error| AwsError::of_operation("ListDeadLetterSourceQueues", &error))?;
        Ok(response.queue_urls)
    }

    /// Receives up to ten messages, which are invisible to other receivers for `visibility_timeout`.
    pub(crate) async fn receive(&self, visibility_timeout: Duration) -> Result<Vec<QueueMessage>, AwsError> {
        let request = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(10)
            .visibility_timeout(i32::try_from(visibility_timeout.as_secs()).unwrap_or(i32::MAX))
            // Long polling, because short polling queries a subset of the servers of SQS.
            .wait_time_seconds(1)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .message_attribute_names("All");
        let response = request.send().await;
        let response = response.map_err(|error| AwsError::of_operation("ReceiveMessage", &error))?;
        let messages = response.messages.unwrap_or_default();
        Ok(messages.into_iter().filter_map(queue_message).collect())
    }

    /// Receives up to `limit` messages and makes them visible again. If that fails, they become visible after
    /// `visibility_timeout`.
    pub(crate) async fn peek(&self, limit: usize, visibility_timeout: Duration) -> Result<Vec<QueueMessage>, AwsError> {
        let mut seen: Vec<QueueMessage> = Vec::new();
        let mut empty_responses = 0;
        let mut failure = None;
        while empty_responses < EMPTY_RESPONSES && seen.len() < limit {
            match self.receive(visibility_timeout).await {
                Ok(received) => {
                    let before = seen.len();
                    for message in received {
                        if seen.iter().all(|known| known.id != message.id) {
                            seen.push(message);
                        }
                    }
                    empty_responses = if seen.len() == before { empty_responses + 1 } else { 0 };
                }
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        self.make_visible(&seen).await?;
        match failure {
            Some(error) => Err(error),
            None => {
                seen.truncate(limit);
                Ok(seen)
            }
        }
    }

    /// Ends the visibility timeout of messages.
    pub(crate) async fn make_visible(&self, messages: &[QueueMessage]) -> Result<(), AwsError> {
        for chunk in messages.chunks(MAX_BATCH_MESSAGES) {
            let entries = chunk.iter().enumerate().map(|(index, message)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(&message.receipt_handle)
                    .visibility_timeout(0)
                    .build()
            });
            let entries = entries.collect::<Result<Vec<_>, _>>();
            let entries = entries.map_err(|error| AwsError::new(error.to_string()))?;
            let request = self.client.change_message_visibility_batch().queue_url(&self.url);
            let response = request.set_entries(Some(entries)).send().await;
            response.map_err(|error| AwsError::of_operation("ChangeMessageVisibilityBatch", &error))?;
        }
        Ok(())
    }

    /// Sends messages and retries those that SQS does not accept. Returns those that it did not accept in any attempt.
    pub(crate) async fn send(&self, messages: &[OutgoingMessage<'_>]) -> Vec<SendFailure> {
        let mut failures: Vec<SendFailure> = Vec::new();
        let mut batch: Vec<usize> = Vec::new();
        let mut bytes = 0;
        for (index, message) in messages.iter().enumerate() {
            let exceeds_bytes = !batch.is_empty() && bytes + message.body.len() > MAX_BATCH_BYTES;
            if batch.len() == MAX_BATCH_MESSAGES || exceeds_bytes {
                failures.extend(self.send_batch(messages, std::mem::take(&mut batch)).await);
                bytes = 0;
            }
            bytes += message.body.len();
            batch.push(index);
        }
        failures.extend(self.send_batch(messages, batch).await);
        failures
    }

    async fn send_batch(&self, messages: &[OutgoingMessage<'_>], batch: Vec<usize>) -> Vec<SendFailure> {
        let mut pending: Vec<SendFailure> = batch
            .into_iter()
            .map(|index| SendFailure {
                index,
                error: String::new(),
            })
            .collect();
        for attempt in 0..SEND_ATTEMPTS {
            if pending.is_empty() {
                break;
            }
            if attempt > 0 {
                tokio::time::sleep(Duration::from_millis(200 << attempt)).await;
            }
            self.send_pending(messages, &mut pending).await;
        }
        pending
    }

    /// Sends the pending messages once. Removes those that SQS accepted, and sets the error of the others.
    async fn send_pending(&self, messages: &[OutgoingMessage<'_>], pending: &mut Vec<SendFailure>) {
        let entries = pending.iter().filter_map(|SendFailure { index, .. }| {
            let message = messages.get(*index)?;
            let entry = SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(message.body);
            let attributes = (!message.attributes.is_empty()).then(|| message.attributes.clone());
            entry.set_message_attributes(attributes).build().ok()
        });
        let request = self.client.send_message_batch().queue_url(&self.url);
        let response = match request.set_entries(Some(entries.collect())).send().await {
            Ok(response) => response,
            // SQS may have accepted some of them. A retry is safe: the functions handle a duplicate like one message.
            Err(error) => {
                let error = AwsError::of_operation("SendMessageBatch", &error).to_string();
                pending.iter_mut().for_each(|failure| failure.error.clone_from(&error));
                return;
            }
        };
        let errors: HashMap<&str, String> = response
            .failed()
            .iter()
            .map(|failed| {
                let message = failed.message().unwrap_or_default();
                (failed.id(), format!("{}: {message}", failed.code()))
            })
            .collect();
        let accepted: Vec<&str> = response.successful().iter().map(|entry| entry.id()).collect();
        pending.retain(|failure| !accepted.contains(&failure.index.to_string().as_str()));
        for failure in pending {
            failure.error = errors
                .get(failure.index.to_string().as_str())
                .cloned()
                .unwrap_or_else(|| "missing in the response".to_owned());
        }
    }

    /// Deletes messages. Returns the ids of those that are still in the queue.
    pub(crate) async fn delete(&self, messages: &[&QueueMessage]) -> Vec<String> {
        let mut remaining = Vec::new();
        for chunk in messages.chunks(MAX_BATCH_MESSAGES) {
            let entries = chunk.iter().enumerate().filter_map(|(index, message)| {
                let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
                entry.receipt_handle(&message.receipt_handle).build().ok()
            });
            let request = self.client.delete_message_batch().queue_url(&self.url);
            let response = request.set_entries(Some(entries.collect())).send().await;
            let deleted: Vec<String> = match &response {
                Ok(response) => response
                    .successful()
                    .iter()
                    .map(|entry| entry.id().to_owned())
                    .collect(),
                Err(_) => Vec::new(),
            };
            let not_deleted = chunk
                .iter()
                .enumerate()
                .filter(|(index, _)| !deleted.contains(&index.to_string()));
            remaining.extend(not_deleted.map(|(_, message)| message.id.clone()));
        }
        remaining
    }
}

fn queue_message(message: Message) -> Option<QueueMessage> {
    let sent_at = message
        .attributes
        .as_ref()
        .and_then(|attributes| attributes.get(&MessageSystemAttributeName::SentTimestamp))
        .and_then(|text| Timestamp::from_millisecond(text.parse().ok()?).ok());
    Some(QueueMessage {
        id: message.message_id?,
        receipt_handle: message.receipt_handle?,
        body: message.body.unwrap_or_default(),
        sent_at,
        attributes: message.message_attributes.unwrap_or_default(),
    })
}
