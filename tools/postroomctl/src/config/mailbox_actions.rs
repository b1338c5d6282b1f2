//! The actions of a mailbox: which keys each action has, and which actions exclude each other.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use notification_model::EmailAddress;
use store::{ForwardSettings, KeptSubject, MailboxAction, NotifyContent, QuarantineMark, WhenSuppressed};

use super::report::Report;
use super::targets::{parse_address, parse_notify_target};
use super::wire;
use super::wire::ActionName;

/// The [maximum number of recipients](https://docs.aws.amazon.com/ses/latest/dg/quotas.html) of a message in SES.
const MAX_RECIPIENTS: usize = 50;
/// A DynamoDB item holds 400 KB.
const MAX_TEXT_BYTES: usize = 20_000;
const MAX_LINE_BYTES: usize = 500;

pub(super) fn check_actions(
    mailbox_path: &str,
    written: &[wire::MailboxAction],
    report: &mut Report,
) -> Vec<MailboxAction> {
    if written.is_empty() {
        report.problem(&format!("{mailbox_path}.actions"), "expected at least one action");
    }
    let names: Vec<ActionName> = written.iter().map(|action| action.action).collect();
    let mut actions = Vec::new();
    let mut targets = BTreeSet::new();
    for (index, entry) in written.iter().enumerate() {
        let path = format!("{mailbox_path}.actions[{}]", index + 1);
        check_keys(&path, entry, report);
        check_combination(&path, &names, index, report);
        let converted = check_action(&path, entry, report);
        for action in &converted {
            let is_duplicate = match action {
                MailboxAction::Forward { to, .. } => to.iter().any(|address| !targets.insert(address.key().to_owned())),
                MailboxAction::Notify { target, .. } => !targets.insert(target.to_string()),
                _ => false,
            };
            if is_duplicate {
                report.problem(
                    &format!("{path}.to"),
                    "duplicate target: this mailbox already sends to it",
                );
            }
        }
        actions.extend(converted);
    }
    actions
}

fn check_combination(path: &str, names: &[ActionName], index: usize, report: &mut Report) {
    use ActionName::{Bounce, Drop, Forward, Notify, Store};
    let Some(name) = names.get(index) else { return };
    let path = format!("{path}.action");
    let is_repeated = names.iter().take(index).any(|earlier| earlier == name);
    if is_repeated && !matches!(name, Forward | Notify) {
        report.problem(&path, "duplicate action: expected at most one of its kind in a mailbox");
    } else if *name == Drop && names.len() > 1 {
        report.problem(&path, "drop excludes every other action");
    } else if *name == Bounce && names.iter().any(|other| !matches!(other, Bounce | Store | Notify)) {
        report.problem(
            &path,
            "bounce can be combined with store and notify only: it reports that the mail was not accepted",
        );
    }
}

/// Rejects keys of other actions, which serde cannot distinguish.
fn check_keys(path: &str, written: &wire::MailboxAction, report: &mut Report) {
    use ActionName::{AutoReply, Bounce, Drop, Forward, Notify, Store};
    let keys = [
        ("to", written.to.is_some(), &[Forward, Notify][..], "forward and notify"),
        (
            "from",
            written.from.is_some(),
            &[Forward, AutoReply, Bounce],
            "forward, auto-reply and bounce",
        ),
        ("subject", written.subject.is_some(), &[AutoReply], "auto-reply"),
        ("text", written.text.is_some(), &[AutoReply], "auto-reply"),
        ("every-days", written.every_days.is_some(), &[AutoReply], "auto-reply"),
        ("reason", written.reason.is_some(), &[Drop, Bounce], "drop and bounce"),
        ("status-code", written.status_code.is_some(), &[Bounce], "bounce"),
        ("keep-subject", written.keep_subject.is_some(), &[Store], "store"),
        ("days", written.days.is_some(), &[Store], "store"),
        (
            "when-suppressed",
            written.when_suppressed.is_some(),
            &[Forward],
            "forward",
        ),
        (
            "quarantine-mark",
            written.quarantine_mark.is_some(),
            &[Forward],
            "forward",
        ),
        ("content", written.content.is_some(), &[Notify], "notify"),
    ];
    for (key, is_set, actions, names) in keys {
        if is_set && !actions.contains(&written.action) {
            report.problem(&format!("{path}.{key}"), format!("valid only for {names}"));
        }
    }
}

/// Converts one action; a notify action becomes one action for each target.
fn check_action(path: &str, written: &wire::MailboxAction, report: &mut Report) -> Vec<MailboxAction> {
    let action = match written.action {
        ActionName::Store => Some(MailboxAction::Store {
            subject: match written.keep_subject {
                None | Some(wire::KeepSubject::None) => KeptSubject::None,
                Some(wire::KeepSubject::Hash) => KeptSubject::Hash,
                Some(wire::KeepSubject::Text) => KeptSubject::Text,
            },
            days: written.days.map(NonZeroU32::get),
        }),
        ActionName::Forward => {
            let to = check_recipients(&format!("{path}.to"), written.to.as_deref(), report);
            let from = check_sender(path, written, report);
            let settings = forward_settings(written);
            to.zip(from)
                .map(|(to, from)| MailboxAction::Forward { to, from, settings })
        }
        ActionName::Unsubscribe => Some(MailboxAction::Unsubscribe),
        ActionName::AutoReply => check_auto_reply(path, written, report),
        ActionName::Bounce => check_bounce(path, written, report),
        ActionName::Notify => return check_notify(&format!("{path}.to"), written, report),
        ActionName::Drop => {
            let reason = written.reason.as_deref().unwrap_or("the mailbox drops its mail");
            let reason = check_line(&format!("{path}.reason"), reason, report);
            reason.map(|reason| MailboxAction::Drop { reason })
        }
    };
    action.into_iter().collect()
}

