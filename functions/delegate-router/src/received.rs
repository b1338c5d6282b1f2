//! A notification and the text it was read from.

use notification_model::Notification;

/// A notification and the text it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The notification.
    pub notification: Notification,
    /// The text of SES, unchanged.
    pub payload: String,
}
