//! `postroomctl dlq`: dead-letter queues.

mod cause;
mod explain;
mod finding;
mod function;
mod list;
mod message;
mod redrive;

use clap::Subcommand;

use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum DlqCommand {
    /// Count the messages by cause, and show the age of the oldest one. Removes nothing.
    #[command(after_help = "Example:\n  \
        POSTROOM_DLQS=https://sqs.us-east-1.amazonaws.com/111122223333/postroom-FeedbackDeadLetterQueue-EXAMPLE \\\n      \
        postroomctl dlq list")]
    List(list::ListArgs),
    /// Show each message, and why the function did not handle it. Removes nothing.
    #[command(after_help = "Example:\n  postroomctl dlq explain \"$DLQ_URL\" --cause payload")]
    Explain(explain::ExplainArgs),
    /// Send messages back to their source queue. Shows them, and sends them with --yes. Exit code 1 when messages were
    /// selected and not sent.
    ///
    /// Each message is sent before it is deleted, so that none is lost. After an interruption a message may be in both
    /// queues. Handling it twice has no further effect.
    #[command(after_help = "Examples:\n  postroomctl dlq redrive \"$DLQ_URL\"\n  \
        postroomctl dlq redrive \"$DLQ_URL\" --cause dependency --rate 5 --yes")]
    Redrive(redrive::RedriveArgs),
}

impl DlqCommand {
    pub(crate) async fn run(&self) -> anyhow::Result<Output> {
        match self {
            Self::List(args) => list::run(args).await,
            Self::Explain(args) => explain::run(args).await,
            Self::Redrive(args) => redrive::run(args).await,
        }
    }
}
