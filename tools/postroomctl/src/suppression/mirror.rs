//! Requests to the mirror queue, whose function changes SES's own suppression lists.

use std::fmt;

use clap::Args;
use store::MirrorRequest;

use crate::aws_error::sdk_error_text;

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
    pub(crate) output: String,
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
    pub(super) async fn send(&self, requests: &[MirrorRequest], output: String) -> Result<String, MirrorError> {
        let Some(url) = self.mirror_queue.as_deref().filter(|url| !url.is_empty()) else {
            return Ok(output);
        };
        let config = crate::sdk_config::load().await;
        let queue = aws_sdk_sqs::Client::new(&config);
        for request in requests {
            let message = queue.send_message().queue_url(url).message_body(request.to_json());
            if let Err(error) = message.send().await {
                let cause = sdk_error_text(&error);
                return Err(MirrorError { output, cause });
            }
        }
        Ok(output)
    }
}
