//! Bounces mail with SES `SendBounce`.

use aws_sdk_ses::types::{BouncedRecipientInfo, DsnAction, RecipientDsnFields};

use super::caps::CappedKind;
use super::claimed::ActionKey;
use super::context::MailContext;
use super::error::ActionError;
use super::mail_source::MailSourceError;
use super::outcome::Outcome;
use super::services::Effects;
use crate::decide::{ActionKind, MailboxDecision};

impl Effects {
    /// Bounces a mail for one recipient, unless the sender is over the limit.
    pub(super) async fn bounce(
        &self,
        context: &MailContext<'_>,
        mailbox: &MailboxDecision,
        kind: &ActionKind,
    ) -> Result<Outcome, ActionError> {
        let (
            ActionKind::Bounce {
                recipient,
                to,
                sender,
                message,
                status_code,
            },
            Some(_),
        ) = (kind, context.header())
        else {
            // Without the header it is not known whether the mail is automatic.
            return Err(MailSourceError::UnknownLocation.into());
        };
        let id = format!("bounce {}", recipient.key());
        if let Some(rejected) = self.check_reply_limit(context, to, &id).await? {
            return Ok(rejected);
        }
        let capped = self.check_caps(context, CappedKind::Answers, &mailbox.row.mailbox, &id);
        if let Some(capped) = capped.await? {
            return Ok(capped);
        }
        self.count_sent_answer(context, to, &id).await?;
        let send = async {
            let fields = RecipientDsnFields::builder()
                .final_recipient(recipient.as_str())
                .action(DsnAction::Failed)
                .status(status_code)
                .diagnostic_code(format!("smtp; 550 {status_code} {message}"))
                .build();
            let info = fields.map(|fields| {
                BouncedRecipientInfo::builder()
                    .recipient(recipient.as_str())
                    .recipient_dsn_fields(fields)
                    .build()
            });
            let Ok(Ok(info)) = info else {
                return Err(ActionError::request_not_built("SendBounce"));
            };
            self.bounce_pacer.wait().await;
            let request = self
                .clients
                .ses_v1
                .send_bounce()
                .original_message_id(&context.received.mail.message_id)
                .bounce_sender(sender.as_str())
                .explanation(message)
                .bounced_recipient_info_list(info);
            let response = request.send().await;
            let output = response.map_err(|error| ActionError::of_call("SendBounce", &error))?;
            let id = output.message_id.unwrap_or_default();
            Ok((Outcome::Done, format!("bounced as {id}")))
        };
        let key = ActionKey {
            mailbox: &mailbox.row.mailbox.to_string(),
            action: "bounce",
            target: recipient.key(),
            once_for: None,
        };
        self.take_once(context, key, send).await
    }
}
