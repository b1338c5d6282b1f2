//! Notifies the owner of a mailbox about a suppressed forward target.

use serde_json::json;
use store::OwnerTarget;

use super::claimed::ActionKey;
use super::context::MailContext;
use super::error::ActionError;
use super::outcome::Outcome;
use super::services::Effects;
use crate::decide::{MailboxDecision, OwnerNotice};
use crate::mail::compose;

impl Effects {
    /// Notifies the owner once about each suppression, and again after the claim is deleted if mail still arrives.
    pub(super) async fn notify_owner(
        &self,
        context: &MailContext<'_>,
        mailbox: &MailboxDecision,
        notice: &OwnerNotice,
    ) -> Result<Outcome, ActionError> {
        let key = mailbox.row.mailbox.to_string();
        let send = async {
            let id = match &notice.owner {
                OwnerTarget::Email(owner) => {
                    let mail = compose::owner_notice(&compose::OwnerNotice {
                        from: &notice.from,
                        owner,
                        mailbox: &key,
                        target: notice.to.as_str(),
                        reason: &notice.suppression.reason,
                        goes_on: notice.goes_on,
                        message_id: &context.received.mail.message_id,
                        at: context.now,
                    });
                    self.send_email(&notice.from, owner, mail).await?
                }
                OwnerTarget::Notify(target) => {
                    let text = json!({
                        "version": 1,
                        "type": "ForwardTargetSuppressed",
                        "mailbox": key,
                        "target": notice.to.as_str(),
                        "reason": notice.suppression.reason,
                        "forwarding": if notice.goes_on { "continues" } else { "stopped" },
                        "messageId": context.received.mail.message_id,
                    });
                    let deduplication = format!("{key} {}", notice.suppression.id);
                    self.publish(target, &text.to_string(), &deduplication).await?
                }
            };
            Ok((Outcome::Done, format!("notified as {id}")))
        };
        let claim_key = ActionKey {
            mailbox: &key,
            action: "notify-owner",
            target: &format!("{} {}", notice.to.key(), notice.suppression.id),
            once_for: Some(&format!("forward:{key}")),
        };
        self.take_once(context, claim_key, send).await
    }
}
