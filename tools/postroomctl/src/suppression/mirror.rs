//! Requests to the mirror queue, whose function changes SES's own suppression lists.

use std::fmt;

use clap::Args;
use operations::send_mirror_requests;
use store::MirrorRequest;

use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct MirrorArgs {
    /// The stack's mirror queue (output MirrorQueueUrl), to also change SES's own suppression list. Default: SES's own
    /// list is not changed.
    #[arg(long, env = "POSTROOM_MIRROR_QUEUE", value_name = "URL")]
    mirror_queue: Option<String>,
}

/// The table is written, but a request to the mirror queue failed.
#[derive(Debug)]
pub(crate) struct MirrorError {
    /// What the command prints about the change of the table.
    pub(crate) output: Text,
    cause: String,
}

impl fmt::Display for MirrorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "warning: the table is written, but the request to the mirror queue failed, so SES's own suppression list is \
             unchanged: {}\n  check --mirror-queue and run the command again with --scope",
            self.cause
        )
    }
}

impl std::error::Error for MirrorError {}

impl MirrorArgs {
    /// Sends the requests when there is a queue, and returns what the command prints.
    pub(super) async fn send(&self, requests: &[MirrorRequest], output: Text) -> Result<Text, MirrorError> {
        let Some(url) = self.mirror_queue.as_deref().filter(|url| !url.is_empty()) else {
            return Ok(output);
        };
        let config = crate::sdk_config::load().await;
        let queue = aws_sdk_sqs::Client::new(&config);
        match send_mirror_requests(&queue, url, requests).await {
            Ok(()) => Ok(output),
            Err(cause) => Err(MirrorError { output, cause }),
        }
    }
}
