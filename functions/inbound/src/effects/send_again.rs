//! Mail that an operator sends again.

use serde::Deserialize;

/// The request of an operator to send what was not sent, in the field `sendAgain` of a message in the inbound queue. Only
/// `postroomctl mail send-again` writes it: SES does not, and a stranger does not choose the fields of SES's events.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendAgain {
    /// The id of the request.
    pub id: String,
    /// Whether to send again what was sent already, too.
    #[serde(default)]
    pub repeat: bool,
}

impl SendAgain {
    /// Reads the request in a payload, if it has one.
    #[must_use]
    pub fn read(payload: &str) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Payload {
            send_again: Option<SendAgain>,
        }
        if !payload.contains("\"sendAgain\"") {
            return None;
        }
        serde_json::from_str::<Payload>(payload).ok()?.send_again
    }
}
