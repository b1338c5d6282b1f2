//! The way to the mirror lane's queue, which brings SES's own suppression lists in line with the table.

use aws_config::BehaviorVersion;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use store::MirrorRequest;

use crate::cli::MirrorArgs;

/// The table says what it should, but SES's own list was not asked to follow.
#[derive(Debug)]
pub(crate) struct MirrorFailed {
    /// What the command prints about its success.
    pub(crate) done: String,
    cause: String,
}

impl std::fmt::Display for MirrorFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "warning: the table was written, but the mirror queue was not, so SES's own suppression list does not \
             follow: {}\n  check --mirror-queue and run the command again, with --scope",
            self.cause
        )
    }
}

impl std::error::Error for MirrorFailed {}

/// Sends the requests, if there is a queue, and gives back what the command prints.
pub(crate) async fn send(args: &MirrorArgs, requests: &[MirrorRequest], done: String) -> Result<String, MirrorFailed> {
    let Some(url) = args.mirror_queue.as_deref().filter(|url| !url.is_empty()) else {
        return Ok(done);
    };
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let queue = aws_sdk_sqs::Client::new(&config);
    for request in requests {
        let message = queue.send_message().queue_url(url).message_body(request.to_json());
        if let Err(error) = message.send().await {
            let cause = match (error.code(), error.message()) {
                (Some(code), Some(message)) => format!("{code}: {message}"),
                (Some(code), None) => code.to_owned(),
                _ => error.to_string(),
            };
            return Err(MirrorFailed { done, cause });
        }
    }
    Ok(done)
}
