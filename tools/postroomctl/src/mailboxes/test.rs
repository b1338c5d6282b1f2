//! `postroomctl mailboxes test`.

use std::fmt::Write;

use clap::Args;
use notification_model::EmailAddress;
use serde_json::json;
use store::MailboxKey;

use super::mailbox_report::{mailbox_json, write_mailbox};
use super::source::SourceArgs;
use crate::arguments::parse_address;
use crate::output::{Output, json_text, warnings_text};

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// The recipient of the mail, in any spelling.
    #[arg(value_parser = parse_address)]
    address: EmailAddress,
    #[command(flatten)]
    source: SourceArgs,
}

pub(crate) async fn run(args: &TestArgs) -> anyhow::Result<Output> {
    let mailboxes = args.source.read_for(&args.address).await?;
    let candidates = MailboxKey::candidates(&args.address);
    let mailbox = candidates.iter().find_map(|key| mailboxes.by_key.get(key));
    if args.source.json {
        let tried: Vec<String> = candidates.iter().map(ToString::to_string).collect();
        let value = json!({"address": args.address.key(), "tried": tried, "mailbox": mailbox.map(mailbox_json)});
        return Ok(Output::answer(mailbox.is_some(), json_text(&value)));
    }
    let mut text = warnings_text(&mailboxes.warnings);
    match mailbox {
        Some(mailbox) => {
            writeln!(text, "mail for {} is received by", args.address)?;
            write_mailbox(&mut text, mailbox)?;
        }
        None => writeln!(text, "no mailbox receives mail for {}", args.address)?,
    }
    let more_specific: Vec<String> = candidates
        .iter()
        .take_while(|key| mailbox.is_none_or(|mailbox| **key != mailbox.key))
        .map(ToString::to_string)
        .collect();
    if !more_specific.is_empty() {
        writeln!(text, "no mailbox exists for: {}", more_specific.join(", "))?;
    }
    Ok(Output::answer(mailbox.is_some(), text))
}
