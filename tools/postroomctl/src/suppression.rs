//! `postroomctl suppression` and `postroomctl check`.

mod check;
mod get;
mod history;
mod list;
mod put;
mod release;
mod republish;
mod suppression_json;

use clap::Subcommand;

pub(crate) use self::check::{CheckArgs, run as check};
use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum SuppressionCommand {
    /// Show why an address is suppressed, since when, and by which notification. Exit code 1 when it is not suppressed.
    #[command(after_help = "Example:\n  postroomctl suppression get jane@example.net --table postroom-Table-EXAMPLE")]
    Get(get::GetArgs),
    /// List the suppressions of a scope that are in force, oldest first.
    #[command(
        after_help = "Example:\n  postroomctl suppression list --scope domain:shop.example --since 2026-03-01T00:00:00Z --table postroom-Table-EXAMPLE"
    )]
    List(list::ListArgs),
    /// Suppress an address. Only a release ends a manual suppression early.
    #[command(
        after_help = "Example:\n  postroomctl suppression put jane@example.net --reason 'requested by phone' --table postroom-Table-EXAMPLE"
    )]
    Put(put::PutArgs),
    /// Release an address. Earlier events do not suppress it again; later events do.
    #[command(
        after_help = "Example:\n  postroomctl suppression release jane@example.net --reason 'the mailbox exists again' --table postroom-Table-EXAMPLE"
    )]
    Release(release::ReleaseArgs),
    /// Publish the state of every address that changed since a time again, after suppression-changes did not publish changes: as
    /// change notices, and to SES's own suppression lists. Reads the whole table.
    #[command(
        after_help = "Example:\n  postroomctl suppression republish --since 2026-03-01 --table postroom-Table-EXAMPLE"
    )]
    Republish(republish::RepublishArgs),
    /// List all events and decisions about an address, oldest first.
    #[command(
        after_help = "Example:\n  postroomctl suppression history jane@example.net --table postroom-Table-EXAMPLE"
    )]
    History(history::HistoryArgs),
}

impl SuppressionCommand {
    pub(crate) async fn run(&self) -> anyhow::Result<Output> {
        match self {
            Self::Get(args) => get::run(args).await,
            Self::List(args) => list::run(args).await,
            Self::Put(args) => put::run(args).await,
            Self::Release(args) => release::run(args).await,
            Self::Republish(args) => republish::run(args).await,
            Self::History(args) => history::run(args).await,
        }
    }
}
