//! Requests to the mirror queue, whose function changes SES's own suppression lists.

use aws_sdk_sqs::Client;
use store::MirrorRequest;

use crate::sdk_error::sdk_error_text;

/// Sends requests to the mirror queue, in order.
///
/// # Errors
/// The error of SQS as text. The requests before it are sent.
pub async fn send_mirror_requests(queue: &Client, url: &str, requests: &[MirrorRequest]) -> Result<(), String> {
    for request in requests {
        let message = queue.send_message().queue_url(url).message_body(request.to_json());
        message.send().await.map_err(|error| sdk_error_text(&error))?;
    }
    Ok(())
}
