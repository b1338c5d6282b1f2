//! The command line's grammar; its doc comments are what `--help` prints.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;
use notification_model::EmailAddress;
use store::{MailboxKey, Scope, Sender};

use crate::dlq::{Cause, Function};

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
    /// Say what the functions would do with a payload, and why. Needs no AWS, unless --table is given.
    #[command(after_help = "Examples:\n  postroomctl explain bounce.json\n  \
        postroomctl explain received.json --config postroom.toml --mail mail.eml\n  \
        aws sqs receive-message --queue-url \"$QUEUE_URL\" | postroomctl explain -")]
    Explain(ExplainArgs),
    /// May these addresses be mailed? Exit code 1 when one may not.
    #[command(
        after_help = "Example:\n  postroomctl check jane@example.net --tenant acme --identity shop.example --table postroom-Table-EXAMPLE"
    )]
    Check(CheckArgs),
    /// Who must not be mailed.
    Suppression {
        #[command(subcommand)]
        command: SuppressionCommand,
    },
    /// Make the table agree with postroom.toml: shows the difference, asks, writes. Exit code 1 when it differs and
    /// nothing was written.
    #[command(after_help = "Example:\n  postroomctl apply postroom.toml --dry-run --table postroom-Table-EXAMPLE")]
    Apply(ApplyArgs),
    /// Print the JSON schema of postroom.toml, for editors.
    #[command(after_help = "Example:\n  postroomctl schema > postroom.schema.json")]
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
    /// Mail that arrived: what came, and what was done with it.
    Mail {
        #[command(subcommand)]
        command: MailCommand,
    },
    /// The List-Unsubscribe headers for one recipient's mail.
    ///
    /// A recipient whose mail program uses the mailto link lands in the mailbox with the unsubscribe action, and the
    /// inbound function believes the token in it (RFC 2369). --url adds a link that takes a POST without asking anything
    /// (RFC 8058, what Gmail and Yahoo want of bulk mail): your web server reads the token at that URL.
    ///
    /// RFC 8058 counts only when a DKIM signature that passes covers both headers. With SES, hand both over with the
    /// message (SendEmail's Headers, or in a raw message), have Easy DKIM or BYODKIM on the identity, and make sure: h= in
    /// the DKIM-Signature of a mail you received has to name both. Not together with SES's own ListManagementOptions,
    /// which make headers of their own.
    #[command(after_help = "Examples:\n  \
        postroomctl unsubscribe-link jane@example.net --scope domain:shop.example --list newsletter \\\n      \
        --mailbox unsubscribe@shop.example --url 'https://shop.example/u/{token}' --key-file unsubscribe.key\n\n\
        examples/unsubscribe_link.py makes the same in a program.")]
    UnsubscribeLink(UnsubscribeLinkArgs),
    /// What is in a dead-letter queue, why, and sending it back.
    Dlq {
        #[command(subcommand)]
        command: DlqCommand,
    },
    /// Send archived notifications to the feedback queue again.
    ///
    /// Whatever was handled before changes nothing. So replays may overlap, and one that was interrupted may be started
    /// again.
    #[command(after_help = "Examples:\n  \
        postroomctl replay --bucket postroom-archive-example --since 2026-03-01 --until 2026-03-08 --dry-run\n  \
        postroomctl replay --bucket postroom-archive-example --since 2026-03-01 --only bounce,complaint \\\n      \
        --queue https://sqs.us-east-1.amazonaws.com/111122223333/postroom-FeedbackQueue-EXAMPLE --progress replay.done")]
    Replay(ReplayArgs),
    /// Rates of senders, thresholds they reached, and enforcements.
    Reputation {
        #[command(subcommand)]
        command: ReputationCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum RoutesCommand {
    /// The routing table.
    #[command(after_help = "Example:\n  postroomctl routes list --table postroom-Table-EXAMPLE")]
    List(RoutesListArgs),
    /// Where an event would go, and why. Exit code 1 when it would go to nobody.
    #[command(after_help = "Example:\n  postroomctl routes test bounce.json --config postroom.toml")]
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
pub(crate) enum MailCommand {
    /// The newest mails in a mailbox's index: those it stores, and those of which something was not done.
    #[command(
        after_help = "Example:\n  postroomctl mail list support@example.com --limit 10 --table postroom-Table-EXAMPLE"
    )]
    List(MailListArgs),
    /// One mail, in every mailbox it was for. Exit code 1 when the index does not have it.
    #[command(
        after_help = "Example:\n  postroomctl mail get o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1 --table postroom-Table-EXAMPLE"
    )]
    Get(MailGetArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum DlqCommand {
    /// How many messages there are, by cause, and how old the oldest is. Takes nothing out.
    #[command(after_help = "Example:\n  \
        POSTROOM_DLQS=https://sqs.us-east-1.amazonaws.com/111122223333/postroom-FeedbackDeadLetterQueue-EXAMPLE \\\n      \
        postroomctl dlq list")]
    List(DlqListArgs),
    /// What each message is, and why the function did not handle it. Takes nothing out.
    #[command(after_help = "Example:\n  postroomctl dlq explain \"$DLQ_URL\" --cause payload")]
    Explain(DlqExplainArgs),
    /// Send messages back to the queue they came from. Shows them, and sends with --yes. Exit code 1 when there is
    /// something to send and it was not sent.
    ///
    /// A message is sent first and deleted after, so none is lost. An interruption may leave one in both queues; that does
    /// no harm, because handling it twice changes nothing.
    #[command(after_help = "Examples:\n  postroomctl dlq redrive \"$DLQ_URL\"\n  \
        postroomctl dlq redrive \"$DLQ_URL\" --cause around --rate 5 --yes")]
    Redrive(DlqRedriveArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReputationCommand {
    /// Bounce and complaint rates of every sender of the last 24 hours, highest first.
    #[command(after_help = "Example:\n  postroomctl reputation senders --minimum 200 --table postroom-Table-EXAMPLE")]
    Senders(SendersArgs),
    /// Who is over a line now, and which acts are in force.
    #[command(after_help = "Example:\n  postroomctl reputation status --table postroom-Table-EXAMPLE")]
    Status(ReputationListArgs),
    /// Everything that was ever done to any sender, oldest first.
    #[command(after_help = "Example:\n  postroomctl reputation enforcements --json --table postroom-Table-EXAMPLE")]
    Enforcements(ReputationListArgs),
    /// One sender: its lines, how it stands, and what was done to it.
    #[command(
        after_help = "Example:\n  postroomctl reputation history 111122223333/222233334444/shop.example --table postroom-Table-EXAMPLE"
    )]
    History(ReputationHistoryArgs),
    /// Take an act back: resume the sending, or restore the policy.
    #[command(
        after_help = "Example:\n  postroomctl reputation undo 20260127T145938Z-1a2b3c4d --table postroom-Table-EXAMPLE"
    )]
    Undo(UndoArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum SuppressionCommand {
    /// Why an address is suppressed, since when, and by which notification. Exit code 1 when it is not.
    #[command(after_help = "Example:\n  postroomctl suppression get jane@example.net --table postroom-Table-EXAMPLE")]
    Get(GetArgs),
    /// The suppressions of a scope that are in force, oldest first.
    #[command(
        after_help = "Example:\n  postroomctl suppression list --scope domain:shop.example --since 2026-03-01T00:00:00Z --table postroom-Table-EXAMPLE"
    )]
    List(ListArgs),
    /// Suppress an address by hand. Nothing but a release undoes it.
    #[command(
        after_help = "Example:\n  postroomctl suppression put jane@example.net --reason 'asked by phone' --table postroom-Table-EXAMPLE"
    )]
    Put(PutArgs),
    /// Release an address. Events before now do not suppress it again, later ones do.
    #[command(
        after_help = "Example:\n  postroomctl suppression release jane@example.net --reason 'the mailbox is back' --table postroom-Table-EXAMPLE"
    )]
    Release(ReleaseArgs),
    /// Everything that happened to an address, oldest first.
    #[command(
        after_help = "Example:\n  postroomctl suppression history jane@example.net --table postroom-Table-EXAMPLE"
    )]
    History(HistoryArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// An SNS message, a Lambda event of any shape, an SES JSON, or what `aws sqs receive-message` prints; `-` reads
    /// standard input. The policy is the default one; variables such as POSTROOM_SOFT_BOUNCE_MESSAGES and
    /// POSTROOM_BOUNCE_SENDER change it.
    pub(crate) file: PathBuf,
    /// For mail that arrived: the mailboxes of this postroom.toml.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// For mail that arrived: the mailboxes of this stack's table. Not taken from POSTROOM_TABLE, as what is explained
    /// is rarely that stack's.
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    pub(crate) table: Option<String>,
    /// For mail that arrived: the mail itself, whose header is read; without it, the headers in the event are.
    #[arg(long, value_name = "FILE")]
    pub(crate) mail: Option<PathBuf>,
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
    /// Judge no sender that mailed fewer recipients in the hour or the day.
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
pub(crate) struct MailListArgs {
    /// The mailbox: an address, a domain or `*`. What has no mailbox is noted under its domain.
    pub(crate) mailbox: MailboxKey,
    /// Arrived before this time: a day, or a time (RFC 3339).
    #[arg(long, value_name = "TIME", value_parser = day_or_time)]
    pub(crate) before: Option<Timestamp>,
    /// At most so many.
    #[arg(long, default_value = "20", value_parser = limit)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MailGetArgs {
    /// SES's message id: the last part of the S3 key.
    pub(crate) message_id: String,
    #[command(flatten)]
    pub(crate) table: TableArgs,
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
pub(crate) struct UnsubscribeLinkArgs {
    /// The recipient of the mail.
    #[arg(value_parser = address)]
    pub(crate) address: EmailAddress,
    /// Where the recipient unsubscribes: `tenant:NAME`, `domain:NAME` or `global`.
    #[arg(long)]
    pub(crate) scope: Scope,
    /// The contact list the mail belongs to; all mail of the scope, unless given.
    #[arg(long, value_name = "NAME")]
    pub(crate) list: Option<String>,
    /// The topic of the list.
    #[arg(long, value_name = "NAME", requires = "list")]
    pub(crate) topic: Option<String>,
    /// The mailbox of postroom.toml with the unsubscribe action.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(crate) mailbox: EmailAddress,
    /// An https URL with {token} in it, which unsubscribes on POST.
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// A file with the key, the text of the stack's secret. Without it: the variable POSTROOM_UNSUBSCRIBE_KEY.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// Read the key from this secret in Secrets Manager (the stack's output UnsubscribeSecretArn), if there is neither.
    #[arg(long, value_name = "ARN", env = "POSTROOM_UNSUBSCRIBE_SECRET")]
    pub(crate) key_secret: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DlqListArgs {
    /// The URLs of the dead-letter queues (the stack's outputs that end in DeadLetterQueueUrl).
    #[arg(
        required = true,
        value_name = "QUEUE_URL",
        env = "POSTROOM_DLQS",
        value_delimiter = ','
    )]
    pub(crate) queues: Vec<String>,
    /// Look at so many messages of each at most.
    #[arg(long, default_value = "500", value_name = "MESSAGES", value_parser = limit)]
    pub(crate) sample: usize,
    /// Whose messages they are; the queue's name tells, unless given.
    #[arg(long)]
    pub(crate) function: Option<Function>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DlqChoice {
    /// Only these messages, by their id in the queue.
    #[arg(long, value_name = "MESSAGE_ID", value_delimiter = ',')]
    pub(crate) id: Vec<String>,
    /// Only messages with these causes.
    #[arg(long, value_delimiter = ',')]
    pub(crate) cause: Vec<Cause>,
    /// Whose messages they are; the queue's name tells, unless given.
    #[arg(long)]
    pub(crate) function: Option<Function>,
}

#[derive(Debug, Args)]
pub(crate) struct DlqExplainArgs {
    /// The URL of the dead-letter queue.
    #[arg(value_name = "QUEUE_URL")]
    pub(crate) queue: String,
    /// Look at so many messages at most.
    #[arg(long, default_value = "500", value_name = "MESSAGES", value_parser = limit)]
    pub(crate) sample: usize,
    #[command(flatten)]
    pub(crate) choose: DlqChoice,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DlqRedriveArgs {
    /// The URL of the dead-letter queue.
    #[arg(value_name = "QUEUE_URL")]
    pub(crate) queue: String,
    /// The queue to send to; the one whose redrive policy names this dead-letter queue, unless given.
    #[arg(long, value_name = "QUEUE_URL")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) choose: DlqChoice,
    /// Send, instead of showing what would be sent.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Send so many messages a second at most.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: u32,
    /// Send so many messages at most.
    #[arg(long, default_value = "10000", value_name = "MESSAGES", value_parser = limit)]
    pub(crate) limit: usize,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The archive's bucket (the stack's output ArchiveBucketName).
    #[arg(long, conflicts_with = "files")]
    pub(crate) bucket: Option<String>,
    /// Objects of the archive as files, packed or not.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// What stands before the day in the names of the archive's objects.
    #[arg(long, default_value = "notifications/")]
    pub(crate) prefix: String,
    /// Published at or after this time: a day, or a time (RFC 3339).
    #[arg(long, value_name = "TIME", value_parser = day_or_time)]
    pub(crate) since: Option<Timestamp>,
    /// Published before this time; a day that is named here is left out.
    #[arg(long, value_name = "TIME", value_parser = day_or_time)]
    pub(crate) until: Option<Timestamp>,
    /// Only these types, such as bounce,complaint,delivery.
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Show what there is, and send nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The feedback queue (the stack's output QueueUrl).
    #[arg(long, value_name = "URL")]
    pub(crate) queue: Option<String>,
    /// Send so many messages a second at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: u32,
    /// Remember finished objects in this file, and leave out those that are in it.
    #[arg(long, value_name = "FILE")]
    pub(crate) progress: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReputationListArgs {
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ReputationHistoryArgs {
    /// The sender, as `reputation status` names it: `OWNER/ACCOUNT/IDENTITY`.
    pub(crate) sender: Sender,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

#[derive(Debug, Args)]
pub(crate) struct UndoArgs {
    /// The act, as the alert and `reputation status` name it.
    #[arg(value_name = "ENFORCEMENT_ID")]
    pub(crate) enforcement: String,
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
    /// Suppressed at or after this time: a day, or a time (RFC 3339).
    #[arg(long, value_name = "TIME", default_value = "1970-01-01T00:00:00Z", value_parser = day_or_time)]
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
    /// At or after this time: a day, or a time (RFC 3339).
    #[arg(long, value_name = "TIME", value_parser = day_or_time)]
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

fn day_or_time(text: &str) -> Result<Timestamp, String> {
    let day = text.parse::<jiff::civil::Date>().ok().filter(|_| text.len() == 10);
    let midnight = day.and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok());
    midnight
        .map(|midnight| midnight.timestamp())
        .or_else(|| text.parse().ok())
        .ok_or_else(|| "expected a day such as 2026-03-01 or a time such as 2026-03-01T12:00:00Z".to_owned())
}
