//! `postroomctl mail`: the index of inbound mail.

mod send_again;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{IndexedMail, IndexedSubject, MailboxKey};

use crate::arguments::{parse_day_or_time, parse_limit};
use crate::aws_error::AwsError;
use crate::output::{Output, json_text};
use crate::table::TableArgs;
use crate::text::Text;
use send_again::SendAgainArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum MailCommand {
    /// List the newest mails in the index of a mailbox: stored mails, and mails with an action that was not executed.
    #[command(
        after_help = "Example:\n  postroomctl mail list support@example.com --limit 10 --table postroom-Table-EXAMPLE"
    )]
    List(ListArgs),
    /// Show a mail and its actions in every mailbox that received it. Exit code 1 when it is not in the index.
    #[command(
        after_help = "Example:\n  postroomctl mail get o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1 --table postroom-Table-EXAMPLE"
    )]
    Get(GetArgs),
    /// Send mail that a limit, a cap or a suppression stopped. Forwards, replies and bounces that were sent are not repeated.
    ///
    /// The limits per sender and the caps do not apply. A suppression applies until `suppression release`, and SES bounces a
    /// mail only within 24 hours.
    #[command(
        after_help = "Example:\n  postroomctl mail send-again o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1 --table postroom-Table-EXAMPLE \\\n      \
        --queue https://sqs.us-east-1.amazonaws.com/111122223333/postroom-InboundQueue-EXAMPLE"
    )]
    SendAgain(SendAgainArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The mailbox: an address, a domain or `*`. Mail without a mailbox is indexed under its domain.
    mailbox: MailboxKey,
    /// Received before this time: a day, or a time (RFC 3339).
    #[arg(long, value_name = "TIME", value_parser = parse_day_or_time)]
    before: Option<Timestamp>,
    /// Only mails of which a forward, reply or bounce was not sent.
    #[arg(long)]
    not_sent: bool,
    /// The maximum number of mails.
    #[arg(long, default_value = "20", value_parser = parse_limit)]
    limit: usize,
    #[command(flatten)]
    table: TableArgs,
}

#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// The SES message id: the last part of the S3 key.
    message_id: String,
    #[command(flatten)]
    table: TableArgs,
}

impl MailCommand {
    pub(crate) async fn run(&self) -> anyhow::Result<Output> {
        match self {
            Self::List(args) => list(args).await,
            Self::Get(args) => get(args).await,
            Self::SendAgain(args) => send_again::run(args).await,
        }
    }
}

async fn list(args: &ListArgs) -> anyhow::Result<Output> {
    let store = args.table.open().await;
    // Of the mails that are not shown, the index is read too.
    let read_limit = if args.not_sent { usize::MAX } else { args.limit };
    let mails = store.mails(&args.mailbox, args.before, read_limit).await;
    let mut mails = mails.map_err(AwsError::from)?;
    if args.not_sent {
        mails.retain(is_not_sent);
        mails.truncate(args.limit);
    }
    if args.table.json {
        let rows: Vec<Value> = mails.iter().map(mail_json).collect();
        return Ok(Output::done(json_text(&json!(rows))));
    }
    let mut text = Text::default();
    for mail in &mails {
        write_mail(&mut text, mail)?;
    }
    if mails.is_empty() {
        writeln!(text, "no mail in the index of {}", args.mailbox)?;
    }
    Ok(Output::done(text))
}

/// Whether the index has the reason of a forward, reply or bounce that was not sent.
fn is_not_sent(mail: &IndexedMail) -> bool {
    let actions = ["forward: not sent", "auto-reply: not sent", "bounce: not sent"];
    let mut reasons = mail.reasons.iter();
    reasons.any(|reason| actions.iter().any(|action| reason.starts_with(action)))
}

async fn get(args: &GetArgs) -> anyhow::Result<Output> {
    let store = args.table.open().await;
    let mails = store.mail_by_id(&args.message_id).await.map_err(AwsError::from)?;
    let claims = store.claims(&args.message_id).await.map_err(AwsError::from)?;
    let is_known = !(mails.is_empty() && claims.is_empty());
    if args.table.json {
        let rows: Vec<Value> = mails.iter().map(mail_json).collect();
        let value = json!({"messageId": args.message_id, "mailboxes": rows, "actions": claims});
        return Ok(Output::answer(is_known, json_text(&value)));
    }
    let mut text = Text::default();
    for mail in &mails {
        write_mail(&mut text, mail)?;
    }
    for (claim, outcome) in &claims {
        let [mailbox, action, target] = claim_parts(claim);
        let outcome = outcome.as_deref().unwrap_or("started, not confirmed");
        writeln!(text, "{mailbox}: {action} to {target}: {outcome}")?;
    }
    if !is_known {
        writeln!(text, "the index has no mail {}", args.message_id)?;
    }
    Ok(Output::answer(is_known, text))
}

/// Mailbox, action and target of a claim. Splits at the name of the action, because addresses may contain the separator.
fn claim_parts(claim: &str) -> [&str; 3] {
    let actions = ["forward", "auto-reply", "bounce", "notify", "notify-owner", "report"];
    let found = actions
        .iter()
        .filter_map(|action| Some((claim.split_once(&format!("#{action}#"))?, action)));
    match found.min_by_key(|((mailbox, _), _)| mailbox.len()) {
        Some(((mailbox, target), action)) => [mailbox, action, target],
        None => [claim, "?", "?"],
    }
}

fn write_mail(text: &mut Text, mail: &IndexedMail) -> std::fmt::Result {
    let from = mail.from.as_deref().unwrap_or("an unknown sender");
    writeln!(text, "{} {} from {from}", mail.at, mail.mailbox)?;
    if let Some(subject) = &mail.subject {
        // Escaped: the sender chooses the subject.
        let subject = match subject {
            IndexedSubject::Text(text) => format!("{text:?}"),
            IndexedSubject::Hash(hash) => format!("hash {hash}"),
        };
        writeln!(text, "  subject     {subject}")?;
    }
    writeln!(text, "  message     {}", mail.message_id)?;
    let recipients: Vec<&str> = mail.recipients.iter().map(String::as_str).collect();
    writeln!(text, "  recipients  {}", recipients.join(", "))?;
    let verdicts: Vec<String> = mail
        .verdicts
        .iter()
        .map(|(name, verdict)| format!("{name} {verdict}"))
        .collect();
    writeln!(
        text,
        "  verdicts    {}: {}",
        verdicts.join(", "),
        mail.verdict_action.as_str()
    )?;
    if let Some(at) = &mail.location {
        let size = mail.size.map(|size| format!(", {size} bytes")).unwrap_or_default();
        writeln!(text, "  location    s3://{}/{}{size}", at.bucket, at.key)?;
    }
    for reason in &mail.reasons {
        writeln!(text, "  reason      {reason}")?;
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
        "returnPath": mail.return_path,
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
