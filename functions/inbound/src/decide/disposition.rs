//! The disposition of a mail with several mailboxes.

use std::collections::BTreeMap;

use notification_model::Received;
use store::{Mailbox, MailboxAction, MailboxKey};

use super::recipients::shares;
use super::trusted_forwarder::mailbox_rules;
use crate::mail::MailFacts;
use crate::verdict::{Disposition, VerdictEvaluation, default_disposition, evaluate_verdicts};

/// The disposition of a mail. It depends on the receipt and the mailboxes, so it is known before the mail is read. The header
/// changes it only if DKIM confirms a forwarder that a mailbox trusts.
#[must_use]
pub fn disposition(
    received: &Received,
    mailboxes: &BTreeMap<MailboxKey, Mailbox>,
    header: Option<&MailFacts>,
) -> Disposition {
    let (mut mildest, mut virus) = (None, Disposition::Continue);
    for share in shares(received, mailboxes) {
        let (rules, _) = mailbox_rules(received, header, share.mailbox);
        let evaluation = evaluate_verdicts(&received.receipt, &rules);
        let disposition = mailbox_disposition(share.mailbox, &evaluation);
        mildest = Some(mildest.map_or(disposition, |mildest: Disposition| mildest.min(disposition)));
        if evaluation.virus {
            virus = virus.max(disposition);
        }
    }
    mildest.map_or_else(|| default_disposition(&received.receipt), |mildest| mildest.max(virus))
}

/// The disposition of one mailbox. Mail that the mailbox bounces or drops does not reach later rules.
fn mailbox_disposition(mailbox: Option<&Mailbox>, evaluation: &VerdictEvaluation) -> Disposition {
    let actions = mailbox.map(|mailbox| mailbox.actions.as_slice()).unwrap_or_default();
    let is_final = |action: &MailboxAction| matches!(action, MailboxAction::Bounce { .. } | MailboxAction::Drop { .. });
    if !evaluation.stops() && actions.iter().any(is_final) {
        return Disposition::StopRuleSet;
    }
    Disposition::of(evaluation.action)
}
