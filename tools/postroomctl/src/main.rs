//! `postroomctl`: Postroom's command line for people. Looks up, explains, suppresses, releases.
//!
//! Exit codes: 0 yes or done, 1 no (not suppressed, or not to be mailed), 2 the input is wrong, 3 AWS failed.

mod apply;
mod cli;
mod config;
mod dlq;
mod enforcements;
mod explain;
mod mail;
mod mailboxes;
mod mirror;
mod queue;
mod replay;
mod routes;
mod routing;
mod senders;
mod suppression;
mod table;
mod unsubscribe;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{
    Cli, Command, DlqCommand, MailCommand, MailboxesCommand, ReputationCommand, RoutesCommand, SuppressionCommand,
};
use crate::mirror::MirrorFailed;
use crate::table::AwsFailed;

/// What a command prints, and whether its answer is yes.
struct Output {
    text: String,
    yes: bool,
}

impl Output {
    fn yes(text: String) -> Self {
        Self { text, yes: true }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(output) => {
            // A reader that stops early (`| head`) is no failure.
            let _ = std::io::stdout().lock().write_all(output.text.as_bytes());
            if output.yes {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(1)
            }
        }
        Err(error) => {
            let mirror_failed = error.downcast_ref::<MirrorFailed>();
            if let Some(failed) = mirror_failed {
                let _ = std::io::stdout().lock().write_all(failed.done.as_bytes());
            }
            let _ = writeln!(std::io::stderr(), "postroomctl: {error:#}");
            let aws_failed = mirror_failed.is_some() || error.is::<AwsFailed>();
            ExitCode::from(if aws_failed { 3 } else { 2 })
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<Output> {
    match cli.command {
        Command::Explain(args) => explain::run(&args).await,
        Command::Check(args) => suppression::check(&args).await,
        Command::Suppression { command } => match command {
            SuppressionCommand::Get(args) => suppression::get(&args).await,
            SuppressionCommand::List(args) => suppression::list(&args).await,
            SuppressionCommand::Put(args) => suppression::put(&args).await,
            SuppressionCommand::Release(args) => suppression::release(&args).await,
            SuppressionCommand::History(args) => suppression::history(&args).await,
        },
        Command::Apply(args) => apply::run(&args).await,
        Command::Schema => Ok(Output::yes(format!("{:#}\n", config::schema()))),
        Command::Routes { command } => match command {
            RoutesCommand::List(args) => routes::list(&args).await,
            RoutesCommand::Test(args) => routing::test(&args).await,
        },
        Command::Mailboxes { command } => match command {
            MailboxesCommand::List(args) => mailboxes::list(&args).await,
            MailboxesCommand::Test(args) => mailboxes::test(&args).await,
        },
        Command::Mail { command } => match command {
            MailCommand::List(args) => mail::list(&args).await,
            MailCommand::Get(args) => mail::get(&args).await,
        },
        Command::UnsubscribeLink(args) => unsubscribe::link(&args).await,
        Command::Dlq { command } => match command {
            DlqCommand::List(args) => dlq::list(&args).await,
            DlqCommand::Explain(args) => dlq::explain(&args).await,
            DlqCommand::Redrive(args) => dlq::redrive(&args).await,
        },
        Command::Replay(args) => replay::run(&args).await,
        Command::Reputation { command } => match command {
            ReputationCommand::Senders(args) => senders::run(&args).await,
            ReputationCommand::Status(args) => enforcements::status(&args).await,
            ReputationCommand::Enforcements(args) => enforcements::list(&args).await,
            ReputationCommand::History(args) => enforcements::history(&args).await,
            ReputationCommand::Undo(args) => enforcements::take_back(&args).await,
        },
    }
}
