//! Sends notifications to topics and queues.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use store::{NotifyContent, NotifyTarget};

use super::claimed::ActionKey;
use super::context::MailContext;
use super::error::ActionError;
use super::outcome::Outcome;
use super::services::Effects;
use crate::decide::MailboxDecision;

/// The message group of FIFO topics and queues.
const MESSAGE_GROUP: &str = "postroom";

impl Effects {
    /// Sends the summary of a mail to a topic or queue, with the parsed mail if the mailbox asks for it.
    pub(super) async fn notify(
        &self,
        context: &MailContext<'_>,
        mailbox: &MailboxDecision,
        target: &NotifyTarget,
        summary: &str,
        content: NotifyContent,
    ) -> Result<Outcome, ActionError> {
        let mailbox = mailbox.row.mailbox.to_string();
        let send = async {
            let text = match content {
                NotifyContent::Summary => summary.to_owned(),
                NotifyContent::Parsed => self.with_parsed_mail(context, summary).await?,
            };
            let deduplication = format!("{} {mailbox}", context.received.mail.message_id);
            let id = self.publish(target, &text, &deduplication).await?;
            Ok((Outcome::Done, format!("notified as {id}")))
        };
        let key = ActionKey {
            mailbox: &mailbox,
            action: "notify",
            target: &target.to_string(),
            once_for: None,
        };
        self.take_once(context, key, send).await
    }

    /// Sends a text to a topic or queue, in the Region of its ARN or URL. `deduplication` identifies the text for FIFO topics
    /// and queues. Returns the message id.
    pub(super) async fn publish(
        &self,
        target: &NotifyTarget,
        text: &str,
        deduplication: &str,
    ) -> Result<String, ActionError> {
        let deduplication_id = || HEXLOWER.encode(&Sha256::digest(deduplication));
        let region = region_of(target).map(str::to_owned);
        let id = match target {
            NotifyTarget::Topic(arn) => {
                let is_fifo = arn.ends_with(".fifo");
                let request = self.clients.sns.publish().topic_arn(arn).message(text);
                let request = request
                    .set_message_group_id(is_fifo.then(|| MESSAGE_GROUP.to_owned()))
                    .set_message_deduplication_id(is_fifo.then(deduplication_id))
                    .customize();
                let request = match region.map(aws_sdk_sns::config::Region::new) {
                    Some(region) => request.config_override(aws_sdk_sns::Config::builder().region(region)),
                    None => request,
                };
                let response = request.send().await;
                response
                    .map_err(|error| ActionError::of_call("Publish", &error))?
                    .message_id
            }
            NotifyTarget::Queue(url) => {
                let is_fifo = url.ends_with(".fifo");
                let request = self.clients.sqs.send_message().queue_url(url).message_body(text);
                let request = request
                    .set_message_group_id(is_fifo.then(|| MESSAGE_GROUP.to_owned()))
                    .set_message_deduplication_id(is_fifo.then(deduplication_id))
                    .customize();
                let request = match region.map(aws_sdk_sqs::config::Region::new) {
                    Some(region) => request.config_override(aws_sdk_sqs::Config::builder().region(region)),
                    None => request,
                };
                let response = request.send().await;
                response
                    .map_err(|error| ActionError::of_call("SendMessage", &error))?
                    .message_id
            }
        };
        Ok(id.unwrap_or_default())
    }
}

/// The Region in `arn:aws:sns:REGION:...` or `https://sqs.REGION.amazonaws.com/...`. `None` if the target does not name one,
/// as a queue URL with a private endpoint does: then the Region of the function.
fn region_of(target: &NotifyTarget) -> Option<&str> {
    match target {
        NotifyTarget::Topic(arn) => arn.split(':').nth(3).filter(|region| !region.is_empty()),
        NotifyTarget::Queue(url) => {
            let host = url.split_once("://")?.1.split(['/', ':']).next()?;
            let labels: Vec<&str> = host.split('.').collect();
            match *labels.as_slice() {
                // https://docs.aws.amazon.com/general/latest/gr/sqs-service.html
                ["sqs", region, "amazonaws", ..] | ["sqs-fips", region, "amazonaws", ..] => Some(region),
                ["sqs", region, "api", "aws"] | [region, "queue", "amazonaws", "com"] => Some(region),
                _ => None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use store::NotifyTarget;

    use super::region_of;

    #[test]
    fn the_region_is_that_of_the_target() {
        let topic = NotifyTarget::Topic("arn:aws:sns:ap-south-1:111122223333:mail".to_owned());
        assert_eq!(region_of(&topic), Some("ap-south-1"));
        for (url, region) in [
            (
                "https://sqs.eu-central-1.amazonaws.com/111122223333/mail",
                Some("eu-central-1"),
            ),
            (
                "https://sqs.cn-north-1.amazonaws.com.cn/111122223333/mail",
                Some("cn-north-1"),
            ),
            (
                "https://sqs-fips.us-west-2.amazonaws.com/111122223333/mail",
                Some("us-west-2"),
            ),
            ("https://sqs.eu-west-1.api.aws/111122223333/mail", Some("eu-west-1")),
            (
                "https://eu-west-1.queue.amazonaws.com/111122223333/mail",
                Some("eu-west-1"),
            ),
            ("http://127.0.0.1:4566/000000000000/mail", None),
            ("https://vpce-1.sqs.example/1/mail", None),
        ] {
            assert_eq!(region_of(&NotifyTarget::Queue(url.to_owned())), region, "{url}");
        }
    }
}
