//! The kinds of messages that SES publishes.

use crate::event::Notification;
use crate::inbound::Received;

/// A message of SES.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SesMessage {
    /// A notification or event about sent mail.
    Notification(Notification),
    /// Received mail.
    Received(Received),
    /// A set-up message, which needs no action.
    Setup(Setup),
}

/// A message that SES sends once when a topic, subscription or bucket is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setup {
    /// `Successfully validated SNS topic for Amazon SES event publishing.`: plain text.
    TopicValidated,
    /// `AmazonSnsSubscriptionSucceeded`: the topic of an identity was set.
    SubscriptionSucceeded {
        /// The text of the message.
        message: Option<String>,
    },
    /// `AMAZON_SES_SETUP_NOTIFICATION`: the bucket or topic of a receipt rule was set.
    InboundProbe,
}

impl Setup {
    /// Returns the kind for logs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::TopicValidated => "topic_validated",
            Self::SubscriptionSucceeded { .. } => "subscription_succeeded",
            Self::InboundProbe => "inbound_probe",
        }
    }
}
