//! What happens to mail that arrives: the mailboxes, which of them takes a mail, and the words for it.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::bail;
use notification_model::EmailAddress;
use serde_json::{Value, json};
use store::{KeptSubject, Mailbox, MailboxAction, MailboxKey, NotifyTarget, VerdictAction, VerdictRules};

use crate::Output;
use crate::cli::{MailboxesListArgs, MailboxesTestArgs};
use crate::config;
use crate::table::{AwsFailed, open_named};

pub(crate) async fn list(args: &MailboxesListArgs) -> anyhow::Result<Output> {
    let (mailboxes, warnings) = read(args, None).await?;
    if args.json {
        let rows: Vec<Value> = mailboxes.values().map(mailbox_json).collect();
        return Ok(Output::yes(format!("{:#}\n", json!(rows))));
    }
    let mut text = warnings_text(&warnings);
    for mailbox in mailboxes.values() {
        write_mailbox(&mut text, mailbox)?;
    }
    if mailboxes.is_empty() {
        writeln!(
            text,
            "no mailboxes: mail that arrives is noted, and SES goes on with its rules"
        )?;
    }
    Ok(Output::yes(text))
}

pub(crate) async fn test(args: &MailboxesTestArgs) -> anyhow::Result<Output> {
    let (mailboxes, warnings) = read(&args.source, Some(&args.address)).await?;
    let candidates = MailboxKey::candidates(&args.address);
    let mailbox = candidates.iter().find_map(|key| mailboxes.get(key));
    if args.source.json {
        let tried: Vec<String> = candidates.iter().map(ToString::to_string).collect();
        let told = json!({"address": args.address.key(), "tried": tried, "mailbox": mailbox.map(mailbox_json)});
        return Ok(Output {
            text: format!("{told:#}\n"),
            yes: mailbox.is_some(),
        });
    }
    let mut text = warnings_text(&warnings);
    match mailbox {
        Some(mailbox) => {
            writeln!(text, "mail for {} is taken by", args.address)?;
            write_mailbox(&mut text, mailbox)?;
        }
        None => writeln!(text, "no mailbox takes mail for {}", args.address)?,
    }
    // The keys the more specific mailboxes would have.
    let taker = mailbox.map(|mailbox| &mailbox.key);
    let missing: Vec<String> = candidates
        .iter()
        .take_while(|key| Some(*key) != taker)
        .map(ToString::to_string)
        .collect();
    if !missing.is_empty() {
        writeln!(text, "no mailbox of their own: {}", missing.join(", "))?;
    }
    Ok(Output {
        text,
        yes: mailbox.is_some(),
    })
}

/// The mailboxes of a file or a stack's table; of the table only those that may take mail for the recipient, if one is
/// named.
async fn read(
    args: &MailboxesListArgs,
    recipient: Option<&EmailAddress>,
) -> anyhow::Result<(BTreeMap<MailboxKey, Mailbox>, Vec<String>)> {
    match (&args.config, &args.table, recipient) {
        (Some(file), _, _) => {
            let config = config::read(file)?;
            Ok((config.mailboxes, config.warnings))
        }
        (None, Some(table), Some(recipient)) => {
            let keys = MailboxKey::candidates(recipient);
            let found = open_named(table)
                .await
                .mailboxes(&keys)
                .await
                .map_err(AwsFailed::from)?;
            Ok((found, Vec::new()))
        }
        (None, Some(table), None) => {
            let found = open_named(table).await.all_mailboxes().await.map_err(AwsFailed::from)?;
            Ok((found, Vec::new()))
        }
        (None, None, _) => bail!("expected --config or --table: the mailboxes of a file, or of a stack"),
    }
}

fn write_mailbox(text: &mut String, mailbox: &Mailbox) -> std::fmt::Result {
    writeln!(text, "{}", mailbox.key)?;
    for action in &mailbox.actions {
        writeln!(text, "  {}", action_words(action))?;
    }
    if mailbox.verdicts != VerdictRules::default() {
        writeln!(text, "  verdicts: {}", verdict_words(&mailbox.verdicts))?;
    }
    Ok(())
}

