//! What has to be read before a decision.

use std::collections::BTreeMap;

use notification_model::{EmailAddress, Received};
use store::{Mailbox, MailboxAction, MailboxKey, VerdictAction, VerdictRules};

use super::recipients::shares;
use crate::settings::Policy;
use crate::verdict::evaluate_verdicts;

/// Whether the decision needs the header or the size of the mail. A mail with a virus is not read.
#[must_use]
pub fn needs_header(received: &Received, mailboxes: &BTreeMap<MailboxKey, Mailbox>, policy: &Policy) -> bool {
    let (mut any, mut virus) = (false, false);
    for share in shares(received, mailboxes) {
        let rules = share
            .mailbox
            .map_or_else(VerdictRules::default, |mailbox| mailbox.verdicts);
        let evaluation = evaluate_verdicts(&received.receipt, &rules);
        virus |= evaluation.virus;
        let bounces = evaluation.action == VerdictAction::Bounce && policy.bounce_sender.is_some();
        let actions = share
            .mailbox
            .map(|mailbox| mailbox.actions.as_slice())
            .unwrap_or_default();
        let reads = actions.iter().any(|action| match action {
            MailboxAction::Store { .. } => true,
            MailboxAction::Unsubscribe | MailboxAction::Drop { .. } => false,
            _ => !evaluation.stops(),
        });
        any |= !evaluation.virus && (bounces || reads);
    }
    any || policy.publishes_reports && !virus
}

/// The addresses that the mailboxes send mail to, by the domain that sends. The store knows which of them are suppressed.
#[must_use]
pub fn addressees(
    received: &Received,
    mailboxes: &BTreeMap<MailboxKey, Mailbox>,
) -> BTreeMap<Option<String>, Vec<EmailAddress>> {
    let mut by_domain: BTreeMap<Option<String>, Vec<EmailAddress>> = BTreeMap::new();
    let mut add = |to: &EmailAddress, from: &EmailAddress| {
        let addresses = by_domain.entry(from.domain().map(str::to_owned)).or_default();
        if !addresses.iter().any(|address| address.key() == to.key()) {
            addresses.push(to.clone());
        }
    };
    for share in shares(received, mailboxes) {
        let Some(mailbox) = share.mailbox else { continue };
        if evaluate_verdicts(&received.receipt, &mailbox.verdicts).stops() {
            continue;
        }
        for action in &mailbox.actions {
            match action {
                MailboxAction::Forward { to, from } => to.iter().for_each(|to| add(to, from)),
                MailboxAction::AutoReply { from, .. } => {
                    received.mail.source_address().iter().for_each(|to| add(to, from))
                }
                // The actions after it are not taken.
                MailboxAction::Drop { .. } => break,
                _ => {}
            }
        }
    }
    by_domain
}
