//! Work that could not be finished goes to the inbound queue, which invokes this function again and has a dead-letter queue.

use std::time::Duration;

use super::{Effects, Failure};

/// SES waits for the answer meanwhile.
const PATIENCE: Duration = Duration::from_secs(4);

impl Effects {
    /// Puts a record's payload into the inbound queue. It comes out when everything that was claimed here has lapsed.
    ///
    /// # Errors
    /// When the queue does not take it in time: then it is lost, unless somebody else tries again.
    pub async fn hand_over(&self, payload: &str) -> Result<(), Failure> {
        let delay = i32::try_from(self.settings.claim.as_secs()).unwrap_or(900).min(900);
        let send = self
            .clients
            .handover
            .send_message()
            .queue_url(&self.settings.queue_url)
            // What XML lacks SQS refuses, and JSON has it only within strings.
            .message_body(payload.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}"))
            .delay_seconds(delay)
            .send();
        match tokio::time::timeout(PATIENCE, send).await {
            Ok(answer) => answer
                .map(drop)
                .map_err(|error| Failure::of("SendMessage to the inbound queue", &error)),
            Err(_) => Err(Failure::Service {
                operation: "SendMessage to the inbound queue",
                code: "timed out".to_owned(),
                meaning: super::failure::Meaning::Unknown,
            }),
        }
    }
}
