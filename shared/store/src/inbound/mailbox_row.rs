//! The row of a mailbox.

use aws_sdk_dynamodb::types::AttributeValue;
use notification_model::EmailAddress;

use super::forward_settings::{ForwardSettings, NotifyContent, QuarantineMark, WhenSuppressed};
use super::mailbox::{KeptSubject, Mailbox, MailboxAction, NotifyTarget, OwnerTarget};
use super::mailbox_key::MailboxKey;
use super::verdict_rules::{VerdictAction, VerdictRules};
use crate::item::{Item, n, s, text};

const WHEN_SUPPRESSED: &str = "expected whenSuppressed as continue or stop";
const QUARANTINE_MARK: &str = "expected quarantineMark as name, subject or none";
const NOTIFY_CONTENT: &str = "expected content as summary or parsed";

/// The row of a mailbox.
pub(super) fn write_mailbox(mailbox: &Mailbox) -> Item {
    let mut rules = mailbox.verdicts;
    let verdicts = rules.named().into_iter().filter_map(|(name, action)| {
        let action = action.as_ref()?;
        Some((name.to_owned(), s(action.as_str())))
    });
    let actions = mailbox.actions.iter().map(write_action);
    let mut row = Item::from([
        ("pk".to_owned(), s(mailbox.key.pk())),
        ("sk".to_owned(), s("ACTIONS")),
        ("verdicts".to_owned(), AttributeValue::M(verdicts.collect())),
        ("actions".to_owned(), AttributeValue::L(actions.collect())),
        ("listKey".to_owned(), s("MAILBOXES")),
        ("listSort".to_owned(), s(mailbox.key.to_string())),
    ]);
    if let Some(owner) = &mailbox.owner {
        row.insert("owner".to_owned(), s(owner.to_string()));
    }
    if !mailbox.trusted_forwarders.is_empty() {
        let domains = mailbox.trusted_forwarders.clone();
        row.insert("trustedForwarders".to_owned(), AttributeValue::Ss(domains));
    }
    row
}

/// Reads the row of a mailbox. The error says what the row lacks.
pub(super) fn read_mailbox(key: &MailboxKey, row: &Item) -> Result<Mailbox, String> {
    let verdicts = row
        .get("verdicts")
        .and_then(|value| value.as_m().ok())
        .ok_or("expected verdicts as a map")?;
    let mut rules = VerdictRules::default();
    let mut read_rules = 0;
    for (name, rule) in rules.named() {
        let Some(value) = verdicts.get(name) else { continue };
        read_rules += 1;
        let action = value.as_s().ok().and_then(|text| VerdictAction::read(text));
        *rule = Some(action.ok_or_else(|| format!("verdict {name}: expected an action"))?);
    }
    if read_rules < verdicts.len() {
        return Err("unknown verdict".to_owned());
    }
    let actions = row
        .get("actions")
        .and_then(|value| value.as_l().ok())
        .ok_or("expected actions as a list")?;
    let actions = actions.iter().enumerate().map(|(index, value)| {
        let map = value.as_m().map_err(|_| "expected a map");
        map.and_then(read_action)
            .map_err(|problem| format!("action {}: {problem}", index + 1))
    });
    let owner = match row.get("owner") {
        None => None,
        Some(value) => {
            let owner = value.as_s().ok().and_then(|text| OwnerTarget::read(text));
            Some(owner.ok_or("expected an owner: a mail address, topic:ARN or queue:URL")?)
        }
    };
    let mut trusted_forwarders = match row.get("trustedForwarders") {
        None => Vec::new(),
        Some(value) => value
            .as_ss()
            .map_err(|_| "expected trustedForwarders as a set")?
            .clone(),
    };
    trusted_forwarders.sort_unstable();
    Ok(Mailbox {
        key: key.clone(),
        verdicts: rules,
        actions: actions.collect::<Result<_, _>>()?,
        owner,
        trusted_forwarders,
    })
}

