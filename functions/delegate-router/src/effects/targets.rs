//! Delivers to SNS topics, SQS queues and EventBridge buses, in their own Regions.

use std::collections::BTreeMap;

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use lambda_kit::LazyClient;
use serde_json::{Map, Value, json};

use crate::delivery::Delivery;
use crate::effects::clients::Clients;
use crate::effects::message_attributes::{accepted, sqs_string};
use crate::effects::target_arn::TargetArn;
use crate::effects::target_error::TargetError;

/// Delivers to topics, queues and buses.
#[derive(Debug, Clone)]
pub(super) struct Targets {
    sns: LazyClient<aws_sdk_sns::Client>,
    sqs: aws_sdk_sqs::Client,
    eventbridge: LazyClient<aws_sdk_eventbridge::Client>,
}

impl Targets {
    pub(super) fn new(clients: &Clients) -> Self {
        Self {
            sns: clients.sns.clone(),
            sqs: clients.sqs.clone(),
            eventbridge: clients.eventbridge.clone(),
        }
    }

    /// Publishes a delivery to a topic.
    ///
    /// # Errors
    /// When the topic does not accept it.
    pub(super) async fn deliver_to_topic(&self, arn: &str, delivery: &Delivery) -> Result<(), TargetError> {
        let fifo = arn.ends_with(".fifo").then_some(delivery);
        self.publish(arn, &delivery.body, &delivery.attributes, fifo).await
    }

    /// Publishes a message to a topic. `fifo` is the delivery whose group and deduplication id a FIFO topic needs.
    ///
    /// # Errors
    /// When the topic does not accept it.
    pub(super) async fn publish(
        &self,
        arn: &str,
        body: &str,
        attributes: &BTreeMap<String, String>,
        fifo: Option<&Delivery>,
    ) -> Result<(), TargetError> {
        let target = TargetArn::parse(arn, "sns")?;
        let mut request = self.sns.publish().topic_arn(arn).message(body);
        for (name, value) in accepted(attributes) {
            let value = aws_sdk_sns::types::MessageAttributeValue::builder()
                .data_type("String")
                .string_value(value);
            request = request.message_attributes(name, value.build().map_err(TargetError::temporary)?);
        }
        if let Some(delivery) = fifo {
            request = request
                .message_group_id(group_id(delivery))
                .message_deduplication_id(&delivery.key);
        }
        let region = aws_sdk_sns::config::Region::new(target.region.to_owned());
        let config = aws_sdk_sns::Config::builder().region(region);
        let result = request.customize().config_override(config).send().await;
        result.map(drop).map_err(|error| TargetError::from_sdk(&error))
    }

    /// Sends a delivery to a queue.
    ///
    /// # Errors
    /// When the queue does not accept it.
    pub(super) async fn deliver_to_queue(&self, arn: &str, delivery: &Delivery) -> Result<(), TargetError> {
        let target = TargetArn::parse(arn, "sqs")?;
        let mut request = self
            .sqs
            .send_message()
            .queue_url(target.queue_url())
            .message_body(&delivery.body);
        for (name, value) in accepted(&delivery.attributes) {
            request = request.message_attributes(name, sqs_string(value)?);
        }
        if arn.ends_with(".fifo") {
            request = request
                .message_group_id(group_id(delivery))
                .message_deduplication_id(&delivery.key);
        }
        let region = aws_sdk_sqs::config::Region::new(target.region.to_owned());
        let config = aws_sdk_sqs::Config::builder().region(region);
        let result = request.customize().config_override(config).send().await;
        result.map(drop).map_err(|error| TargetError::from_sdk(&error))
    }

    /// Puts a delivery on an event bus.
    ///
    /// # Errors
    /// When the bus does not accept it.
    pub(super) async fn deliver_to_bus(&self, arn: &str, delivery: &Delivery) -> Result<(), TargetError> {
        let target = TargetArn::parse(arn, "events")?;
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(arn)
            .source("postroom")
            .detail_type(delivery.attributes.get("type").map_or("Other", String::as_str))
            .detail(event_detail(delivery))
            .build();
        let region = aws_sdk_eventbridge::config::Region::new(target.region.to_owned());
        let config = aws_sdk_eventbridge::Config::builder().region(region);
        let request = self.eventbridge.put_events().entries(entry).customize();
        let output = request
            .config_override(config)
            .send()
            .await
            .map_err(|error| TargetError::from_sdk(&error))?;
        // EventBridge can accept the request and reject its entry.
        if output.failed_entry_count == 0 {
            return Ok(());
        }
        let entry = output.entries.unwrap_or_default().into_iter().next();
        let (code, message) = entry
            .map(|entry| (entry.error_code, entry.error_message))
            .unwrap_or_default();
        Err(TargetError::from_code(
            &code.unwrap_or_default(),
            &message.unwrap_or_default(),
        ))
    }
}

/// The message id, so that a FIFO target receives the events of a message in order.
fn group_id(delivery: &Delivery) -> &str {
    delivery.key.rsplit_once('-').map_or("-", |(message_id, _)| message_id)
}

/// The notification with the message attributes, which EventBridge does not have.
fn event_detail(delivery: &Delivery) -> String {
    let mut detail: Map<String, Value> = delivery
        .attributes
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    let notification = serde_json::from_str(&delivery.body).unwrap_or_else(|_| json!(delivery.body));
    detail.insert("notification".to_owned(), notification);
    Value::Object(detail).to_string()
}
