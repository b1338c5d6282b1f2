//! Mail that leaves: forwards, notices in place of them, answers and bounces.

use std::time::Duration;

use aws_sdk_ses::types::{BouncedRecipientInfo, DsnAction, RecipientDsnFields};
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Destination, EmailContent, RawMessage};
use jiff::SignedDuration;
use notification_model::{EmailAddress, Verdict, VerdictStatus};
use store::SenderCap;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::failure::Meaning;
use super::{Case, Effects, Failure, Outcome, SourceError};
use crate::decide::{HeadFacts, MailboxDecision, What, loop_names};
use crate::mail::compose::{AutoReply, Notice, auto_reply, notice};
use crate::mail::forward::{Rewrite, rewrite};

/// SES takes one bounce a second from an account.
const BETWEEN_BOUNCES: Duration = Duration::from_millis(1100);

/// When the last bounce left. Another sandbox has its own: what SES refuses all the same comes again later.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<Option<Instant>>);

impl Pace {
    async fn wait(&self) {
        let mut last = self.0.lock().await;
        if let Some(last) = *last {
            tokio::time::sleep_until(last + BETWEEN_BOUNCES).await;
        }
        *last = Some(Instant::now());
    }
}

impl Effects {
    pub(super) async fn forward(
        &self,
        case: &Case<'_>,
        mailbox: &MailboxDecision,
        to: &EmailAddress,
        from: &EmailAddress,
    ) -> Result<Outcome, Failure> {
        let cap = self.settings.policy.forwards_per_sender;
        let counted = || async {
            let sender = sender_of(case);
            let mail = &case.received.mail;
            let counted =
                self.store
                    .count_for_sender(SenderCap::Forwards, &sender, &mail.message_id, mail.timestamp, cap);
            counted.await
        };
        let may_forward: bool = *case.may_forward.get_or_try_init(counted).await?;
        if !may_forward {
            return Ok(Outcome::Refused(format!(
                "not forwarded: more than {cap} mails of this sender in an hour"
            )));
        }
        let key = mailbox.row.mailbox.to_string();
        self.once(case, &key, "forward", to.key(), self.send_on(case, mailbox, to, from))
            .await
    }

    /// The mail or, where that cannot be, a notice: somebody always hears of it.
    async fn send_on(
        &self,
        case: &Case<'_>,
        mailbox: &MailboxDecision,
        to: &EmailAddress,
        from: &EmailAddress,
    ) -> Result<(Outcome, String), Failure> {
        let why = match self.rewritten(case, mailbox, to, from).await? {
            Ok(mail) => match self.send(from, to, mail).await {
                Ok(id) => return Ok((Outcome::Done, format!("sent as {id}"))),
                Err(Failure::Service {
                    code,
                    meaning: Meaning::NotThis,
                    ..
                }) => format!("SES does not send it ({code})"),
                Err(failure) => return Err(failure),
            },
            Err(why) => why,
        };
        let mail = &case.received.mail;
        let head = case.head();
        let author = head.and_then(|head| head.from.iter().find_map(|author| author.address.as_ref()));
        let sender = author.cloned().or_else(|| mail.source_address());
        let location = mailbox.row.location.as_ref();
        let location = location.map(|location| format!("s3://{}/{}", location.bucket, location.key));
        let subject = head.and_then(|head| head.subject.clone());
        let text = notice(&Notice {
            from,
            to: std::slice::from_ref(to),
            mailbox: &loop_name(mailbox),
            sender: sender.as_ref().map_or("an unknown sender", EmailAddress::as_str),
            subject: subject.as_deref().unwrap_or_default(),
            size: mailbox.row.size,
            location: location.as_deref(),
            reason: &why,
            at: case.now,
        });
        let id = self.send(from, to, text).await?;
        Ok((Outcome::Notice, format!("notice sent as {id}: {why}")))
    }

    /// The forward's bytes, or why there are none.
    async fn rewritten(
        &self,
        case: &Case<'_>,
        mailbox: &MailboxDecision,
        to: &EmailAddress,
        from: &EmailAddress,
    ) -> Result<Result<Vec<u8>, String>, Failure> {
        match &case.facts.head {
            HeadFacts::Read(_) => {}
            // Not a loop as far as is known, but nobody looked at the header: only what we write ourselves goes.
            HeadFacts::Unreadable(problem) => return Ok(Err(problem.clone())),
            HeadFacts::Unknown => return Err(SourceError::Nowhere.into()),
        }
        let limits = &self.settings.limits;
        let whole = self.whole_mail(case, limits.forward_bytes as u64).await;
        let mail = match whole {
            Ok(mail) => mail,
            Err(error @ (SourceError::TooLarge { .. } | SourceError::Content(_))) => return Ok(Err(error.to_string())),
            Err(error) => return Err(error.into()),
        };
        let verdicts: Vec<String> = mailbox
            .row
            .verdicts
            .iter()
            .map(|(name, word)| format!("{name}={word}"))
            .collect();
        let rewritten = rewrite(
            &mail,
            &Rewrite {
                mailbox: &loop_name(mailbox),
                from,
                to: std::slice::from_ref(to),
                verdicts: &verdicts.join("; "),
                message_id: &case.received.mail.message_id,
                at: case.now,
            },
            limits,
        );
        Ok(match rewritten {
            Ok(forward) => Ok(forward.to_vec()),
            Err(error) => Err(error.to_string()),
        })
    }

    pub(super) async fn whole_mail(&self, case: &Case<'_>, limit: u64) -> Result<std::sync::Arc<Vec<u8>>, SourceError> {
        case.source.whole(&self.clients.s3, limit).await
    }

