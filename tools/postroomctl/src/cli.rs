//! The commands of `postroomctl`. Each is in a module with its arguments.

use clap::{Parser, Subcommand};

use crate::apply::{self, ApplyArgs};
use crate::config;
#[cfg(feature = "console")]
use crate::console::{self, ConsoleArgs};
use crate::dead_letters::DlqCommand;
use crate::delegate::DelegateCommand;
use crate::explain::{self, ExplainArgs};
use crate::mail::MailCommand;
use crate::mailboxes::MailboxesCommand;
use crate::output::{Output, json_text};
use crate::plan::{self, PlanArgs};
use crate::pull::{self, PullArgs};
use crate::replay::{self, ReplayArgs};
use crate::reputation::ReputationCommand;
use crate::routes::RoutesCommand;
use crate::suppression::{self, CheckArgs, SuppressionCommand};
use crate::unsubscribe_link::{self, UnsubscribeLinkArgs};

/// The command line of Postroom.
///
/// Credentials, Region and endpoint come from the usual AWS environment variables and files.
/// Exit codes: 0 success or yes, 1 no, 2 invalid input, 3 a request to AWS failed.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Explain what the functions do with a payload, and why. Needs no AWS access without --table.
    #[command(after_help = "Examples:\n  postroomctl explain bounce.json\n  \
        postroomctl explain received.json --config postroom.toml --mail mail.eml\n  \
        aws sqs receive-message --queue-url \"$QUEUE_URL\" | postroomctl explain -")]
    Explain(ExplainArgs),
    /// Check whether addresses may be mailed. Exit code 1 when one of them may not.
    #[command(
        after_help = "Example:\n  postroomctl check jane@example.net --tenant acme --identity shop.example --table postroom-Table-EXAMPLE"
    )]
    Check(CheckArgs),
    /// Open the web console of a stack on a loopback port: recipients, senders, and what a payload does.
    ///
    /// Only this computer can connect, and only the browser that opens the printed link, which works once, can see the pages.
    /// Press Enter for another link. The console reads only, unless --write is given, and ends after 30 minutes without use.
    #[cfg(feature = "console")]
    #[command(after_help = "Example:\n  postroomctl console --table postroom-Table-EXAMPLE")]
    Console(ConsoleArgs),
    /// Show, add and release suppressions.
    Suppression {
        #[command(subcommand)]
        command: SuppressionCommand,
    },
    /// Show the rates of senders, and show and undo enforcements.
    Reputation {
        #[command(subcommand)]
        command: ReputationCommand,
    },
    /// Write the settings that SES has as configuration, so that a plan with it is empty.
    #[command(
        after_help = "Examples:\n  postroomctl pull --output ses.toml --topic-arn arn:aws:sns:us-east-1:111122223333:postroom\n  \
        postroomctl pull --identity '*.shop.example' --notifications-only"
    )]
    Pull(PullArgs),
    /// Show how the table and SES differ from postroom.toml. Exit code 1 when something differs.
    ///
    /// Sections that the file does not have are not compared. Of SES only the keys that are written are compared, and the
    /// policies and event destinations whose name begins with postroom-.
    #[command(
        after_help = "Examples:\n  postroomctl plan postroom.toml --table postroom-Table-EXAMPLE\n  \
        postroomctl plan postroom.toml --markdown --topic-arn arn:aws:sns:us-east-1:111122223333:postroom"
    )]
    Plan(PlanArgs),
    /// Make the table and SES as postroom.toml says, after showing the changes. Exit code 1 when something still differs.
    ///
    /// The order is such that no notification is lost: topics first, feedback forwarding off last, and only when SES's own
    /// message has arrived through the topics. Each setting is read again before and after it is written. An interrupted run
    /// is continued by the next one.
    #[command(after_help = "Example:\n  postroomctl apply postroom.toml --dry-run --table postroom-Table-EXAMPLE")]
    Apply(ApplyArgs),
    /// Check delegate senders, and print what they have to set up.
    Delegate {
        #[command(subcommand)]
        command: DelegateCommand,
    },
    /// Print the JSON schema of postroom.toml, for editors.
    #[command(after_help = "Example:\n  postroomctl schema > postroom.schema.json")]
    Schema,
    /// Show and test the routes of notifications.
    Routes {
        #[command(subcommand)]
        command: RoutesCommand,
    },
    /// Show and test the mailboxes for inbound mail.
    Mailboxes {
        #[command(subcommand)]
        command: MailboxesCommand,
    },
    /// Show inbound mail and the actions on it.
    Mail {
        #[command(subcommand)]
        command: MailCommand,
    },
    /// Print the List-Unsubscribe headers for a mail to one recipient.
    ///
    /// The mailto link (RFC 2369) sends a mail to the mailbox with the unsubscribe action, and the inbound function
    /// verifies the token in it. --url adds a one-click link (RFC 8058), which Gmail and Yahoo require for bulk mail: the
    /// stack's output UnsubscribeUrl followed by {token}, or a web server of your own that verifies the token of a POST
    /// request.
    ///
    /// RFC 8058 requires a valid DKIM signature that covers both headers. With SES, pass both headers with the message (in
    /// Headers of SendEmail, or in a raw message) and enable Easy DKIM or BYODKIM for the identity. Verify it in a received
    /// mail: h= of DKIM-Signature names both headers. Do not combine them with ListManagementOptions of SES, which adds its
    /// own headers.
    #[command(after_help = "Examples:\n  \
        postroomctl unsubscribe-link jane@example.net --scope domain:shop.example --list newsletter \\\n      \
        --mailbox unsubscribe@shop.example --url 'https://shop.example/u/{token}' --key-file unsubscribe.key\n\n\
        examples/unsubscribe_link.py creates the same headers in a program.")]
    UnsubscribeLink(UnsubscribeLinkArgs),
    /// Show and redrive the messages of dead-letter queues.
    Dlq {
        #[command(subcommand)]
        command: DlqCommand,
    },
    /// Send archived notifications to the feedback queue again.
    ///
    /// A notification that was handled before has no further effect. Replays may overlap, and an interrupted replay can be
    /// run again.
    #[command(after_help = "Examples:\n  \
        postroomctl replay --bucket postroom-archive-example --since 2026-03-01 --until 2026-03-08 --dry-run\n  \
        postroomctl replay --bucket postroom-archive-example --since 2026-03-01 --only bounce,complaint \\\n      \
        --queue https://sqs.us-east-1.amazonaws.com/111122223333/postroom-FeedbackQueue-EXAMPLE --progress replay.done")]
    Replay(ReplayArgs),
}

impl Cli {
    pub(crate) async fn run(&self) -> anyhow::Result<Output> {
        match &self.command {
            Command::Explain(args) => explain::run(args).await,
            Command::Check(args) => suppression::check(args).await,
            #[cfg(feature = "console")]
            Command::Console(args) => console::run(args).await,
            Command::Suppression { command } => command.run().await,
            Command::Reputation { command } => command.run().await,
            Command::Pull(args) => pull::run(args).await,
            Command::Plan(args) => plan::run(args).await,
            Command::Apply(args) => apply::run(args).await,
            Command::Delegate { command } => command.run().await,
            Command::Schema => Ok(Output::done(json_text(&config::schema()))),
            Command::Routes { command } => command.run().await,
            Command::Mailboxes { command } => command.run().await,
            Command::Mail { command } => command.run().await,
            Command::UnsubscribeLink(args) => unsubscribe_link::run(args).await,
            Command::Dlq { command } => command.run().await,
            Command::Replay(args) => replay::run(args).await,
        }
    }
}
