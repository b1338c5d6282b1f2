//! Applies actions. The only part of the function that awaits AWS.

mod clients;
mod delivery_queue;
mod digests;
mod mailer;
mod message_attributes;
mod routing_table;
mod target_arn;
mod target_error;
mod targets;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use lambda_kit::Metrics;
use notification_model::Mail;
use store::{Route, Store, StoreError, Target};

use crate::action::{Action, Unrouted};
use crate::alert::{ALERT_ID, Alert};
use crate::decide::Facts;
use crate::delivery::{Delivery, DeliveryOutcome};
use crate::effects::delivery_queue::DeliveryQueue;
use crate::effects::digests::Digests;
use crate::effects::mailer::Mailer;
use crate::effects::routing_table::RoutingTable;
use crate::effects::target_error::TargetError;
use crate::effects::targets::Targets;
use crate::rejected_digest::RejectedDigest;
use crate::rendered_mail::RenderedMail;
use crate::settings::Settings;

pub use crate::effects::clients::Clients;

/// Reads facts and applies actions.
#[derive(Debug, Clone)]
pub struct Effects {
    /// The settings of the function.
    pub settings: Settings,
    routing_table: RoutingTable,
    delivery_queue: DeliveryQueue,
    targets: Targets,
    mailer: Mailer,
    digests: Digests,
}

/// A delivery that failed and is to be retried. The message names no target, which can be a mail address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// The target did not accept it. A retry can help.
    #[error("the target did not accept the delivery: {code}")]
    Target {
        /// The error code of the target.
        code: String,
    },
    /// The target rejected it permanently, and the dead-letter queue did not accept it.
    #[error(
        "the target rejected the delivery ({code}), and the dead-letter queue did not accept it: {dead_letter_code}"
    )]
    DeadLetterQueue {
        /// The error code of the target.
        code: String,
        /// The error code of the dead-letter queue.
        dead_letter_code: String,
    },
}

impl Effects {
    /// Creates effects on a table and AWS services, with an empty cache.
    #[must_use]
    pub fn new(store: Store, clients: Clients, settings: Settings) -> Self {
        let mailer = Mailer::new(clients.ses.clone(), settings.digest_from.clone());
        let delivery_queue = DeliveryQueue::new(clients.sqs.clone(), &settings);
        Self {
            routing_table: RoutingTable::new(store.clone(), &settings),
            targets: Targets::new(&clients),
            digests: Digests::new(store, mailer.clone(), delivery_queue.clone(), settings.digest_window),
            delivery_queue,
            mailer,
            settings,
        }
    }

    /// Returns the facts of each message, in order.
    ///
    /// # Errors
    /// For each message whose rows cannot be read.
    pub async fn facts(&self, mails: &[&Mail]) -> Vec<Result<Facts, StoreError>> {
        self.routing_table.facts(mails).await
    }

    /// Returns the routes that can match an alert.
    ///
    /// # Errors
    /// When DynamoDB fails or a row cannot be read.
    pub async fn routes_for_alert(&self, alert: &Alert) -> Result<Vec<Route>, StoreError> {
        self.routing_table.routes_for_alert(alert).await
    }

    /// Applies actions, each with the index of its record: enqueues deliveries and publishes to the `unrouted` topic.
    /// Returns the indexes of the records that have to be retried, with the reason.
    pub async fn apply(&self, actions: &[(usize, Action)]) -> Vec<(usize, String)> {
        let mut deliveries = Vec::new();
        let mut unrouted = Vec::new();
        for (index, action) in actions {
            match action {
                Action::Deliver(delivery) => deliveries.push((*index, delivery)),
                Action::Unrouted(message) => unrouted.push((*index, message)),
            }
        }
        let enqueued = self.delivery_queue.enqueue(&deliveries);
        let (enqueued, published) = futures_util::join!(enqueued, self.publish_unrouted(&unrouted));
        enqueued.into_iter().chain(published).collect()
    }

