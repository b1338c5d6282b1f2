//! Decides whether a mail may be bounced or replied to.
//!
//! A bounce or reply to a forged return path goes to a person who did not write the mail (backscatter), and harms the
//! reputation of the account that sends it. So both need proof that the return path belongs to the sender.

use jiff::SignedDuration;
use notification_model::EmailAddress;
use store::{Mailbox, MailboxAction};

use super::context::Context;
use super::domain::is_domain_or_subdomain;
use super::facts::{Facts, HeaderFacts};
use crate::mail::{AutomaticAction, MailFacts, is_sendable};
use crate::verdict::{failed, passed};

/// SES bounces a mail up to 24 hours after its receipt. Half an hour is left for the queue and retries.
const MAX_BOUNCE_AGE: SignedDuration = SignedDuration::from_mins(23 * 60 + 30);

/// The target of a bounce or reply.
pub(super) struct ReturnPath {
    pub(super) address: EmailAddress,
    /// What confirms it; `None` if the header is not known.
    proof: Option<&'static str>,
}

impl ReturnPath {
    /// The reason of an action: what causes it, and why the return path may be used.
    pub(super) fn reason(&self, cause: &str) -> String {
        match self.proof {
            Some(proof) => format!("{cause}: {proof}"),
            None => format!("{cause}, unless the header has a sign of automatic mail"),
        }
    }
}

/// The addresses of a mailbox: its recipients, and the addresses that it sends from.
pub(super) fn own_addresses<'a>(mailbox: &'a Mailbox, recipients: &'a [EmailAddress]) -> Vec<&'a EmailAddress> {
    let senders = mailbox.actions.iter().filter_map(|action| match action {
        MailboxAction::Forward { from, .. } | MailboxAction::AutoReply { from, .. } => Some(from),
        MailboxAction::Bounce { sender, .. } => Some(sender),
        _ => None,
    });
    recipients.iter().chain(senders).collect()
}

/// The return path, if the mail may be bounced; else the reason.
pub(super) fn bounce_target(
    context: &Context<'_>,
    mailbox: &str,
    own_addresses: &[&EmailAddress],
) -> Result<ReturnPath, String> {
    let mail = &context.received.mail;
    let receipt = &context.received.receipt;
    let address = mail.source_address().filter(|address| address.domain().is_some());
    let address = address.ok_or("the return path is null")?;
    if failed(&receipt.spam_verdict) || failed(&receipt.virus_verdict) {
        return Err("spam and viruses are not bounced".to_owned());
    }
    if context.facts.now.duration_since(mail.timestamp) > MAX_BOUNCE_AGE {
        return Err("SES bounces mail only within 24 hours".to_owned());
    }
    answers_arrive(context, &address)?;
    proven_return_path(context, address, AutomaticAction::Bounce, mailbox, own_addresses)
}

/// The return path, if the mail may be replied to; else the reason. The rules are those of RFC 3834 section 2. A mail that
/// does not name the recipient gets no reply (RFC 5230 section 4.5).
pub(super) fn auto_reply_target(
    context: &Context<'_>,
    mailbox: &Mailbox,
    recipients: &[EmailAddress],
) -> Result<ReturnPath, String> {
    let receipt = &context.received.receipt;
    let checks = [
        (&receipt.spam_verdict, "spam"),
        (&receipt.virus_verdict, "virus"),
        (&receipt.spf_verdict, "spf"),
        (&receipt.dmarc_verdict, "dmarc"),
    ];
    if let Some((_, name)) = checks.into_iter().find(|(verdict, _)| failed(verdict)) {
        return Err(format!("{name} FAIL"));
    }
    let address = context.received.mail.source_address();
    let address = address.filter(|address| address.domain().is_some());
    let address = address.ok_or("the return path is null")?;
    if !is_sendable(&address) {
        return Err("SES does not send to the return path".to_owned());
    }
    answers_arrive(context, &address)?;
    if !recipients.iter().any(|recipient| names_recipient(context, recipient)) {
        return Err("the header does not name the recipient".to_owned());
    }
    let own_addresses = own_addresses(mailbox, recipients);
    let action = AutomaticAction::AutoReply;
    proven_return_path(context, address, action, &mailbox.key.to_string(), &own_addresses)
}

