//! Caps on what the function sends. Limits per sender do not help against a stranger who invents senders.

use notification_model::EmailAddress;
use store::{CapPeriod, MailboxKey, SendCap};

use super::context::MailContext;
use super::error::ActionError;
use super::outcome::{LogEntry, Outcome};
use super::services::Effects;
use crate::verdict::passed;

/// What a cap counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CappedKind {
    /// Forwards and the notices that replace them.
    Forwards,
    /// Automatic replies and bounces.
    Answers,
}

impl Effects {
    /// Counts a mail that is about to be sent. Returns the outcome if a cap stops it. `id` names it within the received mail.
    /// Narrow caps are counted first, so that mail which they stop does not use up the wide ones.
    pub(super) async fn check_caps(
        &self,
        context: &MailContext<'_>,
        kind: CappedKind,
        mailbox: &MailboxKey,
        id: &str,
    ) -> Result<Option<Outcome>, ActionError> {
        // An operator decided to send it.
        if context.send_again.is_some() {
            return Ok(None);
        }
        let (limits, name) = match kind {
            CappedKind::Forwards => (self.settings.caps.forwards, "forwards"),
            CappedKind::Answers => (self.settings.caps.answers, "replies and bounces"),
        };
        let counter = |rest: &str| match kind {
            CappedKind::Forwards => format!("forwards#{rest}"),
            CappedKind::Answers => format!("answers#{rest}"),
        };
        let domain = counter(&format!("domain#{}", counted_domain(context)));
        let hour = CapPeriod::Hour;
        let caps = [
            (
                "DomainCapReached",
                domain,
                hour,
                limits.per_domain,
                "for the domain of its return path within an hour",
            ),
            (
                "MailboxCapReached",
                counter(&format!("mailbox#{mailbox}")),
                hour,
                limits.per_mailbox,
                "of the mailbox within an hour",
            ),
            (
                "DailyCapReached",
                counter("day"),
                CapPeriod::Day,
                limits.per_day,
                "of the stack within a day",
            ),
        ];
        let mail = &context.received.mail;
        let id = format!("{} {id}", mail.message_id);
        for (metric, counter, period, limit, of) in caps {
            let cap = SendCap { counter, period, limit };
            if !self.store.count_against_cap(&cap, &id, mail.timestamp).await? {
                context.outcome_log.add(LogEntry::CapReached { metric });
                let reason =
                    format!("not sent: a cap allows {limit} {name} {of}; postroomctl mail send-again sends it");
                return Ok(Some(Outcome::Capped(reason)));
            }
        }
        Ok(None)
    }
}

/// The return-path domain that a mail is counted for. SPF confirms it; mail without confirmation is counted separately, so
/// that a forger does not use up the cap of another domain.
fn counted_domain(context: &MailContext<'_>) -> String {
    let path = context.received.mail.source_address();
    match path.as_ref().and_then(EmailAddress::domain) {
        None => "-".to_owned(),
        Some(domain) if passed(&context.received.receipt.spf_verdict) => domain.to_owned(),
        Some(domain) => format!("unproven:{domain}"),
    }
}
