//! What has to be read before a decision.

use std::collections::BTreeMap;

use notification_model::{EmailAddress, Received};
use store::{Mailbox, MailboxAction, MailboxKey, VerdictAction, VerdictRules};

use super::recipients::shares;
use super::trusted_forwarder::may_be_trusted;
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
            _ => !evaluation.stops() || share.mailbox.is_some_and(|mailbox| may_be_trusted(received, mailbox)),
        });
        any |= !evaluation.virus && (bounces || reads);
    }
    any || policy.publishes_reports && !virus
}

/// The return path of a mail that may be answered or bounced, by the domain that sends. The store knows whether it is
/// suppressed.
#[must_use]
pub fn answered_addresses(
    received: &Received,
    mailboxes: &BTreeMap<MailboxKey, Mailbox>,
    policy: &Policy,
) -> BTreeMap<Option<String>, EmailAddress> {
    let mut by_domain = BTreeMap::new();
    let Some(return_path) = received
        .mail
        .source_address()
        .filter(|address| address.domain().is_some())
    else {
        return by_domain;
    };
    let mut add = |from: &EmailAddress| by_domain.insert(from.domain().map(str::to_owned), return_path.clone());
    for share in shares(received, mailboxes) {
        let rules = share
            .mailbox
            .map_or_else(VerdictRules::default, |mailbox| mailbox.verdicts);
        if evaluate_verdicts(&received.receipt, &rules).action == VerdictAction::Bounce
            && let Some(sender) = &policy.bounce_sender
        {
            add(sender);
        }
        for action in taken_actions(received, share.mailbox) {
            match action {
                MailboxAction::AutoReply { from: sender, .. } | MailboxAction::Bounce { sender, .. } => add(sender),
                _ => None,
            };
        }
    }
    by_domain
}

/// The addresses that each mailbox forwards to. The store knows which of them are suppressed.
#[must_use]
pub fn forward_targets(
    received: &Received,
    mailboxes: &BTreeMap<MailboxKey, Mailbox>,
) -> BTreeMap<MailboxKey, Vec<EmailAddress>> {
    let mut targets: BTreeMap<MailboxKey, Vec<EmailAddress>> = BTreeMap::new();
    for share in shares(received, mailboxes) {
        for (mailbox, action) in share
            .mailbox
            .into_iter()
            .flat_map(|mailbox| taken_actions(received, Some(mailbox)).map(move |action| (mailbox, action)))
        {
            if let MailboxAction::Forward { to, .. } = action {
                targets
                    .entry(mailbox.key.clone())
                    .or_default()
                    .extend(to.iter().cloned());
            }
        }
    }
    targets
}

/// The actions that a mailbox may take: none if the verdicts stop the mail, and none after `drop`.
fn taken_actions<'a>(received: &Received, mailbox: Option<&'a Mailbox>) -> impl Iterator<Item = &'a MailboxAction> {
    let taken = mailbox.filter(|mailbox| {
        !evaluate_verdicts(&received.receipt, &mailbox.verdicts).stops() || may_be_trusted(received, mailbox)
    });
    let actions = taken.map(|mailbox| mailbox.actions.as_slice()).unwrap_or_default();
    actions
        .iter()
        .take_while(|action| !matches!(action, MailboxAction::Drop { .. }))
}
