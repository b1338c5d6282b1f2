//! Sends automatic replies.

use jiff::SignedDuration;

use super::claimed::ActionKey;
use super::context::MailContext;
use super::error::ActionError;
use super::mail_source::MailSourceError;
use super::outcome::Outcome;
use super::services::Effects;
use crate::decide::{ActionKind, MailboxDecision};
use crate::mail::compose::{AutoReply, auto_reply};

impl Effects {
    /// Sends an automatic reply, unless the sender got one within the period or is over the limit.
    pub(super) async fn auto_reply(
        &self,
        context: &MailContext<'_>,
        mailbox: &MailboxDecision,
        kind: &ActionKind,
    ) -> Result<Outcome, ActionError> {
        let (
            ActionKind::AutoReply {
                to,
                from,
                subject,
                text,
                every_days,
            },
            Some(about),
        ) = (kind, context.header())
        else {
            // Without the header it is not known whether the mail is automatic.
            return Err(MailSourceError::UnknownLocation.into());
        };
        let mail = &context.received.mail;
        let period = SignedDuration::from_hours(24 * i64::from(*every_days));
        let since = mail.timestamp.checked_sub(period).unwrap_or(mail.timestamp);
        let expires_at = mail.timestamp.checked_add(period * 2).unwrap_or(mail.timestamp);
        let key = &mailbox.row.mailbox;
        let is_first = self
            .store
            .may_reply(key, to, &mail.message_id, mail.timestamp, since, expires_at)
            .await?;
        if !is_first {
            let reason = format!("not sent: the sender got a reply within {every_days} days");
            return Ok(Outcome::Rejected(reason));
        }
        let id = format!("auto-reply {key}");
        if let Some(rejected) = self.check_reply_limit(context, to, &id).await? {
            return Ok(rejected);
        }
        let reply = auto_reply(&AutoReply {
            from,
            to,
            subject: subject.as_deref(),
            text,
            about,
            at: context.now,
        });
        let send = async {
            let id = self.send_email(from, to, reply).await?;
            Ok((Outcome::Done, format!("sent as {id}")))
        };
        let key = ActionKey {
            mailbox: &key.to_string(),
            action: "auto-reply",
            target: to.key(),
        };
        self.take_once(context, key, send).await
    }
}
