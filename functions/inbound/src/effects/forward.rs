//! Sends forwards, and notices for mail that cannot be forwarded.

use notification_model::EmailAddress;
use store::SentKind;

use super::caps::CappedKind;
use super::claimed::ActionKey;
use super::context::MailContext;
use super::error::{ActionError, ErrorClass};
use super::mail_source::MailSourceError;
use super::outcome::Outcome;
use super::services::Effects;
use crate::decide::{HeaderFacts, MailboxDecision, loop_header_names};
use crate::mail::compose::{Notice, notice};
use crate::mail::forward::{ForwardMark, Rewrite, rewrite};

/// A forward, or the reason why a notice replaces it.
enum ForwardContent {
    Mail(Vec<u8>),
    NoticeOnly(String),
}

impl Effects {
    /// Forwards a mail to one address, unless its sender is over the limit.
    pub(super) async fn forward(
        &self,
        context: &MailContext<'_>,
        mailbox: &MailboxDecision,
        to: &EmailAddress,
        from: &EmailAddress,
        mark: ForwardMark,
    ) -> Result<Outcome, ActionError> {
        if let Some(rejected) = self.check_forward_limit(context).await? {
            return Ok(rejected);
        }
        let id = format!("forward {} {}", mailbox.row.mailbox, to.key());
        let capped = self.check_caps(context, CappedKind::Forwards, &mailbox.row.mailbox, &id);
        if let Some(capped) = capped.await? {
            return Ok(capped);
        }
        let key = ActionKey {
            mailbox: &mailbox.row.mailbox.to_string(),
            action: "forward",
            target: to.key(),
            once_for: None,
        };
        let send = self.send_forward_or_notice(context, mailbox, to, from, mark);
        self.take_once(context, key, send).await
    }

    async fn send_forward_or_notice(
        &self,
        context: &MailContext<'_>,
        mailbox: &MailboxDecision,
        to: &EmailAddress,
        from: &EmailAddress,
        mark: ForwardMark,
    ) -> Result<(Outcome, String), ActionError> {
        let reason = match self.forward_content(context, mailbox, to, from, mark).await? {
            ForwardContent::Mail(mail) => match self.send_email(from, to, mail).await {
                Ok(id) => {
                    self.record_sent(context, SentKind::Forward, &mailbox.row.mailbox, to, &id)
                        .await;
                    return Ok((Outcome::Done, format!("sent as {id}")));
                }
                Err(ActionError::Service {
                    code,
                    class: ErrorClass::MailRejected,
                    ..
                }) => format!("SES rejects the mail ({code})"),
                Err(error) => return Err(error),
            },
            ForwardContent::NoticeOnly(reason) => reason,
        };
        let text = forward_notice(context, mailbox, to, from, &reason);
        let id = self.send_email(from, to, text).await?;
        self.record_sent(context, SentKind::Forward, &mailbox.row.mailbox, to, &id)
            .await;
        Ok((Outcome::NoticeSent, format!("notice sent as {id}: {reason}")))
    }

    async fn forward_content(
        &self,
        context: &MailContext<'_>,
        mailbox: &MailboxDecision,
        to: &EmailAddress,
        from: &EmailAddress,
        mark: ForwardMark,
    ) -> Result<ForwardContent, ActionError> {
        match &context.facts.header {
            HeaderFacts::Read(_) => {}
            HeaderFacts::Unreadable(problem) => return Ok(ForwardContent::NoticeOnly(problem.clone())),
            // Without the header it is not known whether the mail is in a loop.
            HeaderFacts::Unknown => return Err(MailSourceError::UnknownLocation.into()),
        }
        let limits = &self.settings.limits;
        let mail = match context
            .source
            .whole(&self.clients.s3, limits.forward_bytes as u64)
            .await
        {
            Ok(mail) => mail,
            Err(error @ (MailSourceError::TooLarge { .. } | MailSourceError::Content(_))) => {
                return Ok(ForwardContent::NoticeOnly(error.to_string()));
            }
            Err(error) => return Err(error.into()),
        };
        let verdicts = mailbox.row.verdicts.iter();
        let verdicts: Vec<String> = verdicts.map(|(name, status)| format!("{name}={status}")).collect();
        let parameters = Rewrite {
            mailbox: &loop_header_name(mailbox),
            from,
            to: std::slice::from_ref(to),
            recipients: &mailbox.recipients,
            mark,
            verdicts: &verdicts.join("; "),
            message_id: &context.received.mail.message_id,
            at: context.now,
        };
        Ok(match rewrite(&mail, &parameters, limits) {
            Ok(forward) => ForwardContent::Mail(forward.to_vec()),
            Err(error) => ForwardContent::NoticeOnly(error.to_string()),
        })
    }
}

fn forward_notice(
    context: &MailContext<'_>,
    mailbox: &MailboxDecision,
    to: &EmailAddress,
    from: &EmailAddress,
    reason: &str,
) -> Vec<u8> {
    let header = context.header();
    let author = header.and_then(|header| header.author_address());
    let sender = author.cloned().or_else(|| context.received.mail.source_address());
    let location = mailbox.row.location.as_ref();
    let location = location.map(|location| format!("s3://{}/{}", location.bucket, location.key));
    let subject = header.and_then(|header| header.subject.clone());
    notice(&Notice {
        from,
        to: std::slice::from_ref(to),
        mailbox: &loop_header_name(mailbox),
        recipients: &mailbox.recipients,
        sender: sender.as_ref().map_or("an unknown sender", EmailAddress::as_str),
        subject: subject.as_deref().unwrap_or_default(),
        size: mailbox.row.size,
        location: location.as_deref(),
        reason,
        at: context.now,
    })
}

/// The value of the loop header field.
fn loop_header_name(mailbox: &MailboxDecision) -> String {
    let names = loop_header_names(&mailbox.row.mailbox, &mailbox.recipients);
    names.into_iter().next().unwrap_or_default()
}
