//! Mailboxes: actions and verdict rules.

use notification_model::EmailAddress;
use serde_json::{Map, Value, json};
use store::{
    KeptSubject, MailboxAction, NotifyContent, NotifyTarget, QuarantineMark, VerdictAction, VerdictRules,
    WhenSuppressed,
};

/// An action with all its settings.
pub(crate) fn action_text(action: &MailboxAction) -> String {
    match action {
        MailboxAction::Store { subject, days } => {
            let days = days.map_or_else(String::new, |days| format!(", for {days} days"));
            let subject = match subject {
                KeptSubject::None => "",
                KeptSubject::Hash => ", with a hash of the subject",
                KeptSubject::Text => ", with the subject",
            };
            format!("store in the index{subject}{days}")
        }
        MailboxAction::Forward { to, from, settings } => {
            let to: Vec<&str> = to.iter().map(EmailAddress::as_str).collect();
            let suppressed = match settings.when_suppressed {
                WhenSuppressed::Continue => "",
                WhenSuppressed::Stop => ", unless the target is suppressed",
            };
            let mark = match settings.quarantine_mark {
                QuarantineMark::Name => "",
                QuarantineMark::Subject => ", with a mark in the subject if DMARC fails",
                QuarantineMark::None => ", without a mark if DMARC fails",
            };
            format!(
                "forward to {} from {}{suppressed}{mark}",
                to.join(", "),
                address_text(from)
            )
        }
        MailboxAction::Unsubscribe => "unsubscribe the recipient of a signed token".to_owned(),
        MailboxAction::AutoReply {
            from,
            subject,
            text,
            every_days,
        } => {
            let subject = subject
                .as_ref()
                .map_or_else(String::new, |subject| format!(" with subject {subject:?}"));
            let from = address_text(from);
            format!("reply from {from}{subject}, at most once in {every_days} days to a sender: {text:?}")
        }
        MailboxAction::Bounce {
            sender,
            message,
            status_code,
        } => format!("bounce from {sender} with {status_code}: {message:?}"),
        MailboxAction::Notify { target, content } => {
            let content = match content {
                NotifyContent::Summary => "",
                NotifyContent::Parsed => ", with the parsed mail",
            };
            match target {
                NotifyTarget::Topic(arn) => format!("notify topic {arn}{content}"),
                NotifyTarget::Queue(url) => format!("notify queue {url}{content}"),
            }
        }
        MailboxAction::Drop { reason } => format!("drop: {reason}"),
    }
}

/// An address, with its name when it has one.
pub(crate) fn address_text(address: &EmailAddress) -> String {
    match address.name() {
        Some(name) => format!("{name} <{address}>"),
        None => address.to_string(),
    }
}

/// The verdicts whose action differs from the default.
pub(crate) fn verdict_rules_text(rules: &VerdictRules) -> String {
    let texts: Vec<String> = set_rules(rules)
        .map(|(name, action)| format!("{name} {}", action.as_str()))
        .collect();
    match texts.as_slice() {
        [] => "default".to_owned(),
        texts => texts.join(", "),
    }
}

pub(crate) fn verdict_rules_json(rules: &VerdictRules) -> Value {
    let fields: Map<String, Value> = set_rules(rules)
        .map(|(name, action)| (name.to_owned(), json!(action.as_str())))
        .collect();
    Value::Object(fields)
}

fn set_rules(rules: &VerdictRules) -> impl Iterator<Item = (&'static str, VerdictAction)> {
    // Without `..`, so that a new verdict does not compile until it is added here.
    let VerdictRules {
        virus_fail,
        spam_fail,
        spf_fail,
        dkim_fail,
        dmarc_none,
        dmarc_quarantine,
        dmarc_reject,
        unchecked,
    } = *rules;
    let rules = [
        ("virus-fail", virus_fail),
        ("spam-fail", spam_fail),
        ("spf-fail", spf_fail),
        ("dkim-fail", dkim_fail),
        ("dmarc-none", dmarc_none),
        ("dmarc-quarantine", dmarc_quarantine),
        ("dmarc-reject", dmarc_reject),
        ("unchecked", unchecked),
    ];
    rules.into_iter().filter_map(|(name, action)| Some((name, action?)))
}
