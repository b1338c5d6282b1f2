//! Mail of trusted forwarders and lists that fails DMARC with the policy reject.
//!
//! A forwarder or list that changes a mail breaks the author's DKIM signature and sends from its own servers, so DMARC fails
//! for the author's domain although the mail is genuine. If a mailbox trusts the forwarder, and the forwarder's own SPF or
//! DKIM passes, the mail is tagged instead of bounced.

use notification_model::{DmarcPolicy, EmailAddress, Received};
use store::{Mailbox, VerdictAction, VerdictRules};

use super::domain::is_domain_or_subdomain;
use crate::mail::MailFacts;
use crate::verdict::{failed, passed};

/// The verdict rules of a mailbox for a mail, and the reason if a trusted forwarder changes them. Without the header, only
/// SPF is known.
pub(super) fn mailbox_rules(
    received: &Received,
    header: Option<&MailFacts>,
    mailbox: Option<&Mailbox>,
) -> (VerdictRules, Option<String>) {
    let Some(mailbox) = mailbox else {
        return (VerdictRules::default(), None);
    };
    match trusted_domain(received, header, mailbox) {
        Some(reason) => {
            let rules = VerdictRules {
                dmarc_reject: Some(VerdictAction::Tag),
                ..mailbox.verdicts
            };
            (rules, Some(reason))
        }
        None => (mailbox.verdicts, None),
    }
}

/// Whether the header can change the verdict rules of a mailbox.
pub(super) fn may_be_trusted(received: &Received, mailbox: &Mailbox) -> bool {
    !mailbox.trusted_forwarders.is_empty() && fails_with_reject(received)
}

fn trusted_domain(received: &Received, header: Option<&MailFacts>, mailbox: &Mailbox) -> Option<String> {
    if !may_be_trusted(received, mailbox) {
        return None;
    }
    let trusted = |domain: &str| {
        let mut forwarders = mailbox.trusted_forwarders.iter();
        forwarders.find(|forwarder| is_domain_or_subdomain(domain, forwarder))
    };
    let return_path = received.mail.source_address();
    let return_path = return_path.as_ref().and_then(EmailAddress::domain);
    if passed(&received.receipt.spf_verdict)
        && let Some(forwarder) = return_path.and_then(trusted)
    {
        return Some(format!("the mailbox trusts {forwarder}, which SPF confirms"));
    }
    if !passed(&received.receipt.dkim_verdict) {
        return None;
    }
    let mut signers = header?.ses_dkim_domains.iter();
    let forwarder = signers.find_map(|signer| trusted(signer))?;
    Some(format!("the mailbox trusts {forwarder}, which DKIM confirms"))
}

fn fails_with_reject(received: &Received) -> bool {
    let receipt = &received.receipt;
    failed(&receipt.dmarc_verdict) && receipt.dmarc_policy == Some(DmarcPolicy::Reject)
}
