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
    /// A message that is not about a mail and needs no action.
    Setup(Setup),
}

/// A message that is not about a mail: SES sends it once when a topic, subscription or bucket is set up, or EventBridge
/// delivers it because a rule matches all events of the source `aws.ses`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setup {
    /// `Successfully validated SNS topic for Amazon SES event publishing.`: plain text.
    TopicValidated,
    /// `AmazonSnsSubscriptionSucceeded`: the topic of an identity was set.
    SubscriptionSucceeded {
        /// The text of the message. [`TopicSubscribed::parse`](crate::TopicSubscribed::parse) reads it.
        message: Option<String>,
    },
    /// `AMAZON_SES_SETUP_NOTIFICATION`: the bucket or topic of a receipt rule was set.
    InboundProbe,
    /// An event of the source `aws.ses` that is not about a mail: the sending status of a tenant, a recommendation of the
    /// Virtual Deliverability Manager, a call of the SES API that CloudTrail recorded, or an event of an unknown type.
    ServiceEvent(ServiceEvent),
}

/// An event of the source `aws.ses` that is not about a mail. See
/// [SES events](https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-ses.html).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceEvent {
    /// The type of the event: `Sending Status Disabled`. Absent if EventBridge delivers only the `detail`.
    pub detail_type: Option<String>,
    /// The ARNs of the identities, configuration sets or tenants that the event is about.
    pub resources: Vec<String>,
    /// The text of a recommendation, the sending status with its cause, or the name of the API operation.
    pub description: Option<String>,
}

impl Setup {
    /// Returns the kind for logs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::TopicValidated => "topic_validated",
            Self::SubscriptionSucceeded { .. } => "subscription_succeeded",
            Self::InboundProbe => "inbound_probe",
            Self::ServiceEvent(_) => "service_event",
        }
    }
}
