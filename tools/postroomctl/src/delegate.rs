//! `postroomctl delegate`: accounts that send from an identity of another account.

mod check;
mod instructions;

use clap::Subcommand;

use self::check::CheckArgs;
use self::instructions::InstructionsArgs;
use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum DelegateCommand {
    /// Check whether an account may send from an address, and why. Exit code 1 when it may not, or when it depends on what
    /// is not given.
    #[command(
        after_help = "Example:\n  postroomctl delegate check --identity shop.example --account 222233334444 --from news@shop.example"
    )]
    Check(CheckArgs),
    /// Print what the account of a delegate has to set up. Needs no AWS access.
    #[command(
        after_help = "Example:\n  postroomctl delegate instructions agency postroom.toml --owner 111122223333 --region us-east-1"
    )]
    Instructions(InstructionsArgs),
}

impl DelegateCommand {
    pub(crate) async fn run(&self) -> anyhow::Result<Output> {
        match self {
            Self::Check(args) => check::run(args).await,
            Self::Instructions(args) => instructions::run(args),
        }
    }
}