pub(crate) fn warnings_text(warnings: &[String]) -> String {
    warnings.iter().map(|warning| format!("warning: {warning}\n")).collect()
}

/// An action with everything it has.
pub(crate) fn action_words(action: &MailboxAction) -> String {
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
        MailboxAction::Forward { to, from } => {
            let to: Vec<&str> = to.iter().map(EmailAddress::as_str).collect();
            format!("forward to {} from {}", to.join(", "), with_name(from))
        }
        MailboxAction::Unsubscribe => "unsubscribe whom a signed token names".to_owned(),
        MailboxAction::AutoReply {
            from,
            subject,
            text,
            every_days,
        } => {
            let subject = subject
                .as_ref()
                .map_or_else(String::new, |subject| format!(" with subject {subject:?}"));
            let from = with_name(from);
            format!("answer from {from}{subject}, each sender once in {every_days} days: {text:?}")
        }
        MailboxAction::Bounce {
            sender,
            message,
            status_code,
        } => format!("bounce from {sender} with {status_code}: {message:?}"),
        MailboxAction::Notify { target } => match target {
            NotifyTarget::Topic(arn) => format!("notify topic {arn}"),
            NotifyTarget::Queue(url) => format!("notify queue {url}"),
        },
        MailboxAction::Drop { reason } => format!("drop: {reason}"),
    }
}

fn with_name(address: &EmailAddress) -> String {
    match address.name() {
        Some(name) => format!("{name} <{address}>"),
        None => address.to_string(),
    }
}

/// The verdicts that have a rule of their own.
pub(crate) fn verdict_words(rules: &VerdictRules) -> String {
    let words: Vec<String> = named(rules)
        .into_iter()
        .filter_map(|(name, rule)| Some(format!("{name} {}", rule?.as_str())))
        .collect();
    if words.is_empty() {
        return "as usual".to_owned();
    }
    words.join(", ")
}

fn named(rules: &VerdictRules) -> [(&'static str, Option<VerdictAction>); 8] {
    // Taken apart, so that a new verdict is not forgotten here.
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
    [
        ("virus-fail", virus_fail),
        ("spam-fail", spam_fail),
        ("spf-fail", spf_fail),
        ("dkim-fail", dkim_fail),
        ("dmarc-none", dmarc_none),
        ("dmarc-quarantine", dmarc_quarantine),
        ("dmarc-reject", dmarc_reject),
        ("unchecked", unchecked),
    ]
}

fn mailbox_json(mailbox: &Mailbox) -> Value {
    let actions = mailbox.actions.iter().map(|action| {
        let mut told = json!({"action": action.name()});
        let more = match action {
            MailboxAction::Store { subject, days } => json!({"keepSubject": subject.as_str(), "days": days}),
            MailboxAction::Forward { to, from } => json!({"to": to, "from": from}),
            MailboxAction::Unsubscribe => json!({}),
            MailboxAction::AutoReply {
                from,
                subject,
                text,
                every_days,
            } => json!({"from": from, "subject": subject, "text": text, "everyDays": every_days}),
            MailboxAction::Bounce {
                sender,
                message,
                status_code,
            } => json!({"from": sender, "reason": message, "statusCode": status_code}),
            MailboxAction::Notify { target } => json!({"to": target.to_string()}),
            MailboxAction::Drop { reason } => json!({"reason": reason}),
        };
        if let (Value::Object(told), Value::Object(more)) = (&mut told, more) {
            told.extend(more);
        }
        told
    });
    let verdicts = named(&mailbox.verdicts).into_iter().filter_map(|(name, rule)| {
        let rule = rule?;
        Some((name.to_owned(), json!(rule.as_str())))
    });
    json!({
        "address": mailbox.key.to_string(), "actions": actions.collect::<Vec<_>>(),
        "verdicts": verdicts.collect::<serde_json::Map<_, _>>(),
    })
}
