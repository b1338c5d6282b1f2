//! Sends automatic replies.

use jiff::SignedDuration;
use notification_model::EmailAddress;
use store::{AnswerEvent, SentKind};

use super::caps::CappedKind;
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
        let mut stopped = self.check_reply_limit(context, to, &id).await?;
        if stopped.is_none() {
            stopped = self.check_caps(context, CappedKind::Answers, key, &id).await?;
        }
        if let Some(stopped) = stopped {
            // The next mail of the sender may get the reply.
            self.store.withdraw_reply(key, to, &mail.message_id).await?;
            return Ok(stopped);
        }
        self.count_sent_answer(context, to, &id).await?;
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
            self.record_sent(context, SentKind::Answer, key, to, &id).await;
            Ok((Outcome::Done, format!("sent as {id}")))
        };
        let claim_key = ActionKey {
            mailbox: &key.to_string(),
            action: "auto-reply",
            target: to.key(),
            once_for: None,
        };
        self.take_once(context, claim_key, send).await
    }

    /// Counts an answer that is about to be sent for the domain of its recipient. The feedback function counts those that
    /// bounce.
    pub(super) async fn count_sent_answer(
        &self,
        context: &MailContext<'_>,
        to: &EmailAddress,
        id: &str,
    ) -> Result<(), ActionError> {
        let Some(domain) = to.domain() else { return Ok(()) };
        let mail = &context.received.mail;
        let id = format!("{} {id}", mail.message_id);
        Ok(self
            .store
            .count_answer(AnswerEvent::Sent, domain, &id, context.now)
            .await?)
    }
}
