//! `postroomctl routes`.

mod list;
mod test;

use clap::Subcommand;

use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum RoutesCommand {
    /// List the routes of a stack.
    #[command(after_help = "Example:\n  postroomctl routes list --table postroom-Table-EXAMPLE")]
    List(list::ListArgs),
    /// Show the targets of a notification, and why. Exit code 1 when no route matches.
    #[command(after_help = "Example:\n  postroomctl routes test bounce.json --config postroom.toml")]
    Test(test::TestArgs),
}

impl RoutesCommand {
    pub(crate) async fn run(&self) -> anyhow::Result<Output> {
        match self {
            Self::List(args) => list::run(args).await,
            Self::Test(args) => test::run(args).await,
        }
    }
}
