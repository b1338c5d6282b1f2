//! Applies actions: with its parts the only target_key here that awaits AWS.

mod digests;
mod facts;
mod rejection;
mod targets;

use std::collections::HashSet;
use std::fmt::Display;

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures_util::{StreamExt, stream};
use lambda_kit::LazyClient;
use store::{Route, Store, StoreError};

use crate::alert::Alert;
use crate::decide::{Action, Unrouted};
use crate::decide_alert::route_keys;
use crate::delivery::Delivery;
use crate::effects::facts::RoutingTable;
use crate::effects::rejection::Rejection;
use crate::settings::Settings;

pub use crate::effects::targets::Delivered;

/// Entries in one SendMessageBatch, and the bytes they share. SQS takes more bytes today than when that was its limit.
const BATCH_ENTRIES: usize = 10;
const BATCH_BYTES: usize = 256 * 1024;

/// The clients of the services that targets live in. Those that most events do without are made when they are used.
#[derive(Debug, Clone)]
pub struct Clients {
    /// For topics.
    pub sns: LazyClient<aws_sdk_sns::Client>,
    /// For queues, the targets' and our own.
    pub sqs: aws_sdk_sqs::Client,
    /// For buses.
    pub eventbridge: LazyClient<aws_sdk_eventbridge::Client>,
    /// For digests and alerts.
    pub ses: LazyClient<aws_sdk_sesv2::Client>,
}

/// Where actions take effect.
#[derive(Debug, Clone)]
pub struct Effects {
    /// The configuration.
    pub settings: Settings,
    store: Store,
    clients: Clients,
    routing: RoutingTable,
}

impl Effects {
    /// Effects on this table and these services, with nothing remembered yet.
    #[must_use]
    pub fn new(store: Store, clients: Clients, settings: Settings) -> Self {
        Self {
            routing: RoutingTable::new(store.clone(), &settings),
            store,
            clients,
            settings,
        }
    }

    /// The routes that can match an alert.
    ///
    /// # Errors
    /// When DynamoDB fails or a row cannot be read.
    pub async fn routes_for_alert(&self, alert: &Alert) -> Result<Vec<Route>, StoreError> {
        let routes = self.routing.routes(route_keys(alert).into_iter().collect()).await?;
        Ok(routes.values().flat_map(|routes| routes.iter().cloned()).collect())
    }

    /// Applies the actions of a batch. `actions` come with the index of the record they belong to; the answer names the
    /// records for which not everything was accepted, and why.
    pub async fn apply(&self, actions: &[(usize, Action)]) -> Vec<(usize, String)> {
        let mut deliveries = Vec::new();
        let mut unrouted = Vec::new();
        for (index, action) in actions {
            match action {
                Action::Deliver(delivery) => deliveries.push((*index, delivery)),
                Action::Unrouted(one) => unrouted.push((*index, one)),
            }
        }
        let (enqueued, published) = futures_util::join!(self.enqueue(&deliveries), self.publish_unrouted(&unrouted));
        enqueued.into_iter().chain(published).collect()
    }

    async fn enqueue(&self, deliveries: &[(usize, &Delivery)]) -> Vec<(usize, String)> {
        let messages: Vec<(usize, String)> = deliveries
            .iter()
            .map(|(index, delivery)| (*index, delivery.to_message()))
            .collect();
        let failures = stream::iter(batches(&messages))
            .map(|batch| self.enqueue_batch(batch))
            .buffered(self.settings.concurrency)
            .collect::<Vec<_>>();
        failures.await.into_iter().flatten().collect()
    }

    async fn enqueue_batch(&self, messages: &[(usize, String)]) -> Vec<(usize, String)> {
        let all = |why: &dyn Display| -> Vec<(usize, String)> {
            let why = format!("SendMessageBatch to the deliver queue: {why}");
            messages.iter().map(|(index, _)| (*index, why.clone())).collect()
        };
        let entries: Result<Vec<_>, _> = messages
            .iter()
            .enumerate()
            .map(|(position, (_, message))| {
                SendMessageBatchRequestEntry::builder()
                    .id(position.to_string())
                    .message_body(message)
                    .build()
            })
            .collect();
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => return all(&error),
        };
        let request = self
            .clients
            .sqs
            .send_message_batch()
            .queue_url(&self.settings.delivery_queue_url)
            .set_entries(Some(entries));
        let output = match request.send().await {
            Ok(output) => output,
            Err(error) => return all(&Rejection::of(&error)),
        };
        let accepted: HashSet<&str> = output.successful.iter().map(|entry| entry.id.as_str()).collect();
        let code_of = |id: &str| {
            output
                .failed
                .iter()
                .find(|failed| failed.id == id)
                .map(|failed| failed.code.as_str())
        };
        let ids = (0..messages.len()).map(|position| position.to_string());
        let left_out = messages
            .iter()
            .zip(ids)
            .filter(|(_, id)| !accepted.contains(id.as_str()));
        left_out
            .map(|((index, _), id)| {
                let code = code_of(&id).unwrap_or("no answer");
                (*index, format!("the deliver queue did not accept a delivery: {code}"))
            })
            .collect()
    }

    async fn publish_unrouted(&self, unrouted: &[(usize, &Unrouted)]) -> Vec<(usize, String)> {
        let topic = &self.settings.unrouted_topic_arn;
        let publish = |(index, unrouted): &(usize, &Unrouted)| {
            let index = *index;
            let (body, mut attributes) = (unrouted.body.clone(), unrouted.attributes.clone());
            attributes.insert("because".to_owned(), unrouted.because.clone());
            async move {
                let rejection = self.publish(topic, &body, &attributes, None).await.err()?;
                Some((index, format!("Publish to the unrouted topic: {rejection}")))
            }
        };
        let failures = stream::iter(unrouted.iter().map(publish).collect::<Vec<_>>())
            .buffered(self.settings.concurrency)
            .collect::<Vec<_>>();
        failures.await.into_iter().flatten().collect()
    }
}

/// As few batches as the order allows. A message beyond the limit goes alone: whether it is too long, SQS decides.
fn batches(messages: &[(usize, String)]) -> Vec<&[(usize, String)]> {
    let mut batches = Vec::new();
    let mut rest = messages;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fitting = rest.iter().take(BATCH_ENTRIES).take_while(|(_, message)| {
            bytes += message.len();
            bytes <= BATCH_BYTES
        });
        let (batch, left) = rest.split_at(fitting.count().max(1));
        batches.push(batch);
        rest = left;
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::{BATCH_BYTES, batches};

    #[test]
    fn batches_hold_what_sqs_takes_and_lose_nothing() {
        let cases: [(&[usize], &[usize]); 4] = [
            (&[], &[]),
            (&[1; 23], &[10, 10, 3]),
            (&[BATCH_BYTES / 2; 5], &[2, 2, 1]),
            (&[1, BATCH_BYTES + 1, 1, 1], &[1, 1, 2]),
        ];
        for (lengths, expected) in cases {
            let messages: Vec<(usize, String)> = lengths.iter().map(|length| (0, "x".repeat(*length))).collect();
            let sizes: Vec<usize> = batches(&messages).iter().map(|batch| batch.len()).collect();
            assert_eq!(sizes, expected);
        }
    }
}