/// A domain gets no answers if this many bounced within seven days, and at least a tenth of those that it got.
const BOUNCED_ANSWERS: usize = 3;

/// An error if the return path is suppressed, or if answers to it or to its domain bounce. A stranger can invent any number
/// of addresses in a domain, and each bounce counts in the bounce rate of the account.
fn answers_arrive(context: &Context<'_>, address: &EmailAddress) -> Result<(), String> {
    let Facts {
        suppressed, answers, ..
    } = context.facts;
    if let Some(reason) = suppressed.get(address.key()) {
        return Err(format!("the return path is suppressed: {reason}"));
    }
    if answers.get(address.key()).is_some_and(|counts| counts.bounced > 0) {
        return Err("an earlier reply to the return path bounced".to_owned());
    }
    let of_domain = address.domain().and_then(|domain| answers.get(domain));
    match of_domain {
        Some(counts) if counts.bounced >= BOUNCED_ANSWERS && counts.bounced * 10 >= counts.sent => Err(format!(
            "{} of {} replies to the domain of the return path bounced within seven days",
            counts.bounced,
            counts.sent.max(counts.bounced)
        )),
        _ => Ok(()),
    }
}

/// The return path, if no sign forbids the action and SPF or DMARC confirms the return path.
fn proven_return_path(
    context: &Context<'_>,
    address: EmailAddress,
    action: AutomaticAction,
    mailbox: &str,
    own_addresses: &[&EmailAddress],
) -> Result<ReturnPath, String> {
    let header = match &context.facts.header {
        HeaderFacts::Read(header) => header,
        HeaderFacts::Unreadable(problem) => return Err(problem.clone()),
        HeaderFacts::Unknown => {
            let proof = None;
            return Ok(ReturnPath { address, proof });
        }
    };
    if let Some(sign) = header.forbidding_sign(action, mailbox, own_addresses) {
        return Err(sign.to_string());
    }
    let proof = proof(context, &address, header).ok_or("neither SPF nor DMARC confirms the return path")?;
    Ok(ReturnPath {
        address,
        proof: Some(proof),
    })
}

/// What confirms that the return path belongs to the sender: SPF PASS, which is about the return path, or DMARC PASS, which
/// is about `From`, if the return path is in that domain. DKIM PASS alone is about a domain that the verdict does not name.
fn proof(context: &Context<'_>, address: &EmailAddress, header: &MailFacts) -> Option<&'static str> {
    let receipt = &context.received.receipt;
    if passed(&receipt.spf_verdict) {
        return Some("SPF confirms the return path");
    }
    let confirmed = passed(&receipt.dmarc_verdict) && is_in_author_domain(address, header);
    (confirmed && !failed(&receipt.spf_verdict)).then_some("DMARC confirms the domain of the return path")
}

fn is_in_author_domain(address: &EmailAddress, header: &MailFacts) -> bool {
    let [author] = header.from.as_slice() else { return false };
    let author = author.address.as_ref().and_then(EmailAddress::domain);
    let domains = address.domain().zip(author);
    domains.is_some_and(|(domain, author)| is_domain_or_subdomain(domain, author))
}

/// Whether `To` or `Cc` names a recipient.
fn names_recipient(context: &Context<'_>, recipient: &EmailAddress) -> bool {
    let mail = &context.received.mail;
    let common = mail.common_headers.iter();
    let lists = common.flat_map(|headers| headers.to.iter().chain(&headers.cc));
    let mut named = lists
        .chain(&mail.destination)
        .flat_map(|list| EmailAddress::parse_list(list));
    named.any(|address| address.key() == recipient.key())
}
