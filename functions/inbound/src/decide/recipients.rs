//! Which mailbox takes the mail of which recipient.

use std::collections::{BTreeMap, BTreeSet};

use notification_model::{EmailAddress, Received};
use store::{Mailbox, MailboxKey};

/// The recipients of a mail that belong to one mailbox, or to none.
pub(super) struct Share<'a> {
    pub(super) mailbox: Option<&'a Mailbox>,
    pub(super) recipients: Vec<EmailAddress>,
}

/// The keys of every mailbox that the recipients of a mail can belong to.
#[must_use]
pub fn mailbox_keys(received: &Received) -> Vec<MailboxKey> {
    let recipients = received.receipt.recipients.iter();
    let keys: BTreeSet<MailboxKey> = recipients.flat_map(MailboxKey::candidates).collect();
    keys.into_iter().collect()
}

/// The recipients by mailbox. Recipients without a mailbox are in one share, the last.
pub(super) fn shares<'a>(received: &Received, mailboxes: &'a BTreeMap<MailboxKey, Mailbox>) -> Vec<Share<'a>> {
    let mut by_mailbox: BTreeMap<&MailboxKey, Share<'a>> = BTreeMap::new();
    let mut without_mailbox = Vec::new();
    let mut seen = BTreeSet::new();
    for recipient in &received.receipt.recipients {
        if !seen.insert(recipient.key()) {
            continue;
        }
        let candidates = MailboxKey::candidates(recipient);
        match candidates.iter().find_map(|key| mailboxes.get(key)) {
            Some(mailbox) => {
                let share = by_mailbox.entry(&mailbox.key).or_insert_with(|| Share {
                    mailbox: Some(mailbox),
                    recipients: Vec::new(),
                });
                share.recipients.push(recipient.clone());
            }
            None => without_mailbox.push(recipient.clone()),
        }
    }
    let mut shares: Vec<_> = by_mailbox.into_values().collect();
    if !without_mailbox.is_empty() {
        shares.push(Share {
            mailbox: None,
            recipients: without_mailbox,
        });
    }
    shares
}
