//! `postroomctl reputation`.

mod enforcements;
mod history;
mod reputation_report;
mod senders;
mod status;
mod undo;

use clap::Subcommand;

use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum ReputationCommand {
    /// List the senders of the last 24 hours with their bounce and complaint rates, highest first.
    #[command(after_help = "Example:\n  postroomctl reputation senders --minimum 200 --table postroom-Table-EXAMPLE")]
    Senders(senders::SendersArgs),
    /// Show the senders that have reached a threshold, and the enforcements in force.
    #[command(after_help = "Example:\n  postroomctl reputation status --table postroom-Table-EXAMPLE")]
    Status(status::StatusArgs),
    /// List all enforcements, oldest first.
    #[command(after_help = "Example:\n  postroomctl reputation enforcements --json --table postroom-Table-EXAMPLE")]
    Enforcements(enforcements::EnforcementsArgs),
    /// Show the thresholds, status and enforcements of a sender.
    #[command(
        after_help = "Example:\n  postroomctl reputation history 111122223333/222233334444/shop.example --table postroom-Table-EXAMPLE"
    )]
    History(history::HistoryArgs),
    /// Undo an enforcement: enable sending again, or restore the sending authorization policy.
    #[command(
        after_help = "Example:\n  postroomctl reputation undo 20260127T145938Z-1a2b3c4d --table postroom-Table-EXAMPLE"
    )]
    Undo(undo::UndoArgs),
}

impl ReputationCommand {
    pub(crate) async fn run(&self) -> anyhow::Result<Output> {
        match self {
            Self::Senders(args) => senders::run(args).await,
            Self::Status(args) => status::run(args).await,
            Self::Enforcements(args) => enforcements::run(args).await,
            Self::History(args) => history::run(args).await,
            Self::Undo(args) => undo::run(args).await,
        }
    }
}
