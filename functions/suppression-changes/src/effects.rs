//! Publishes notices, sends requests and stores the ends of suppressions. With [`crate::scheduled`] the only part of this
//! function that awaits AWS.

use aws_sdk_sns::types::MessageAttributeValue;
use jiff::Timestamp;
use lambda_kit::{LazyClient, Metrics, sdk_error_code};
use serde_json::json;
use store::{Store, StoreError, SuppressionEnd};

use crate::decide::Decision;
use crate::metrics::{count_mirror_request, count_notice};
use crate::notice::Notice;
use crate::settings::Settings;

/// The targets of decisions.
#[derive(Debug, Clone)]
pub struct Effects {
    /// The table.
    pub store: Store,
    /// For the topic.
    pub sns: LazyClient<aws_sdk_sns::Client>,
    /// For the queues.
    pub sqs: LazyClient<aws_sdk_sqs::Client>,
    /// The ARN of the topic and the URLs of the queues.
    pub settings: Settings,
}

/// A service did not accept a notice, a request or an end. Lambda sends the record again.
#[derive(Debug, thiserror::Error)]
pub enum EffectError {
    /// SNS or SQS. The message of the service is left out, because it may quote the address.
    #[error("{operation}: {code}")]
    Service {
        /// The operation.
        operation: &'static str,
        /// The error code, or what happened if the service did not respond.
        code: String,
    },
    /// DynamoDB.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Effects {
    /// Publishes the notices, sends the requests and adds them to the metrics. May be repeated.
    ///
    /// # Errors
    /// If a service does not accept one of them. Those before it are not withdrawn.
    pub async fn apply(&self, decision: &Decision, metrics: &mut Metrics, now: Timestamp) -> Result<(), EffectError> {
        if self.settings.topic_arn.is_some() {
            for notice in &decision.notices {
                // First, so that no suppression is published whose end is not.
                if let Some(end) = end_of(notice) {
                    self.store.put_suppression_end(&end, now).await?;
                }
                self.publish(notice).await?;
                count_notice(metrics, notice.state);
            }
        }
        if let Some(queue_url) = &self.settings.mirror_queue_url {
            for request in &decision.mirror_requests {
                self.send(queue_url, request.to_json()).await?;
                count_mirror_request(metrics);
            }
        }
        Ok(())
    }

    /// Publishes a notice, if there is a topic.
    ///
    /// # Errors
    /// If SNS does not accept it.
    pub async fn publish(&self, notice: &Notice) -> Result<(), EffectError> {
        let Some(topic) = &self.settings.topic_arn else {
            return Ok(());
        };
        let scope = notice.scope.to_string();
        let mut publish = self.sns.publish().topic_arn(topic).message(notice.to_json());
        for (name, value) in [
            ("state", notice.state.as_str()),
            ("scope", scope.as_str()),
            ("source", notice.source.as_str()),
        ] {
            let attribute = MessageAttributeValue::builder().data_type("String").string_value(value);
            let attribute = attribute
                .build()
                .map_err(|_| failed("Publish", "attribute without a type".to_owned()))?;
            publish = publish.message_attributes(name, attribute);
        }
        match publish.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(failed("Publish", sdk_error_code(&error))),
        }
    }

    /// Sends the sequence number of a record that can never be handled to the dead-letter queue, without its content.
    ///
    /// # Errors
    /// If SQS does not accept the message.
    pub async fn send_dead_letter(&self, sequence_number: &str, reason: &str) -> Result<(), EffectError> {
        let body = json!({"reason": reason, "sequenceNumber": sequence_number});
        self.send(&self.settings.dead_letter_queue_url, body.to_string()).await
    }

    async fn send(&self, queue_url: &str, body: String) -> Result<(), EffectError> {
        let message = self.sqs.send_message().queue_url(queue_url).message_body(body);
        match message.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(failed("SendMessage", sdk_error_code(&error))),
        }
    }
}

fn failed(operation: &'static str, code: String) -> EffectError {
    EffectError::Service { operation, code }
}

fn end_of(notice: &Notice) -> Option<SuppressionEnd> {
    Some(SuppressionEnd {
        address: notice.address.clone(),
        scope: notice.scope.clone(),
        list: notice.list.clone(),
        until: notice.until?,
    })
}
