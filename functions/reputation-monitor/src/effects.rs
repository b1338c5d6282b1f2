//! Sends alerts. With [`ReputationMonitor`] the only part that awaits AWS.

use anyhow::Context;
use aws_sdk_sns::types::MessageAttributeValue;
use jiff::Timestamp;
use lambda_kit::LazyClient;
use reputation::{Alert, ReputationMonitor, Round};
use store::StoreError;

use crate::settings::Settings;

/// Characters in the subject of an SNS message: [fewer than 100](https://docs.aws.amazon.com/sns/latest/api/API_Publish.html).
const SUBJECT_CHARACTERS: usize = 99;

/// The clients of the services that receive alerts. Most rounds send none, so each client is created on first use.
#[derive(Debug, Clone)]
pub struct Clients {
    /// For the alarm topic.
    pub sns: LazyClient<aws_sdk_sns::Client>,
    /// For the router's delivery queue.
    pub sqs: LazyClient<aws_sdk_sqs::Client>,
}

/// Checks senders and sends their alerts.
#[derive(Debug, Clone)]
pub struct Effects {
    monitor: ReputationMonitor,
    clients: Clients,
    settings: Settings,
}

impl Effects {
    /// Effects on the table and SES account of `monitor` and the targets of `settings`.
    #[must_use]
    pub fn new(monitor: ReputationMonitor, clients: Clients, settings: Settings) -> Self {
        Self {
            monitor,
            clients,
            settings,
        }
    }

    /// Checks every sender once.
    ///
    /// # Errors
    /// When DynamoDB fails before the first sender is checked.
    pub async fn check_senders(&self, now: Timestamp) -> Result<Round, StoreError> {
        self.monitor.round(now).await
    }

    /// Sends an alert to the alarm topic and to the router's delivery queue, as far as they are configured, and then marks
    /// it as notified. Without a target the alert is only logged and marked.
    ///
    /// # Errors
    /// When a target or DynamoDB fails. The alert stays unmarked, so a later round sends it to both targets again.
    pub async fn notify(&self, alert: &Alert) -> anyhow::Result<()> {
        let (published, enqueued) = futures_util::join!(self.publish(alert), self.enqueue(alert));
        published?;
        enqueued?;
        if self.settings.alarm_topic_arn.is_none() && self.settings.alert_queue_url.is_none() {
            tracing::warn!(
                owner = alert.sender.owner,
                account = alert.sender.account,
                kind = alert.kind(),
                "an alert has no target: neither an alarm topic nor the router is configured"
            );
        }
        Ok(self.monitor.mark_notified(alert).await?)
    }

    async fn publish(&self, alert: &Alert) -> anyhow::Result<()> {
        let Some(topic) = &self.settings.alarm_topic_arn else {
            return Ok(());
        };
        let mut request = self
            .clients
            .sns
            .publish()
            .topic_arn(topic)
            .subject(sns_subject(&alert.subject()))
            .message(alert.text());
        for (name, value) in [("alertId", alert.id.as_str()), ("alertType", alert.kind())] {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value);
            request = request.message_attributes(name, value.build()?);
        }
        request.send().await.context("Publish to the alarm topic")?;
        Ok(())
    }

    async fn enqueue(&self, alert: &Alert) -> anyhow::Result<()> {
        let Some(queue_url) = &self.settings.alert_queue_url else {
            return Ok(());
        };
        let request = self.clients.sqs.send_message().queue_url(queue_url);
        let request = request.message_body(alert.to_message());
        request
            .send()
            .await
            .context("SendMessage to the router's delivery queue")?;
        Ok(())
    }
}

/// A subject that SNS accepts: printable ASCII, limited in length.
fn sns_subject(text: &str) -> String {
    text.chars()
        .map(|c| if matches!(c, ' '..='~') { c } else { '?' })
        .take(SUBJECT_CHARACTERS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::sns_subject;

    #[test]
    fn subjects_are_short_printable_ascii() {
        assert_eq!(
            sns_subject("All clear: b\u{fc}cher.example\n"),
            "All clear: b?cher.example?"
        );
        assert_eq!(sns_subject(&"x".repeat(300)).len(), 99);
    }
}
