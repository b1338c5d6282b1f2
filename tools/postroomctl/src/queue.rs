//! An SQS queue as a person handles it: look without taking, send, and only then delete.

use std::collections::HashMap;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message, MessageAttributeValue,
    MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
};
use jiff::{SignedDuration, Timestamp};

use crate::table::AwsFailed;

/// What SQS takes in one request.
const MOST_IN_A_BATCH: usize = 10;
/// A quarter of what SQS takes today, and all that other implementations and older queues do.
const MOST_BYTES_IN_A_BATCH: usize = 256 * 1024;
const SEND_ATTEMPTS: u32 = 5;
/// Answers without anything new after which a queue is taken for read: one alone may come from an empty corner of it.
const EMPTY_ANSWERS: u32 = 2;

pub(crate) struct Queue {
    client: Client,
    pub(crate) url: String,
}

/// A message in a queue.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) id: String,
    handle: String,
    pub(crate) body: String,
    /// When it was first sent; a dead-letter queue keeps the time of the queue it came from.
    pub(crate) sent: Option<Timestamp>,
    pub(crate) attributes: HashMap<String, MessageAttributeValue>,
}

/// How many messages wait, about, and how long the queue keeps one.
pub(crate) struct Counts {
    pub(crate) waiting: u64,
    pub(crate) kept: Option<SignedDuration>,
}

impl Queue {
    pub(crate) async fn open(url: &str) -> Self {
        let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
        Self {
            client: Client::new(&config),
            url: url.to_owned(),
        }
    }

