//! Sends notifications to topics and queues.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use store::NotifyTarget;

use super::claimed::ActionKey;
use super::context::MailContext;
use super::error::ActionError;
use super::outcome::Outcome;
use super::services::Effects;
use crate::decide::MailboxDecision;

/// The message group of FIFO topics and queues.
const MESSAGE_GROUP: &str = "postroom";

impl Effects {
    /// Sends the summary of a mail to a topic or queue.
    pub(super) async fn notify(
        &self,
        context: &MailContext<'_>,
        mailbox: &MailboxDecision,
        target: &NotifyTarget,
        summary: &str,
    ) -> Result<Outcome, ActionError> {
        let mailbox = mailbox.row.mailbox.to_string();
        let message_id = &context.received.mail.message_id;
        let send = async {
            let deduplication_id = || HEXLOWER.encode(&Sha256::digest(format!("{message_id} {mailbox}")));
            let id = match target {
                NotifyTarget::Topic(arn) => {
                    let is_fifo = arn.ends_with(".fifo");
                    let request = self.clients.sns.publish().topic_arn(arn).message(summary);
                    let request = request
                        .set_message_group_id(is_fifo.then(|| MESSAGE_GROUP.to_owned()))
                        .set_message_deduplication_id(is_fifo.then(deduplication_id));
                    let response = request.send().await;
                    response
                        .map_err(|error| ActionError::of_call("Publish", &error))?
                        .message_id
                }
                NotifyTarget::Queue(url) => {
                    let is_fifo = url.ends_with(".fifo");
                    let request = self.clients.sqs.send_message().queue_url(url).message_body(summary);
                    let request = request
                        .set_message_group_id(is_fifo.then(|| MESSAGE_GROUP.to_owned()))
                        .set_message_deduplication_id(is_fifo.then(deduplication_id));
                    let response = request.send().await;
                    response
                        .map_err(|error| ActionError::of_call("SendMessage", &error))?
                        .message_id
                }
            };
            Ok((Outcome::Done, format!("notified as {}", id.unwrap_or_default())))
        };
        let key = ActionKey {
            mailbox: &mailbox,
            action: "notify",
            target: &target.to_string(),
        };
        self.take_once(context, key, send).await
    }
}
