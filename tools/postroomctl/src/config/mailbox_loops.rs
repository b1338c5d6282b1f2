//! Forwards that return to a mailbox of the same file.
//!
//! The inbound function ends a loop by a header of the mail, after one round; this check finds it in the file.

use std::collections::{BTreeMap, BTreeSet};

use notification_model::EmailAddress;
use store::{Mailbox, MailboxAction, MailboxKey};

use super::report::Report;

pub(super) fn check_loops(
    mailboxes: &BTreeMap<MailboxKey, Mailbox>,
    paths: &BTreeMap<MailboxKey, String>,
    report: &mut Report,
) {
    let forwards = Forwards(mailboxes);
    for (key, mailbox) in mailboxes {
        let Some(path) = paths.get(key) else { continue };
        for (index, action) in mailbox.actions.iter().enumerate() {
            let MailboxAction::Forward { to, from, .. } = action else {
                continue;
            };
            let path = format!("{path}.actions[{}]", index + 1);
            check_from(&format!("{path}.from"), from, key, &forwards, report);
            for (index, address) in to.iter().enumerate() {
                check_target(&format!("{path}.to[{}]", index + 1), address, key, &forwards, report);
            }
        }
    }
}

fn check_target(
    path: &str,
    address: &EmailAddress,
    mailbox: &MailboxKey,
    forwards: &Forwards<'_>,
    report: &mut Report,
) {
    let Some(next) = forwards.receiver(address) else { return };
    match forwards.path_between(&next, mailbox) {
        Some(keys) => {
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            report.problem(path, format!("forwarding loop: {mailbox}, {}", keys.join(", ")));
        }
        None => report.warning(
            path,
            format!("mailbox {next} receives this address and applies its own actions; forward to its targets instead"),
        ),
    }
}

fn check_from(path: &str, from: &EmailAddress, mailbox: &MailboxKey, forwards: &Forwards<'_>, report: &mut Report) {
    if *mailbox == MailboxKey::Address(from.key().to_owned()) {
        report.problem(
            path,
            "expected an address other than the mailbox's own: replies to a forward would be forwarded",
        );
    } else if forwards.receiver(from).as_ref() == Some(mailbox) {
        report.warning(
            path,
            format!(
                "this mailbox ({mailbox}) also receives this address, so that replies to a forward are forwarded; add a \
                 mailbox for the address"
            ),
        );
    }
}

struct Forwards<'a>(&'a BTreeMap<MailboxKey, Mailbox>);

impl Forwards<'_> {
    /// The mailbox that receives mail for an address. `*` receives mail only for domains that the file names, because mail
    /// of other domains is delivered elsewhere.
    fn receiver(&self, address: &EmailAddress) -> Option<MailboxKey> {
        let domain = address.domain()?;
        let has_domain = |key: &MailboxKey| match key {
            MailboxKey::Address(known) => known.rsplit_once('@').is_some_and(|(_, known)| known == domain),
            MailboxKey::Domain(known) => known == domain,
            MailboxKey::CatchAll => false,
        };
        let key = MailboxKey::candidates(address)
            .into_iter()
            .find(|key| self.0.contains_key(key))?;
        (key != MailboxKey::CatchAll || self.0.keys().any(has_domain)).then_some(key)
    }

    /// The mailboxes on a path of forwards, both ends included.
    fn path_between(&self, from: &MailboxKey, to: &MailboxKey) -> Option<Vec<MailboxKey>> {
        let mut open = vec![vec![from.clone()]];
        let mut seen = BTreeSet::new();
        while let Some(path) = open.pop() {
            let Some(last) = path.last() else { continue };
            if last == to {
                return Some(path);
            }
            if !seen.insert(last.clone()) {
                continue;
            }
            for next in self.next(last) {
                open.push(path.iter().cloned().chain([next]).collect());
            }
        }
        None
    }

    fn next(&self, key: &MailboxKey) -> Vec<MailboxKey> {
        let actions = self.0.get(key).map_or(&[][..], |mailbox| mailbox.actions.as_slice());
        let targets = actions.iter().flat_map(|action| match action {
            MailboxAction::Forward { to, .. } => to.as_slice(),
            _ => &[],
        });
        targets.filter_map(|address| self.receiver(address)).collect()
    }
}
