//! Whom a mail may be answered or bounced to. An answer to a forged sender hits somebody who never wrote
//! (backscatter), and makes the account that sends it a nuisance.

use jiff::SignedDuration;
use notification_model::{EmailAddress, Verdict, VerdictStatus};
use store::Mailbox;

use super::{About, Action, HeadFacts, MailboxDecision, What, is_within, ours};
use crate::mail::{AutomaticAction, MailFacts, is_sendable};

/// SES bounces mail within a day of its receipt; some of that is ours to wait and retry in.
const BOUNCE_WITHIN: SignedDuration = SignedDuration::from_mins(23 * 60 + 30);

const UNPROVEN: &str = "nothing proves that the return path is the sender's";

impl About<'_> {
    /// The return path when the mail may be bounced to it, and why.
    ///
    /// It must be [proven](Self::proof) that the return path is the sender's.
    pub(super) fn may_bounce(&self, mailbox: &str, ours: &[&EmailAddress]) -> Result<(EmailAddress, String), String> {
        let mail = &self.received.mail;
        let receipt = &self.received.receipt;
        let to = mail.source_address().filter(|to| to.domain().is_some());
        let to = to.ok_or("not bounced, because its return path is null")?;
        if is(&receipt.spam_verdict, &VerdictStatus::Fail) || is(&receipt.virus_verdict, &VerdictStatus::Fail) {
            return Err("not bounced, because nobody answers spam".to_owned());
        }
        if self.facts.now.duration_since(mail.timestamp) > BOUNCE_WITHIN {
            return Err("not bounced, because SES bounces within a day only".to_owned());
        }
        let head = match &self.facts.head {
            HeadFacts::Read(head) => head,
            HeadFacts::Unreadable(problem) => {
                return Err(format!("not bounced, because its header cannot be read: {problem}"));
            }
            HeadFacts::Unknown => return Ok((to, "bounced, unless the header shows automatic mail".to_owned())),
        };
        if let Some(sign) = head.forbidden(AutomaticAction::Bounce, mailbox, ours) {
            return Err(format!("not bounced, because {sign}"));
        }
        match self.proof(&to, head) {
            Some(proof) => Ok((to, format!("bounced: {proof}"))),
            None => Err(format!("not bounced, because {UNPROVEN}")),
        }
    }

    /// What proves that the return path is the sender's: SPF PASS, which is about the return path, or DMARC PASS, which is
    /// about `From`, when the return path is of that domain. DKIM PASS alone is about a domain that the verdict does not
    /// name.
    fn proof(&self, to: &EmailAddress, head: &MailFacts) -> Option<&'static str> {
        let receipt = &self.received.receipt;
        if is(&receipt.spf_verdict, &VerdictStatus::Pass) {
            return Some("SPF proves the return path");
        }
        let forged = is(&receipt.spf_verdict, &VerdictStatus::Fail);
        let proven = is(&receipt.dmarc_verdict, &VerdictStatus::Pass) && is_of_authors_domain(to, head);
        (proven && !forged).then_some("DMARC proves the domain of the return path")
    }

    /// The return path when the mail may be answered, and why. RFC 3834 section 2; a mail that does not name the recipient
    /// was written to somebody else (RFC 5230 section 4.5).
    pub(super) fn may_answer(
        &self,
        mailbox: &Mailbox,
        recipients: &[EmailAddress],
    ) -> Result<(EmailAddress, String), String> {
        let receipt = &self.received.receipt;
        let checks = [
            (&receipt.spam_verdict, "spam"),
            (&receipt.virus_verdict, "virus"),
            (&receipt.spf_verdict, "spf"),
            (&receipt.dmarc_verdict, "dmarc"),
        ];
        if let Some((_, name)) = checks
            .into_iter()
            .find(|(verdict, _)| is(verdict, &VerdictStatus::Fail))
        {
            return Err(format!("not answered, because of {name} FAIL"));
        }
        let to = self.received.mail.source_address().filter(|to| to.domain().is_some());
        let to = to.ok_or("not answered, because its return path is null")?;
        if !is_sendable(&to) {
            return Err("not answered, because SES does not send to such a return path".to_owned());
        }
        if let Some(why) = self.facts.suppressed.get(to.key()) {
            return Err(format!("not answered, because the sender must not be mailed: {why}"));
        }
        if !recipients.iter().any(|recipient| self.names(recipient)) {
            return Err("not answered, because it does not name the recipient".to_owned());
        }
        match &self.facts.head {
            HeadFacts::Read(head) => {
                let ours = ours(mailbox, recipients);
                if let Some(sign) = head.forbidden(AutomaticAction::Response, &mailbox.key.to_string(), &ours) {
                    return Err(format!("not answered, because {sign}"));
                }
                match self.proof(&to, head) {
                    Some(proof) => Ok((to, format!("the mailbox answers: {proof}"))),
                    None => Err(format!("not answered, because {UNPROVEN}")),
                }
            }
            HeadFacts::Unreadable(problem) => {
                Err(format!("not answered, because its header cannot be read: {problem}"))
            }
            HeadFacts::Unknown => Ok((
                to,
                "the mailbox answers, unless the header shows automatic mail".to_owned(),
            )),
        }
    }

    pub(super) fn bounce_by_verdict(&self, decision: &mut MailboxDecision) {
        let Some(sender) = &self.policy.bounce_sender else {
            let reason = "stopped instead, because no address to bounce from is configured (BOUNCE_SENDER)";
            decision.actions.push(Action::skip("bounce", reason.to_owned()));
            return;
        };
        let mailbox = decision.row.mailbox.to_string();
        let ours: Vec<&EmailAddress> = decision.recipients.iter().chain([sender]).collect();
        match self.may_bounce(&mailbox, &ours) {
            Err(reason) => decision
                .actions
                .push(Action::skip("bounce", format!("stopped instead; {reason}"))),
            Ok((to, reason)) => {
                let bounces = decision.recipients.iter().map(|recipient| Action {
                    what: What::Bounce {
                        recipient: recipient.clone(),
                        to: to.clone(),
                        sender: sender.clone(),
                        message: "The domain in the From header does not allow this message (DMARC).".to_owned(),
                        status_code: "5.7.1".to_owned(),
                    },
                    reason: reason.clone(),
                });
                decision.actions.extend(bounces.collect::<Vec<_>>());
            }
        }
    }

    /// Whether the header's recipients include this one.
    fn names(&self, recipient: &EmailAddress) -> bool {
        let mail = &self.received.mail;
        let common = mail.common_headers.iter();
        let lists = common.flat_map(|headers| headers.to.iter().chain(&headers.cc));
        let lists: Vec<&String> = lists.chain(&mail.destination).collect();
        let mut named = lists.iter().flat_map(|list| EmailAddress::parse_list(list));
        named.any(|one| one.key() == recipient.key())
    }
}

fn is(verdict: &Option<Verdict>, status: &VerdictStatus) -> bool {
    verdict.as_ref().is_some_and(|verdict| verdict.status == *status)
}

fn is_of_authors_domain(to: &EmailAddress, head: &MailFacts) -> bool {
    let [author] = head.from.as_slice() else { return false };
    let author = author.address.as_ref().and_then(EmailAddress::domain);
    let both = to.domain().zip(author);
    both.is_some_and(|(to, author)| is_within(to, author))
}
