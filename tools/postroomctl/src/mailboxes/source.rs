//! Where mailboxes are read from: a file or a stack's table.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use notification_model::EmailAddress;
use store::{Mailbox, MailboxKey};

use crate::aws_error::AwsError;
use crate::config;
use crate::table::open_table;

#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    /// Use the mailboxes of this postroom.toml. Needs no AWS access.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Use the mailboxes of this stack's table (output TableName).
    #[arg(long, env = "POSTROOM_TABLE", value_name = "NAME")]
    table: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Mailboxes, and the warnings of the file they are from.
pub(crate) struct Mailboxes {
    pub(crate) by_key: BTreeMap<MailboxKey, Mailbox>,
    pub(crate) warnings: Vec<String>,
}

impl SourceArgs {
    /// All mailboxes.
    pub(crate) async fn read_all(&self) -> anyhow::Result<Mailboxes> {
        self.read(None).await
    }

    /// At least the mailboxes that may receive mail for a recipient.
    pub(crate) async fn read_for(&self, recipient: &EmailAddress) -> anyhow::Result<Mailboxes> {
        self.read(Some(recipient)).await
    }

    async fn read(&self, recipient: Option<&EmailAddress>) -> anyhow::Result<Mailboxes> {
        if let Some(file) = &self.config {
            let config = config::read(file)?;
            return Ok(Mailboxes {
                by_key: config.mailboxes,
                warnings: config.warnings,
            });
        }
        let Some(table) = &self.table else {
            bail!("expected --config (mailboxes of a file) or --table (mailboxes of a stack)");
        };
        let store = open_table(table).await;
        let by_key = match recipient {
            Some(recipient) => store.mailboxes(&MailboxKey::candidates(recipient)).await,
            None => store.all_mailboxes().await,
        };
        Ok(Mailboxes {
            by_key: by_key.map_err(AwsError::from)?,
            warnings: Vec::new(),
        })
    }
}
