//! The section `[[mailbox]]`: addresses, verdict rules and actions.

use std::collections::BTreeMap;

use notification_model::normalise_domain;
use store::{Mailbox, MailboxKey, OwnerTarget, VerdictAction, VerdictRules};

use super::accounts::parse_identity;
use super::mailbox_actions::check_actions;
use super::mailbox_loops::check_loops;
use super::report::Report;
use super::targets::{parse_address, parse_notify_target};
use super::wire;

pub(super) fn check_mailboxes(written: &[wire::Mailbox], report: &mut Report) -> BTreeMap<MailboxKey, Mailbox> {
    let mut mailboxes: BTreeMap<MailboxKey, Mailbox> = BTreeMap::new();
    let mut paths: BTreeMap<MailboxKey, String> = BTreeMap::new();
    for (index, entry) in written.iter().enumerate() {
        let path = format!("mailbox[{}]", index + 1);
        let actions = check_actions(&path, &entry.actions, report);
        let verdicts = check_verdicts(&format!("{path}.verdicts"), &entry.verdicts, report);
        let address_path = format!("{path}.address");
        let expected = "expected a mail address, a domain, or *";
        let Some(key) = report.parse(&address_path, &entry.address, expected, parse_key) else {
            continue;
        };
        if paths.insert(key.clone(), path.clone()).is_some() {
            report.problem(&address_path, "duplicate address: another mailbox has it");
        }
        let mailbox = Mailbox {
            key: key.clone(),
            verdicts,
            actions,
            owner: check_owner(&path, entry, report),
            trusted_forwarders: check_forwarders(&path, entry, report),
        };
        mailboxes.insert(key, mailbox);
    }
    if report.problems.is_empty() {
        check_loops(&mailboxes, &paths, report);
    }
    mailboxes
}

fn check_owner(path: &str, entry: &wire::Mailbox, report: &mut Report) -> Option<OwnerTarget> {
    let text = entry.owner.as_ref()?;
    let expected = "expected a mail address, or the ARN of an SNS topic or SQS queue";
    report.parse(&format!("{path}.owner"), text, expected, |text| {
        match parse_address(text) {
            Some(address) => Some(OwnerTarget::Email(address)),
            None => parse_notify_target(text).map(OwnerTarget::Notify),
        }
    })
}

fn check_forwarders(path: &str, entry: &wire::Mailbox, report: &mut Report) -> Vec<String> {
    let mut domains = Vec::new();
    for (index, text) in entry.trusted_forwarders.iter().enumerate() {
        let path = format!("{path}.trusted-forwarders[{}]", index + 1);
        let domain = report.parse(&path, text, "expected a domain, such as lists.example.com", |text| {
            let is_domain = text.contains('.') && !text.contains(['@', ' ', '*', '/']) && !text.starts_with('.');
            is_domain.then(|| normalise_domain(text))
        });
        domains.extend(domain);
    }
    domains.sort_unstable();
    domains.dedup();
    domains
}

fn parse_key(text: &str) -> Option<MailboxKey> {
    match text {
        "*" => Some(MailboxKey::CatchAll),
        text => parse_identity(text)?.as_str().parse().ok(),
    }
}

fn check_verdicts(path: &str, written: &wire::Verdicts, report: &mut Report) -> VerdictRules {
    if let Some(wire::VerdictAction::Continue | wire::VerdictAction::Tag) = written.virus_fail {
        report.warning(
            &format!("{path}.virus-fail"),
            "forwards and stores mail that contains a virus",
        );
    }
    for (key, action) in [("virus-fail", written.virus_fail), ("spam-fail", written.spam_fail)] {
        if action == Some(wire::VerdictAction::Bounce) {
            report.warning(
                &format!("{path}.{key}"),
                "the sender address of such mail is usually forged, so that the bounce goes to a third party; consider \
                 stop-rule-set",
            );
        }
    }
    let action = |written: Option<wire::VerdictAction>| written.map(verdict_action);
    VerdictRules {
        virus_fail: action(written.virus_fail),
        spam_fail: action(written.spam_fail),
        spf_fail: action(written.spf_fail),
        dkim_fail: action(written.dkim_fail),
        dmarc_none: action(written.dmarc_none),
        dmarc_quarantine: action(written.dmarc_quarantine),
        dmarc_reject: action(written.dmarc_reject),
        unchecked: action(written.unchecked),
    }
}

fn verdict_action(written: wire::VerdictAction) -> VerdictAction {
    match written {
        wire::VerdictAction::Continue => VerdictAction::Continue,
        wire::VerdictAction::Tag => VerdictAction::Tag,
        wire::VerdictAction::StopRule => VerdictAction::StopRule,
        wire::VerdictAction::StopRuleSet => VerdictAction::StopRuleSet,
        wire::VerdictAction::Bounce => VerdictAction::Bounce,
    }
}
