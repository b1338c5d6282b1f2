//! Limits the mail that one sender can cause within an hour.

use notification_model::EmailAddress;
use store::SenderLimit;

use super::context::MailContext;
use super::error::ActionError;
use super::outcome::Outcome;
use super::services::Effects;
use crate::verdict::passed;

impl Effects {
    /// Counts a mail against the limit of forwards. Returns the rejection if the sender is over the limit.
    pub(super) async fn check_forward_limit(&self, context: &MailContext<'_>) -> Result<Option<Outcome>, ActionError> {
        // An operator decided to send it.
        if context.send_again.is_some() {
            return Ok(None);
        }
        let limit = self.settings.policy.forwards_per_sender;
        let count = || async {
            let sender = counted_sender(context);
            let mail = &context.received.mail;
            let forwards = SenderLimit::Forwards;
            self.store
                .count_for_sender(forwards, &sender, &mail.message_id, mail.timestamp, limit)
                .await
        };
        let may_forward: bool = *context.may_forward.get_or_try_init(count).await?;
        let reason = || format!("not sent: the sender has more than {limit} forwards within an hour");
        Ok((!may_forward).then(|| Outcome::Rejected(reason())))
    }

    /// Counts an automatic reply or bounce against the limit. Returns the rejection if the sender is over the limit. `id`
    /// names the reply within the mail: a mail to several recipients can cause several.
    pub(super) async fn check_reply_limit(
        &self,
        context: &MailContext<'_>,
        to: &EmailAddress,
        id: &str,
    ) -> Result<Option<Outcome>, ActionError> {
        if context.send_again.is_some() {
            return Ok(None);
        }
        let limit = self.settings.policy.answers_per_sender;
        let mail = &context.received.mail;
        let id = format!("{} {id}", mail.message_id);
        let replies = SenderLimit::Replies;
        let may_reply = self
            .store
            .count_for_sender(replies, to.key(), &id, mail.timestamp, limit)
            .await?;
        let reason = || format!("not sent: the sender gets at most {limit} replies and bounces within an hour");
        Ok((!may_reply).then(|| Outcome::Rejected(reason())))
    }
}

/// The sender that a mail is counted for. DMARC confirms the author; without DMARC, SPF confirms the return path. Mail that
/// neither confirms is counted separately, so that a forger does not use up the limit of another sender.
fn counted_sender(context: &MailContext<'_>) -> String {
    let author = context.header().and_then(|header| header.author_address());
    let return_path = context.received.mail.source_address();
    let sender = author.or(return_path.as_ref()).map_or("-", EmailAddress::key);
    let receipt = &context.received.receipt;
    // DMARC confirms one of several authors, but not which one.
    let has_one_author = context.header().is_some_and(|header| header.from.len() == 1);
    match &return_path {
        _ if has_one_author && passed(&receipt.dmarc_verdict) => sender.to_owned(),
        Some(path) if passed(&receipt.spf_verdict) => format!("by {}:{sender}", path.key()),
        _ => format!("unproven:{sender}"),
    }
}
