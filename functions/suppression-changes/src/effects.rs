//! Publishes notices and sends requests: the only module of this function that awaits AWS.

use aws_sdk_sns::types::MessageAttributeValue;
use lambda_kit::{LazyClient, Metrics, sdk_error_code};
use serde_json::json;

use crate::decide::Decision;
use crate::metrics::{count_mirror_request, count_notice};
use crate::notice::Notice;
use crate::settings::Settings;

/// The targets of decisions.
#[derive(Debug, Clone)]
pub struct Effects {
    /// For the topic.
    pub sns: LazyClient<aws_sdk_sns::Client>,
    /// For the queues.
    pub sqs: LazyClient<aws_sdk_sqs::Client>,
    /// The ARN of the topic and the URLs of the queues.
    pub settings: Settings,
}

/// A service did not accept a notice or a request. Lambda sends the record again. The message of the service is left out,
/// because it may quote the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {code}")]
pub struct ServiceError {
    operation: &'static str,
    code: String,
}

impl Effects {
    /// Publishes the notices, sends the requests and adds them to the metrics. May be repeated.
    ///
    /// # Errors
    /// If SNS or SQS does not accept one of them. Those before it are not withdrawn.
    pub async fn apply(&self, decision: &Decision, metrics: &mut Metrics) -> Result<(), ServiceError> {
        if let Some(topic) = &self.settings.topic_arn {
            for notice in &decision.notices {
                self.publish(topic, notice).await?;
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

    /// Sends the sequence number of a record that can never be handled to the dead-letter queue, without its content.
    ///
    /// # Errors
    /// If SQS does not accept the message.
    pub async fn send_dead_letter(&self, sequence_number: &str, reason: &str) -> Result<(), ServiceError> {
        let body = json!({"reason": reason, "sequenceNumber": sequence_number});
        self.send(&self.settings.dead_letter_queue_url, body.to_string()).await
    }

    async fn publish(&self, topic: &str, notice: &Notice) -> Result<(), ServiceError> {
        let scope = notice.scope.to_string();
        let mut publish = self.sns.publish().topic_arn(topic).message(notice.to_json());
        for (name, value) in [
            ("state", notice.state.as_str()),
            ("scope", scope.as_str()),
            ("source", notice.source.as_str()),
        ] {
            let attribute = MessageAttributeValue::builder().data_type("String").string_value(value);
            let attribute = attribute.build().map_err(|_| ServiceError {
                operation: "Publish",
                code: "message attribute without a type".to_owned(),
            })?;
            publish = publish.message_attributes(name, attribute);
        }
        match publish.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(ServiceError {
                operation: "Publish",
                code: sdk_error_code(&error),
            }),
        }
    }

    async fn send(&self, queue_url: &str, body: String) -> Result<(), ServiceError> {
        let message = self.sqs.send_message().queue_url(queue_url).message_body(body);
        match message.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(ServiceError {
                operation: "SendMessage",
                code: sdk_error_code(&error),
            }),
        }
    }
}
