//! `postroomctl mailboxes`.

mod list;
mod mailbox_report;
mod source;
mod test;

use clap::Subcommand;

use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum MailboxesCommand {
    /// List the mailboxes and their actions.
    #[command(after_help = "Example:\n  postroomctl mailboxes list --table postroom-Table-EXAMPLE")]
    List(list::ListArgs),
    /// Show the mailbox that receives mail for an address. Exit code 1 when there is none.
    #[command(after_help = "Example:\n  postroomctl mailboxes test support+tag@example.com --config postroom.toml")]
    Test(test::TestArgs),
}

impl MailboxesCommand {
    pub(crate) async fn run(&self) -> anyhow::Result<Output> {
        match self {
            Self::List(args) => list::run(args).await,
            Self::Test(args) => test::run(args).await,
        }
    }
}