fn write_action(action: &MailboxAction) -> AttributeValue {
    let mut map = Item::from([("action".to_owned(), s(action.name()))]);
    let mut set = |name: &str, value: AttributeValue| map.insert(name.to_owned(), value);
    match action {
        MailboxAction::Store { subject, days } => {
            set("subject", s(subject.as_str()));
            if let Some(days) = days {
                set("days", n(days));
            }
        }
        MailboxAction::Forward { to, from, settings } => {
            set("whenSuppressed", s(settings.when_suppressed.as_str()));
            set("quarantineMark", s(settings.quarantine_mark.as_str()));
            // A list keeps the order of the configuration.
            set(
                "to",
                AttributeValue::L(to.iter().map(|address| s(format_address(address))).collect()),
            );
            set("from", s(format_address(from)));
        }
        MailboxAction::Unsubscribe => {}
        MailboxAction::AutoReply {
            from,
            subject,
            text,
            every_days,
        } => {
            set("from", s(format_address(from)));
            if let Some(subject) = subject {
                set("subject", s(subject));
            }
            set("text", s(text));
            set("everyDays", n(every_days));
        }
        MailboxAction::Bounce {
            sender,
            message,
            status_code,
        } => {
            set("sender", s(format_address(sender)));
            set("message", s(message));
            set("statusCode", s(status_code));
        }
        MailboxAction::Notify { target, content } => {
            set("target", s(target.to_string()));
            set("content", s(content.as_str()));
        }
        MailboxAction::Drop { reason } => {
            set("reason", s(reason));
        }
    }
    AttributeValue::M(map)
}

/// An address with its name, in a form that `EmailAddress::parse` reads.
fn format_address(address: &EmailAddress) -> String {
    match address.name() {
        Some(name) => format!("\"{}\" <{address}>", name.replace(['"', '\\'], "")),
        None => address.to_string(),
    }
}

fn read_action(map: &Item) -> Result<MailboxAction, &'static str> {
    let string = |name: &'static str, expected: &'static str| text(map, name).map(str::to_owned).ok_or(expected);
    let optional = |name: &str, expected: &'static str| match map.get(name) {
        None => Ok(None),
        Some(AttributeValue::S(text)) => Ok(Some(text.clone())),
        Some(_) => Err(expected),
    };
    let number = |name: &str, expected: &'static str| match map.get(name) {
        None => Ok(None),
        Some(AttributeValue::N(digits)) => digits.parse::<u32>().map(Some).map_err(|_| expected),
        Some(_) => Err(expected),
    };
    let address = |name: &str, expected: &'static str| text(map, name).and_then(EmailAddress::parse).ok_or(expected);
    Ok(match text(map, "action") {
        Some("store") => MailboxAction::Store {
            subject: text(map, "subject")
                .and_then(KeptSubject::read)
                .ok_or("expected the subject none, hash or text")?,
            days: number("days", "expected days as a number")?,
        },
        Some("forward") => {
            let to = map.get("to").and_then(|value| value.as_l().ok());
            let to = to.ok_or("expected to as a list")?.iter().map(|value| {
                let address = value.as_s().ok().and_then(|text| EmailAddress::parse(text));
                address.ok_or("expected to as addresses")
            });
            MailboxAction::Forward {
                to: to.collect::<Result<_, _>>()?,
                from: address("from", "expected from as an address")?,
                settings: ForwardSettings {
                    when_suppressed: match optional("whenSuppressed", WHEN_SUPPRESSED)? {
                        None => WhenSuppressed::default(),
                        Some(text) => WhenSuppressed::read(&text).ok_or(WHEN_SUPPRESSED)?,
                    },
                    quarantine_mark: match optional("quarantineMark", QUARANTINE_MARK)? {
                        None => QuarantineMark::default(),
                        Some(text) => QuarantineMark::read(&text).ok_or(QUARANTINE_MARK)?,
                    },
                },
            }
        }
        Some("unsubscribe") => MailboxAction::Unsubscribe,
        Some("auto-reply") => MailboxAction::AutoReply {
            from: address("from", "expected from as an address")?,
            subject: optional("subject", "expected subject as a string")?,
            text: string("text", "expected a text")?,
            every_days: number("everyDays", "expected everyDays as a number")?.ok_or("expected everyDays")?,
        },
        Some("bounce") => MailboxAction::Bounce {
            sender: address("sender", "expected sender as an address")?,
            message: string("message", "expected a message")?,
            status_code: string("statusCode", "expected a statusCode")?,
        },
        Some("notify") => MailboxAction::Notify {
            target: text(map, "target")
                .and_then(NotifyTarget::read)
                .ok_or("expected a target: topic:ARN or queue:URL")?,
            content: match optional("content", NOTIFY_CONTENT)? {
                None => NotifyContent::default(),
                Some(text) => NotifyContent::read(&text).ok_or(NOTIFY_CONTENT)?,
            },
        },
        Some("drop") => MailboxAction::Drop {
            reason: string("reason", "expected a reason")?,
        },
        _ => return Err("unknown action"),
    })
}
