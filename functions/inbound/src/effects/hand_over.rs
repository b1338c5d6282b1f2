//! Hands unfinished work over to the inbound queue, which invokes this function again and has a dead-letter queue.

use std::time::Duration;

use super::error::{ActionError, ErrorClass};
use super::services::Effects;

/// The maximum time of a hand-over. SES waits for the disposition meanwhile.
const HAND_OVER_TIMEOUT: Duration = Duration::from_secs(4);

const OPERATION: &str = "SendMessage to the inbound queue";

impl Effects {
    /// Sends the payload of a record to the inbound queue. It is delivered after all claims of this invocation have expired.
    ///
    /// # Errors
    /// If the queue does not accept it in time. The work is lost unless the caller retries.
    pub async fn hand_over(&self, payload: &str) -> Result<(), ActionError> {
        let delay = i32::try_from(self.settings.claim.as_secs()).unwrap_or(900).min(900);
        let send = self
            .clients
            .hand_over
            .send_message()
            .queue_url(&self.settings.queue_url)
            // SQS rejects characters that XML does not allow. In JSON they occur only within strings.
            .message_body(payload.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}"))
            .delay_seconds(delay)
            .send();
        match tokio::time::timeout(HAND_OVER_TIMEOUT, send).await {
            Ok(response) => response
                .map(drop)
                .map_err(|error| ActionError::of_call(OPERATION, &error)),
            Err(_) => Err(ActionError::Service {
                operation: OPERATION,
                code: "timed out".to_owned(),
                class: ErrorClass::ResultUnknown,
            }),
        }
    }
}
