//! Publishes the bounces and complaints that arrive as mail to the feedback topic.

use super::claimed::ActionKey;
use super::context::MailContext;
use super::error::ActionError;
use super::mail_source::MailSourceError;
use super::outcome::Outcome;
use super::services::Effects;
use crate::mail::report::{self, Arrival, Report, ReportError};

impl Effects {
    /// Publishes the notifications of a report. A second publication is harmless: the feedback function counts a bounce once.
    pub(super) async fn publish_report(&self, context: &MailContext<'_>) -> Result<Outcome, ActionError> {
        let topic = self.settings.feedback_topic.as_ref();
        let topic = topic.ok_or(ActionError::MissingSetting("FEEDBACK_TOPIC_ARN"))?;
        let mail = &context.received.mail;
        let publish = async {
            let report = match self.read_report(context).await? {
                Ok(report) => report,
                Err(error) => {
                    tracing::warn!(message_id = mail.message_id, %error, "trusted report cannot be read");
                    return Ok((Outcome::Rejected(error.to_string()), format!("rejected: {error}")));
                }
            };
            let notifications = report.notifications(&Arrival {
                message_id: &mail.message_id,
                at: mail.timestamp,
            });
            for notification in &notifications {
                let request = self.clients.sns.publish().topic_arn(topic).message(notification);
                let response = request.send().await;
                response.map_err(|error| ActionError::of_call("Publish", &error))?;
            }
            let count = notifications.len();
            Ok((Outcome::Done, format!("{count} notifications published")))
        };
        let key = ActionKey {
            mailbox: "-",
            action: "report",
            target: "-",
            once_for: None,
        };
        self.take_once(context, key, publish).await
    }

    async fn read_report(&self, context: &MailContext<'_>) -> Result<Result<Report, ReportError>, MailSourceError> {
        let limits = &self.settings.limits;
        let limit = limits.report_bytes;
        match context.source.whole(&self.clients.s3, limit as u64).await {
            Ok(mail) => Ok(report::read(&mail, limits)),
            Err(MailSourceError::TooLarge { .. }) => Ok(Err(ReportError::TooLarge { limit })),
            Err(error) => Err(error),
        }
    }
}
