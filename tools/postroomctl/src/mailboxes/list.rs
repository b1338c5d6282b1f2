//! `postroomctl mailboxes list`.

use std::fmt::Write;

use clap::Args;
use serde_json::{Value, json};

use super::mailbox_report::{mailbox_json, write_mailbox};
use super::source::SourceArgs;
use crate::output::{Output, json_text, warnings_text};

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    source: SourceArgs,
}

pub(crate) async fn run(args: &ListArgs) -> anyhow::Result<Output> {
    let mailboxes = args.source.read_all().await?;
    if args.source.json {
        let rows: Vec<Value> = mailboxes.by_key.values().map(mailbox_json).collect();
        return Ok(Output::done(json_text(&json!(rows))));
    }
    let mut text = warnings_text(&mailboxes.warnings);
    for mailbox in mailboxes.by_key.values() {
        write_mailbox(&mut text, mailbox)?;
    }
    if mailboxes.by_key.is_empty() {
        writeln!(
            text,
            "no mailboxes: inbound mail is indexed, and SES continues with its receipt rules"
        )?;
    }
    Ok(Output::done(text))
}
