//! The index of mail that arrived, and what was done with each mail.

use std::fmt::Write;

use serde_json::{Value, json};
use store::{IndexedMail, IndexedSubject};

use crate::Output;
use crate::cli::{MailGetArgs, MailListArgs};
use crate::table::{AwsFailed, open};

pub(crate) async fn list(args: &MailListArgs) -> anyhow::Result<Output> {
    let store = open(&args.table).await;
    let mails = store.mails(&args.mailbox, args.before, args.limit).await;
    let mails = mails.map_err(AwsFailed::from)?;
    if args.table.json {
        let rows: Vec<Value> = mails.iter().map(mail_json).collect();
        return Ok(Output::yes(format!("{:#}\n", json!(rows))));
    }
    let mut text = String::new();
    for mail in &mails {
        write_mail(&mut text, mail)?;
    }
    if mails.is_empty() {
        writeln!(text, "no mail in the index of {}", args.mailbox)?;
    }
    Ok(Output::yes(text))
}

pub(crate) async fn get(args: &MailGetArgs) -> anyhow::Result<Output> {
    let store = open(&args.table).await;
    let mails = store.mail_by_id(&args.message_id).await.map_err(AwsFailed::from)?;
    let claims = store.claims(&args.message_id).await.map_err(AwsFailed::from)?;
    let yes = !(mails.is_empty() && claims.is_empty());
    if args.table.json {
        let rows: Vec<Value> = mails.iter().map(mail_json).collect();
        let told = json!({"messageId": args.message_id, "mailboxes": rows, "done": claims});
        return Ok(Output {
            text: format!("{told:#}\n"),
            yes,
        });
    }
    let mut text = String::new();
    for mail in &mails {
        write_mail(&mut text, mail)?;
    }
    for (what, outcome) in &claims {
        let [mailbox, action, target] = parts(what);
        let outcome = outcome.as_deref().unwrap_or("begun, not known to be done");
        writeln!(text, "{mailbox}: {action} to {target}: {outcome}")?;
    }
    if !yes {
        writeln!(text, "the index has no mail {}", args.message_id)?;
    }
    Ok(Output { text, yes })
}

/// Mailbox, action and target of a claim. A local part may hold the separator, so the action is what is looked for.
fn parts(claim: &str) -> [&str; 3] {
    let actions = ["forward", "auto-reply", "bounce", "notify", "report"];
    let found = actions
        .iter()
        .filter_map(|action| Some((claim.split_once(&format!("#{action}#"))?, action)));
    match found.min_by_key(|((mailbox, _), _)| mailbox.len()) {
        Some(((mailbox, target), action)) => [mailbox, action, target],
        None => [claim, "?", "?"],
    }
}

fn write_mail(text: &mut String, mail: &IndexedMail) -> std::fmt::Result {
    let from = mail.from.as_deref().unwrap_or("an unknown sender");
    writeln!(text, "{} {} from {from}", mail.at, mail.mailbox)?;
    if let Some(subject) = &mail.subject {
        let subject = match subject {
            IndexedSubject::Text(text) => format!("{text:?}"),
            IndexedSubject::Hash(hash) => format!("hash {hash}"),
        };
        writeln!(text, "  subject   {subject}")?;
    }
    writeln!(text, "  message   {}", mail.message_id)?;
    let recipients: Vec<&str> = mail.recipients.iter().map(String::as_str).collect();
    writeln!(text, "  for       {}", recipients.join(", "))?;
    let verdicts: Vec<String> = mail
        .verdicts
        .iter()
        .map(|(name, word)| format!("{name} {word}"))
        .collect();
    writeln!(
        text,
        "  verdicts  {}: {}",
        verdicts.join(", "),
        mail.verdict_action.as_str()
    )?;
    if let Some(at) = &mail.location {
        let size = mail.size.map(|size| format!(", {size} octets")).unwrap_or_default();
        writeln!(text, "  lies in   s3://{}/{}{size}", at.bucket, at.key)?;
    }
    for reason in &mail.reasons {
        writeln!(text, "  because   {reason}")?;
    }
    Ok(())
}

fn mail_json(mail: &IndexedMail) -> Value {
    let (subject, hash) = match &mail.subject {
        Some(IndexedSubject::Text(text)) => (Some(text), None),
        Some(IndexedSubject::Hash(hash)) => (None, Some(hash)),
        None => (None, None),
    };
    json!({
        "mailbox": mail.mailbox.to_string(),
        "messageId": mail.message_id,
        "at": mail.at,
        "recipients": mail.recipients,
        "from": mail.from,
        "subject": subject,
        "subjectHash": hash,
        "verdicts": mail.verdicts,
        "sizeBytes": mail.size,
        "location": mail.location.as_ref().map(|at| json!({"bucket": at.bucket, "key": at.key})),
        "action": mail.verdict_action.as_str(),
        "reasons": mail.reasons,
        "expiresAt": mail.expires_at,
    })
}
