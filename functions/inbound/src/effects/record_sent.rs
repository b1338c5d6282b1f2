//! Records the mail that was sent, so that feedback about it is recognised.

use jiff::{SignedDuration, Timestamp};
use notification_model::EmailAddress;
use store::{MailboxKey, SentKind, SentMail};

use super::context::MailContext;
use super::services::Effects;

/// How long a sent mail is recorded. Complaints arrive within days, bounces within two weeks.
const SENT_RETENTION: SignedDuration = SignedDuration::from_hours(24 * 30);

impl Effects {
    /// Records a mail that SES accepted. A failure must not cause a retry, because the mail would be sent twice; feedback
    /// about the mail is then handled like that about any other mail.
    pub(super) async fn record_sent(
        &self,
        context: &MailContext<'_>,
        kind: SentKind,
        mailbox: &MailboxKey,
        to: &EmailAddress,
        message_id: &str,
    ) {
        let sent = SentMail {
            message_id: message_id.to_owned(),
            kind,
            mailbox: mailbox.clone(),
            to: to.clone(),
            received_id: context.received.mail.message_id.clone(),
        };
        let expires_at = context.now.checked_add(SENT_RETENTION).unwrap_or(Timestamp::MAX);
        if let Err(error) = self.store.record_sent(&sent, context.now, expires_at).await {
            tracing::warn!(sent_message_id = message_id, %error, "mail sent, but feedback about it will not be recognised");
        }
    }
}
