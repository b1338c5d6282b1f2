//! The command line's grammar; its doc comments are what `--help` prints.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;
use ledger::{Scope, Sender};
use notification_model::EmailAddress;

/// Look up, explain, suppress and release: Postroom's command line.
///
/// Credentials, Region and endpoint come from the usual AWS environment variables and files.
/// Exit codes: 0 yes or done, 1 no, 2 the input is wrong, 3 AWS failed.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say what the functions would do with a payload, and why. Needs no AWS.
    Explain(ExplainArgs),
    /// May these addresses be mailed? Exit code 1 when one may not.
    Check(CheckArgs),
    /// How every sender of the last 24 hours is doing, against AWS's lines.
    Senders(SendersArgs),
    /// Who must not be mailed.
    Suppression {
        #[command(subcommand)]
        command: SuppressionCommand,
    },
    /// Make the table agree with postroom.toml: shows the difference, asks, writes. Exit code 1 when it differs and
    /// nothing was written.
    Apply(ApplyArgs),
    /// Print the JSON schema of postroom.toml, for editors.
    Schema,
    /// Who hears of what.
    Routes {
        #[command(subcommand)]
        command: RoutesCommand,
    },
    /// What happens to mail that arrives.
    Mailboxes {
        #[command(subcommand)]
        command: MailboxesCommand,
    },
    /// Which senders crossed a line, what was done to them, and taking it back.
    Watch {
        #[command(subcommand)]
        command: WatchCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum RoutesCommand {
    /// The routing table.
    List(RoutesListArgs),
    /// Where an event would go, and why. Exit code 1 when it would go to nobody.
    Test(RoutesTestArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum MailboxesCommand {
    /// Every mailbox and what it does.
    #[command(after_help = "Example:\n  postroomctl mailboxes list --table postroom-Table-EXAMPLE")]
    List(MailboxesListArgs),
    /// Which mailbox takes mail for an address, and what happens to it. Exit code 1 when none takes it.
    #[command(after_help = "Example:\n  postroomctl mailboxes test support+tag@example.com --config postroom.toml")]
    Test(MailboxesTestArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum WatchCommand {
    /// Who is over a line now, and which acts are in force.
    Status(WatchListArgs),
    /// Everything that was ever done to a sender, oldest first.
    Acts(WatchListArgs),
    /// One sender: its lines, how it stands, and what was done to it.
    History(WatchHistoryArgs),
    /// Take an act back: resume the sending, or restore the policy.
    Undo(UndoArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum SuppressionCommand {
    /// Why an address is suppressed, since when, and by which notification. Exit code 1 when it is not.
    Get(GetArgs),
    /// The suppressions of a scope that are in force, oldest first.
    List(ListArgs),
    /// Suppress an address by hand. Nothing but a release undoes it.
    Put(PutArgs),
    /// Release an address. Events before now do not suppress it again, later ones do.
    Release(ReleaseArgs),
    /// Everything that happened to an address, oldest first.
    History(HistoryArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// An SNS message, a Lambda event of any shape, an SES JSON, or what `aws sqs receive-message` prints; `-` reads
    /// standard input. The policy is the default one; variables such as POSTROOM_SOFT_BOUNCE_MESSAGES change it.
    pub(crate) file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TableArgs {
    /// The stack's table (its output TableName).
    #[arg(long, env = "POSTROOM_TABLE", value_name = "NAME")]
    pub(crate) table: String,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MirrorArgs {
    /// The stack's mirror queue (its output MirrorQueueUrl): SES's own suppression list follows. Left alone, unless given.
    #[arg(long, env = "POSTROOM_MIRROR_QUEUE", value_name = "URL")]
    pub(crate) mirror_queue: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The addresses, any number.
    #[arg(required = true, value_parser = address)]
    pub(crate) addresses: Vec<EmailAddress>,
    /// The SES tenant that will send.
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    /// The identity that will send: a domain or an address.
    #[arg(long, value_name = "IDENTITY")]
    pub(crate) identity: Option<String>,
    /// The contact-list topic the mail belongs to.
    #[arg(long, value_name = "LIST/TOPIC")]
    pub(crate) topic: Option<String>,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SendersArgs {
    /// Below so many recipients in the span, no verdict.
    #[arg(long, default_value_t = 50, value_name = "RECIPIENTS")]
    pub(crate) minimum: u64,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// The configuration, for example postroom.toml.
    pub(crate) file: PathBuf,
    /// Show the difference and write nothing.
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
    /// Write without asking.
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RoutesListArgs {
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RoutesTestArgs {
    /// An SNS message, a Lambda event of any shape, or an SES JSON; `-` reads standard input.
    pub(crate) event: PathBuf,
    /// The routes of this postroom.toml. Needs no AWS.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The routes of this stack's table (its output TableName).
    #[arg(long, env = "POSTROOM_TABLE", value_name = "NAME")]
    pub(crate) table: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MailboxesListArgs {
    /// The mailboxes of this postroom.toml. Needs no AWS.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The mailboxes of this stack's table (its output TableName).
    #[arg(long, env = "POSTROOM_TABLE", value_name = "NAME")]
    pub(crate) table: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MailboxesTestArgs {
    /// The address that a mail is for, in any spelling.
    #[arg(value_parser = address)]
    pub(crate) address: EmailAddress,
    #[command(flatten)]
    pub(crate) source: MailboxesListArgs,
}

#[derive(Debug, Args)]
pub(crate) struct WatchListArgs {
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

#[derive(Debug, Args)]
pub(crate) struct WatchHistoryArgs {
    /// The sender, as `watch status` names it: `OWNER/ACCOUNT/IDENTITY`.
    pub(crate) sender: Sender,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

#[derive(Debug, Args)]
pub(crate) struct UndoArgs {
    /// The act, as the alert and `watch status` name it.
    #[arg(value_name = "ACT_ID")]
    pub(crate) act: String,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// The address, in any spelling.
    #[arg(value_parser = address)]
    pub(crate) address: EmailAddress,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// `global`, `tenant:NAME` or `domain:NAME`.
    #[arg(long, default_value = "global")]
    pub(crate) scope: Scope,
    /// Suppressed at or after this time (RFC 3339).
    #[arg(long, value_name = "TIME", default_value = "1970-01-01T00:00:00Z")]
    pub(crate) since: Timestamp,
    /// Suppressed at or before this time (RFC 3339); now, unless given.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Timestamp>,
    /// At most so many.
    #[arg(long, default_value = "1000", value_parser = limit)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PutArgs {
    /// The address, in any spelling.
    #[arg(value_parser = address)]
    pub(crate) address: EmailAddress,
    /// `global`, `tenant:NAME` or `domain:NAME`.
    #[arg(long, default_value = "global")]
    pub(crate) scope: Scope,
    /// Why; whoever looks the address up reads it.
    #[arg(long)]
    pub(crate) reason: String,
    /// For so many days instead of for good.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) days: Option<u32>,
    #[command(flatten)]
    pub(crate) mirror: MirrorArgs,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ReleaseArgs {
    /// The address, in any spelling.
    #[arg(value_parser = address)]
    pub(crate) address: EmailAddress,
    /// Only there; in every scope that suppresses it, unless given.
    #[arg(long)]
    pub(crate) scope: Option<Scope>,
    /// Why; whoever looks the address up reads it.
    #[arg(long)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) mirror: MirrorArgs,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// The address, in any spelling.
    #[arg(value_parser = address)]
    pub(crate) address: EmailAddress,
    /// Only in this scope.
    #[arg(long)]
    pub(crate) scope: Option<Scope>,
    /// At or after this time (RFC 3339).
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Timestamp>,
    /// At or before this time (RFC 3339).
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

fn address(text: &str) -> Result<EmailAddress, String> {
    EmailAddress::parse(text)
        .filter(|address| address.domain().is_some_and(|domain| !domain.is_empty()))
        .ok_or_else(|| "expected a mail address such as jane@example.com".to_owned())
}

fn limit(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|limit| *limit > 0)
        .ok_or_else(|| "expected a number, at least 1".to_owned())
}
