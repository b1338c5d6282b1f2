//! Machines that are told: topics and queues of `notify`, and the feedback topic.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use store::NotifyTarget;

use super::{Case, Effects, Failure, Outcome, SourceError};
use crate::decide::MailboxDecision;
use crate::mail::report::{self, Arrival, ReportError};

impl Effects {
    pub(super) async fn notify(
        &self,
        case: &Case<'_>,
        mailbox: &MailboxDecision,
        target: &NotifyTarget,
        summary: &str,
    ) -> Result<Outcome, Failure> {
        let key = mailbox.row.mailbox.to_string();
        let id = &case.received.mail.message_id;
        let enforcement = async {
            // FIFO targets hear of a mail once from each mailbox.
            let deduplication_id = || HEXLOWER.encode(&Sha256::digest(format!("{id} {key}")));
            let id = match target {
                NotifyTarget::Topic(arn) => {
                    let fifo = arn.ends_with(".fifo");
                    let request = self.clients.sns.publish().topic_arn(arn).message(summary);
                    let request = request
                        .set_message_group_id(fifo.then(|| "postroom".to_owned()))
                        .set_message_deduplication_id(fifo.then(deduplication_id));
                    let output = request.send().await;
                    output.map_err(|error| Failure::of("Publish", &error))?.message_id
                }
                NotifyTarget::Queue(url) => {
                    let fifo = url.ends_with(".fifo");
                    let request = self.clients.sqs.send_message().queue_url(url).message_body(summary);
                    let request = request
                        .set_message_group_id(fifo.then(|| "postroom".to_owned()))
                        .set_message_deduplication_id(fifo.then(deduplication_id));
                    let output = request.send().await;
                    output.map_err(|error| Failure::of("SendMessage", &error))?.message_id
                }
            };
            Ok((Outcome::Done, format!("told as {}", id.unwrap_or_default())))
        };
        self.once(case, &key, "notify", &target.to_string(), enforcement).await
    }

    /// Publishes what a report reports, as if SES had. Twice is harmless: the feedback function counts a bounce once.
    pub(super) async fn publish_report(&self, case: &Case<'_>) -> Result<Outcome, Failure> {
        let topic = self.settings.feedback_topic.as_ref();
        let topic = topic.ok_or(Failure::Unconfigured("FEEDBACK_TOPIC_ARN"))?;
        let mail = &case.received.mail;
        let enforcement = async {
            let limits = &self.settings.limits;
            let whole = self.whole_mail(case, limits.report_bytes as u64).await;
            let report = match whole {
                Ok(mail) => report::read(&mail, limits),
                Err(SourceError::TooLarge { .. }) => Err(ReportError::TooLarge {
                    limit: limits.report_bytes,
                }),
                Err(error) => return Err(error.into()),
            };
            let report = match report {
                Ok(report) => report,
                Err(error) => {
                    tracing::warn!(message_id = mail.message_id, %error, "a trusted report that cannot be read");
                    return Ok((Outcome::Refused(error.to_string()), format!("refused: {error}")));
                }
            };
            let notifications = report.notifications(&Arrival {
                message_id: &mail.message_id,
                at: mail.timestamp,
            });
            for notification in &notifications {
                let request = self.clients.sns.publish().topic_arn(topic).message(notification);
                let output = request.send().await;
                output.map_err(|error| Failure::of("Publish", &error))?;
            }
            Ok((
                Outcome::Done,
                format!("{} notifications published", notifications.len()),
            ))
        };
        self.once(case, "-", "report", "-", enforcement).await
    }
}