    /// The last part of its URL.
    pub(crate) fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or(&self.url)
    }

    pub(crate) async fn counts(&self) -> Result<Counts, AwsFailed> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::MessageRetentionPeriod,
        ];
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let request = names
            .iter()
            .fold(request, |request, name| request.attribute_names(name.clone()));
        let answer = request
            .send()
            .await
            .map_err(|error| failed("GetQueueAttributes", &error))?;
        let attributes = answer.attributes.unwrap_or_default();
        let number = |name: &QueueAttributeName| attributes.get(name).and_then(|text| text.parse::<u64>().ok());
        let [visible, taken, kept] = &names;
        Ok(Counts {
            waiting: number(visible).unwrap_or_default() + number(taken).unwrap_or_default(),
            kept: number(kept)
                .and_then(|seconds| i64::try_from(seconds).ok())
                .map(SignedDuration::from_secs),
        })
    }

    /// The queues whose messages end here, as their redrive policies say.
    pub(crate) async fn sources(&self) -> Result<Vec<String>, AwsFailed> {
        let request = self.client.list_dead_letter_source_queues().queue_url(&self.url);
        let answer = request
            .send()
            .await
            .map_err(|error| failed("ListDeadLetterSourceQueues", &error))?;
        Ok(answer.queue_urls)
    }

    /// Up to ten messages, which nobody else gets for `hold`.
    pub(crate) async fn take(&self, hold: Duration) -> Result<Vec<Waiting>, AwsFailed> {
        let request = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(10)
            .visibility_timeout(i32::try_from(hold.as_secs()).unwrap_or(i32::MAX))
            // Without waiting, SQS asks some of its servers only.
            .wait_time_seconds(1)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .message_attribute_names("All");
        let answer = request.send().await.map_err(|error| failed("ReceiveMessage", &error))?;
        Ok(answer
            .messages
            .unwrap_or_default()
            .into_iter()
            .filter_map(waiting)
            .collect())
    }

    /// Looks at up to `most` messages and gives them back. Whatever happens, they are back after `hold` at the latest.
    pub(crate) async fn look(&self, most: usize, hold: Duration) -> Result<Vec<Waiting>, AwsFailed> {
        let mut seen: Vec<Waiting> = Vec::new();
        let mut empty = 0;
        let mut trouble = None;
        while empty < EMPTY_ANSWERS && seen.len() < most {
            match self.take(hold).await {
                Ok(taken) => {
                    let before = seen.len();
                    for message in taken {
                        if seen.iter().all(|known| known.id != message.id) {
                            seen.push(message);
                        }
                    }
                    empty = if seen.len() == before { empty + 1 } else { 0 };
                }
                Err(error) => {
                    trouble = Some(error);
                    break;
                }
            }
        }
        self.give_back(&seen).await?;
        match trouble {
            Some(error) => Err(error),
            None => {
                seen.truncate(most);
                Ok(seen)
            }
        }
    }

    /// Lets others have the messages again, now.
    pub(crate) async fn give_back(&self, messages: &[Waiting]) -> Result<(), AwsFailed> {
        for chunk in messages.chunks(MOST_IN_A_BATCH) {
            let entries = chunk.iter().enumerate().map(|(index, message)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(&message.handle)
                    .visibility_timeout(0)
                    .build()
            });
            let entries = entries.collect::<Result<Vec<_>, _>>().map_err(AwsFailed::new)?;
            let request = self.client.change_message_visibility_batch().queue_url(&self.url);
            let request = request.set_entries(Some(entries)).send().await;
            request.map_err(|error| failed("ChangeMessageVisibilityBatch", &error))?;
        }
        Ok(())
    }

    /// Sends every message and tries again what SQS did not take; the positions of those it never took, with its words.
    pub(crate) async fn send(
        &self,
        messages: &[(&str, &HashMap<String, MessageAttributeValue>)],
    ) -> Vec<(usize, String)> {
        let mut left: Vec<(usize, String)> = Vec::new();
        let mut chunk: Vec<usize> = Vec::new();
        let mut bytes = 0;
        for (index, (body, _)) in messages.iter().enumerate() {
            if chunk.len() == MOST_IN_A_BATCH || (!chunk.is_empty() && bytes + body.len() > MOST_BYTES_IN_A_BATCH) {
                left.extend(self.send_chunk(messages, std::mem::take(&mut chunk)).await);
                bytes = 0;
            }
            bytes += body.len();
            chunk.push(index);
        }
        left.extend(self.send_chunk(messages, chunk).await);
        left
    }

    async fn send_chunk(
        &self,
        messages: &[(&str, &HashMap<String, MessageAttributeValue>)],
        chunk: Vec<usize>,
    ) -> Vec<(usize, String)> {
        let mut left: Vec<(usize, String)> = chunk.into_iter().map(|index| (index, String::new())).collect();
        for attempt in 0..SEND_ATTEMPTS {
            if left.is_empty() {
                break;
            }
            if attempt > 0 {
                tokio::time::sleep(Duration::from_millis(200 << attempt)).await;
            }
            let entries = left.iter().filter_map(|(index, _)| {
                let (body, attributes) = messages.get(*index)?;
                let entry = SendMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .message_body(*body);
                let attributes = (!attributes.is_empty()).then(|| (*attributes).clone());
                entry.set_message_attributes(attributes).build().ok()
            });
            let request = self.client.send_message_batch().queue_url(&self.url);
            match request.set_entries(Some(entries.collect())).send().await {
                // Nothing is known of any of them. Whoever reads the queue handles the same message twice as once.
                Err(error) => {
                    let says = failed("SendMessageBatch", &error).to_string();
                    left.iter_mut().for_each(|(_, why)| why.clone_from(&says));
                }
                Ok(answer) => {
                    let refused: HashMap<&str, String> = answer
                        .failed()
                        .iter()
                        .map(|one| {
                            (
                                one.id(),
                                format!("{}: {}", one.code(), one.message().unwrap_or_default()),
                            )
                        })
                        .collect();
                    let taken: Vec<&str> = answer.successful().iter().map(|one| one.id()).collect();
                    left.retain(|(index, _)| !taken.contains(&index.to_string().as_str()));
                    for (index, why) in &mut left {
                        *why = refused
                            .get(index.to_string().as_str())
                            .cloned()
                            .unwrap_or_else(|| "no answer".to_owned());
                    }
                }
            }
        }
        left
    }

    /// Deletes messages; the ids of those that are still there.
    pub(crate) async fn delete(&self, messages: &[&Waiting]) -> Vec<String> {
        let mut left = Vec::new();
        for chunk in messages.chunks(MOST_IN_A_BATCH) {
            let entries = chunk.iter().enumerate().filter_map(|(index, message)| {
                let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
                entry.receipt_handle(&message.handle).build().ok()
            });
            let request = self.client.delete_message_batch().queue_url(&self.url);
            let answer = request.set_entries(Some(entries.collect())).send().await;
            let gone: Vec<String> = match &answer {
                Ok(answer) => answer.successful().iter().map(|one| one.id().to_owned()).collect(),
                Err(_) => Vec::new(),
            };
            let here = chunk
                .iter()
                .enumerate()
                .filter(|(index, _)| !gone.contains(&index.to_string()));
            left.extend(here.map(|(_, message)| message.id.clone()));
        }
        left
    }
}

fn waiting(message: Message) -> Option<Waiting> {
    let sent = message
        .attributes
        .as_ref()
        .and_then(|attributes| attributes.get(&MessageSystemAttributeName::SentTimestamp))
        .and_then(|text| Timestamp::from_millisecond(text.parse().ok()?).ok());
    Some(Waiting {
        id: message.message_id?,
        handle: message.receipt_handle?,
        body: message.body.unwrap_or_default(),
        sent,
        attributes: message.message_attributes.unwrap_or_default(),
    })
}

fn failed<E: ProvideErrorMetadata + std::error::Error>(operation: &str, error: &E) -> AwsFailed {
    let mut cause = match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => error.to_string(),
    };
    if error.code().is_none() {
        let mut inner = error.source();
        while let Some(error) = inner {
            cause.push_str(&format!(": {error}"));
            inner = error.source();
        }
    }
    AwsFailed::new(format!("{operation}: {cause}"))
}