fn check_recipients(path: &str, written: Option<&[String]>, report: &mut Report) -> Option<Vec<EmailAddress>> {
    let written = written.unwrap_or_default();
    let before = report.problems.len();
    if written.is_empty() {
        report.problem(path, "expected at least one mail address");
    }
    if written.len() > MAX_RECIPIENTS {
        report.problem(
            path,
            format!("expected at most {MAX_RECIPIENTS} addresses, the limit of SES for a message"),
        );
    }
    let mut recipients = Vec::new();
    for (index, text) in written.iter().enumerate() {
        let path = format!("{path}[{}]", index + 1);
        recipients.extend(report.parse(&path, text, "expected a mail address", parse_address));
    }
    (report.problems.len() == before).then_some(recipients)
}

fn check_sender(path: &str, written: &wire::MailboxAction, report: &mut Report) -> Option<EmailAddress> {
    let path = format!("{path}.from");
    let Some(text) = &written.from else {
        report.problem(&path, "expected a verified mail address to send from");
        return None;
    };
    let expected = "expected a mail address, with or without a name before it";
    report.parse(&path, text, expected, |text| {
        let address = EmailAddress::parse(text)?;
        parse_address(address.as_str())?;
        let is_plain_name = address
            .name()
            .is_none_or(|name| !name.contains(['"', '\\', '<', '>', '@']));
        is_plain_name.then_some(address)
    })
}

fn check_auto_reply(path: &str, written: &wire::MailboxAction, report: &mut Report) -> Option<MailboxAction> {
    let from = check_sender(path, written, report);
    let text_path = format!("{path}.text");
    let text = written.text.clone().unwrap_or_default();
    if text.trim().is_empty() {
        report.problem(&text_path, "expected the text of the reply");
    } else if text.len() > MAX_TEXT_BYTES || text.contains('\0') {
        report.problem(
            &text_path,
            format!("expected a text of at most {MAX_TEXT_BYTES} bytes without null characters"),
        );
    }
    let subject = match &written.subject {
        None => None,
        Some(subject) => Some(check_line(&format!("{path}.subject"), subject, report)?),
    };
    Some(MailboxAction::AutoReply {
        from: from?,
        subject,
        text,
        every_days: written.every_days.map_or(7, NonZeroU32::get),
    })
}

fn check_bounce(path: &str, written: &wire::MailboxAction, report: &mut Report) -> Option<MailboxAction> {
    let sender = check_sender(path, written, report);
    if sender.as_ref().is_some_and(|sender| sender.name().is_some()) {
        report.problem(&format!("{path}.from"), "expected a mail address without a name");
    }
    let message = written.reason.as_deref().unwrap_or("There is no such mailbox here.");
    let message = check_line(&format!("{path}.reason"), message, report);
    let status_code = written.status_code.as_deref().unwrap_or("5.1.1");
    let expected = "expected the enhanced status code of a permanent failure, such as 5.1.1";
    let status_code = report.parse(
        &format!("{path}.status-code"),
        status_code,
        expected,
        parse_permanent_status,
    );
    Some(MailboxAction::Bounce {
        sender: sender?,
        message: message?,
        status_code: status_code?,
    })
}

/// A status code of class 5, [RFC 3463 section 2](https://www.rfc-editor.org/rfc/rfc3463#section-2).
fn parse_permanent_status(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('.').collect();
    let is_number = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    (parts.len() == 3 && parts.first() == Some(&"5") && parts.iter().all(is_number)).then(|| text.to_owned())
}

fn forward_settings(written: &wire::MailboxAction) -> ForwardSettings {
    ForwardSettings {
        when_suppressed: match written.when_suppressed {
            None | Some(wire::WhenSuppressed::Continue) => WhenSuppressed::Continue,
            Some(wire::WhenSuppressed::Stop) => WhenSuppressed::Stop,
        },
        quarantine_mark: match written.quarantine_mark {
            None | Some(wire::QuarantineMark::Name) => QuarantineMark::Name,
            Some(wire::QuarantineMark::Subject) => QuarantineMark::Subject,
            Some(wire::QuarantineMark::None) => QuarantineMark::None,
        },
    }
}

fn check_notify(path: &str, action: &wire::MailboxAction, report: &mut Report) -> Vec<MailboxAction> {
    let content = match action.content {
        None | Some(wire::NotifyContent::Summary) => NotifyContent::Summary,
        Some(wire::NotifyContent::Parsed) => NotifyContent::Parsed,
    };
    let written = action.to.as_deref().unwrap_or_default();
    if written.is_empty() {
        report.problem(path, "expected at least one ARN of an SNS topic or SQS queue");
    }
    let mut actions = Vec::new();
    for (index, text) in written.iter().enumerate() {
        let path = format!("{path}[{}]", index + 1);
        let expected = "expected the ARN of an SNS topic or SQS queue";
        let target = report.parse(&path, text, expected, parse_notify_target);
        actions.extend(target.map(|target| MailboxAction::Notify { target, content }));
    }
    actions
}

fn check_line(path: &str, text: &str, report: &mut Report) -> Option<String> {
    let expected = format!("expected one line of at most {MAX_LINE_BYTES} bytes");
    report.parse(path, text, &expected, |text| {
        let is_line = !text.trim().is_empty() && !text.contains(char::is_control) && text.len() <= MAX_LINE_BYTES;
        is_line.then(|| text.to_owned())
    })
}