    /// Delivers to a target. A delivery that the target rejects permanently goes to the dead-letter queue with the reason. An
    /// operator who has corrected the cause moves it back to the delivery queue.
    ///
    /// # Errors
    /// When it is neither delivered nor in the dead-letter queue.
    pub async fn deliver(&self, delivery: &Delivery, now: Timestamp) -> Result<DeliveryOutcome, DeliveryError> {
        let error = match self.deliver_to_target(delivery, now).await {
            Ok(()) => return Ok(DeliveryOutcome::Delivered),
            Err(error) if error.is_permanent => error,
            Err(error) => return Err(DeliveryError::Target { code: error.code }),
        };
        if let Err(dead_letter_error) = self.delivery_queue.dead_letter(delivery, &error).await {
            return Err(DeliveryError::DeadLetterQueue {
                code: error.code,
                dead_letter_code: dead_letter_error.code,
            });
        }
        tracing::warn!(
            key = delivery.key,
            route = delivery.attributes.get("route"),
            code = error.code,
            "a target rejected a delivery permanently: it is in the dead-letter queue"
        );
        Ok(DeliveryOutcome::DeadLettered)
    }

    /// Sends every digest whose window has ended, and adds to the metrics. A digest that SES rejects permanently goes to the
    /// dead-letter queue.
    ///
    /// # Errors
    /// When DynamoDB fails, or a digest was not sent. The others are sent, and the failed one is retried by the next run.
    pub async fn send_digests(&self, metrics: &mut Metrics, now: Timestamp) -> anyhow::Result<()> {
        self.digests.send_due(metrics, now).await
    }

    /// Sends a digest that SES rejected before, and adds to the metrics.
    ///
    /// # Errors
    /// When it was not sent and a retry can help.
    pub async fn send_rejected_digest(
        &self,
        rejected: &RejectedDigest,
        metrics: &mut Metrics,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        self.digests.send_rejected(rejected, metrics, now).await
    }

    async fn deliver_to_target(&self, delivery: &Delivery, now: Timestamp) -> Result<(), TargetError> {
        match &delivery.target {
            Target::Topic(arn) => self.targets.deliver_to_topic(arn, delivery).await,
            Target::Queue(arn) => self.targets.deliver_to_queue(arn, delivery).await,
            Target::Bus(arn) => self.targets.deliver_to_bus(arn, delivery).await,
            // Alerts are rare and urgent, so they are mailed at once.
            Target::Email(address) if delivery.attributes.contains_key(ALERT_ID) => {
                self.mail_alert(address, delivery).await
            }
            Target::Email(address) => self.digests.add(address, delivery, now).await,
        }
    }

    async fn mail_alert(&self, address: &str, delivery: &Delivery) -> Result<(), TargetError> {
        let address = self.mailer.recipient(address)?;
        let mail = RenderedMail::of_alert(&delivery.body)
            .ok_or_else(|| TargetError::permanent("InvalidAlert", "expected the subject and text of an alert"))?;
        self.mailer.send(address.key(), &mail).await
    }

    async fn publish_unrouted(&self, unrouted: &[(usize, &Unrouted)]) -> Vec<(usize, String)> {
        let topic = &self.settings.unrouted_topic_arn;
        let publish = |(index, unrouted): &(usize, &Unrouted)| {
            let index = *index;
            let (body, mut attributes) = (unrouted.body.clone(), unrouted.attributes.clone());
            attributes.insert("explanation".to_owned(), unrouted.explanation.clone());
            async move {
                let error = self.targets.publish(topic, &body, &attributes, None).await.err()?;
                Some((index, format!("Publish to the unrouted topic: {error}")))
            }
        };
        let failures = stream::iter(unrouted.iter().map(publish).collect::<Vec<_>>())
            .buffered(self.settings.concurrency)
            .collect::<Vec<_>>();
        failures.await.into_iter().flatten().collect()
    }
}