    pub(super) async fn auto_reply(
        &self,
        case: &Case<'_>,
        mailbox: &MailboxDecision,
        what: &What,
    ) -> Result<Outcome, Failure> {
        let (
            What::AutoReply {
                to,
                from,
                subject,
                text,
                every_days,
            },
            Some(about),
        ) = (what, case.head())
        else {
            // Without its header nobody knows whether it may be answered.
            return Err(SourceError::Nowhere.into());
        };
        let mail = &case.received.mail;
        let period = SignedDuration::from_hours(24 * i64::from(*every_days));
        let since = mail.timestamp.checked_sub(period).unwrap_or(mail.timestamp);
        let expires_at = mail.timestamp.checked_add(period * 2).unwrap_or(mail.timestamp);
        let key = &mailbox.row.mailbox;
        let first = self
            .store
            .may_reply(key, to, &mail.message_id, mail.timestamp, since, expires_at)
            .await?;
        if !first {
            return Ok(Outcome::Refused(format!(
                "not answered: the sender got an answer within {every_days} days"
            )));
        }
        if let Some(refused) = self.over_answer_cap(case, to, &format!("auto-reply {key}")).await? {
            return Ok(refused);
        }
        let reply = auto_reply(&AutoReply {
            from,
            to,
            subject: subject.as_deref(),
            text,
            about,
            at: case.now,
        });
        let enforcement = async {
            let id = self.send(from, to, reply).await?;
            Ok((Outcome::Done, format!("sent as {id}")))
        };
        self.once(case, &key.to_string(), "auto-reply", to.key(), enforcement)
            .await
    }

    pub(super) async fn bounce(
        &self,
        case: &Case<'_>,
        mailbox: &MailboxDecision,
        what: &What,
    ) -> Result<Outcome, Failure> {
        let (
            What::Bounce {
                recipient,
                to,
                sender,
                message,
                status_code,
            },
            Some(_),
        ) = (what, case.head())
        else {
            // Without its header nobody knows whether it may be bounced.
            return Err(SourceError::Nowhere.into());
        };
        if let Some(refused) = self
            .over_answer_cap(case, to, &format!("bounce {}", recipient.key()))
            .await?
        {
            return Ok(refused);
        }
        let enforcement = async {
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
                return Err(not_built("SendBounce"));
            };
            self.bounces.wait().await;
            let request = self
                .clients
                .ses_v1
                .send_bounce()
                .original_message_id(&case.received.mail.message_id)
                .bounce_sender(sender.as_str())
                .explanation(message)
                .bounced_recipient_info_list(info);
            let output = request.send().await;
            let output = output.map_err(|error| Failure::of("SendBounce", &error))?;
            let id = output.message_id.unwrap_or_default();
            Ok((Outcome::Done, format!("bounced as {id}")))
        };
        let key = mailbox.row.mailbox.to_string();
        self.once(case, &key, "bounce", recipient.key(), enforcement).await
    }

    /// Each answer counts: one mail can be for a hundred recipients.
    async fn over_answer_cap(
        &self,
        case: &Case<'_>,
        to: &EmailAddress,
        answer: &str,
    ) -> Result<Option<Outcome>, Failure> {
        let cap = self.settings.policy.answers_per_sender;
        let mail = &case.received.mail;
        let id = format!("{} {answer}", mail.message_id);
        let counted = self
            .store
            .count_for_sender(SenderCap::Answers, to.key(), &id, mail.timestamp, cap);
        let reason = || format!("not answered: more than {cap} answers to this sender in an hour");
        Ok((!counted.await?).then(|| Outcome::Refused(reason())))
    }

    /// Sends a mail to one address, whatever its header says. SES's id of it.
    async fn send(&self, from: &EmailAddress, to: &EmailAddress, mail: Vec<u8>) -> Result<String, Failure> {
        let raw = RawMessage::builder().data(Blob::new(mail)).build();
        let raw = raw.map_err(|_| not_built("SendEmail"))?;
        let request = self
            .clients
            .ses
            .send_email()
            .from_email_address(from.as_str())
            .destination(Destination::builder().to_addresses(to.as_str()).build())
            .content(EmailContent::builder().raw(raw).build())
            .set_configuration_set_name(self.settings.configuration_set.clone());
        let output = request.send().await;
        let output = output.map_err(|error| Failure::of("SendEmail", &error))?;
        Ok(output.message_id.unwrap_or_default())
    }
}

fn not_built(operation: &'static str) -> Failure {
    Failure::Service {
        operation,
        code: "request not built".to_owned(),
        meaning: Meaning::NotThis,
    }
}

fn loop_name(mailbox: &MailboxDecision) -> String {
    let names = loop_names(&mailbox.row.mailbox, &mailbox.recipients);
    names.into_iter().next().unwrap_or_default()
}

/// Who is counted for a mail. What nothing proves counts apart, so that nobody uses up another one's share: DMARC proves
/// the author, and where his domain has none, SPF proves at least the return path.
fn sender_of(case: &Case<'_>) -> String {
    let author = case
        .head()
        .and_then(|head| head.from.iter().find_map(|author| author.address.as_ref()));
    let return_path = case.received.mail.source_address();
    let sender = author.or(return_path.as_ref()).map_or("-", EmailAddress::key);
    let receipt = &case.received.receipt;
    let passed = |verdict: &Option<Verdict>| {
        let status = verdict.as_ref().map(|verdict| &verdict.status);
        status == Some(&VerdictStatus::Pass)
    };
    // Of several authors DMARC proves one, and nobody says which.
    let is_one = case.head().is_some_and(|head| head.from.len() == 1);
    match &return_path {
        _ if is_one && passed(&receipt.dmarc_verdict) => sender.to_owned(),
        Some(path) if passed(&receipt.spf_verdict) => format!("by {}:{sender}", path.key()),
        _ => format!("unproven:{sender}"),
    }
}
