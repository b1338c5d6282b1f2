//! Events of messages.

use jiff::Timestamp;

use super::bounce_case::BounceCase;

/// A bounced recipient.
#[derive(Debug, Clone, Copy)]
pub struct BouncedRecipient {
    /// The address that the report names.
    pub address: &'static str,
    /// What the report contains.
    pub case: &'static BounceCase,
}

/// What happened to a message.
#[derive(Debug, Clone)]
pub enum EventDetails {
    /// A bounce.
    Bounce(Vec<BouncedRecipient>),
    /// A complaint.
    Complaint {
        /// `complaintFeedbackType`.
        feedback_type: Option<&'static str>,
        /// `complaintSubType`.
        sub_type: Option<&'static str>,
        /// The addresses that the report names.
        recipients: Vec<&'static str>,
    },
    /// A delivery to these recipients.
    Delivery(Vec<&'static str>),
    /// The only recipient changed its subscription to the contact list `readers` and its topic `weekly`.
    Subscription {
        /// Unsubscribed (true) or subscribed.
        opted_out: bool,
    },
    /// `Send`, `Reject` or `Rendering Failure`: concerns all recipients and has no time of its own.
    WholeMessage {
        /// `eventType`.
        event_type: &'static str,
        /// The name of the event's JSON object.
        field: &'static str,
    },
    /// Delivery to all recipients is delayed.
    DeliveryDelay,
    /// An event type that the functions ignore.
    Ignored(&'static str),
}

/// An event of one message. SES publishes it once or twice.
#[derive(Debug, Clone)]
pub struct ScenarioEvent {
    /// `mail.messageId`.
    pub message_id: String,
    /// Owner and identity of `mail.sourceArn`, if the report has it.
    pub identity: Option<(&'static str, String)>,
    /// `mail.sendingAccountId`, if the report has it.
    pub sending_account: Option<&'static str>,
    /// The domain of `mail.source`. The sender chooses it.
    pub from_domain: &'static str,
    /// The configuration set.
    pub configuration_set: &'static str,
    /// The tenant.
    pub tenant: Option<&'static str>,
    /// `mail.destination`.
    pub destination: Vec<&'static str>,
    /// `mail.timestamp`.
    pub sent_at: Timestamp,
    /// The event's time in the report. A remote server's clock may be wrong.
    pub reported_at: Timestamp,
    /// The event's time as the functions must record it.
    pub occurred_at: Timestamp,
    /// Whether a bounce is a reply in SES's own SMTP conversation: the report has `remoteMtaIp`.
    pub in_conversation: bool,
    /// What happened.
    pub details: EventDetails,
}

/// The setting of SES that publishes an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// The notification topic of the identity. Without tags.
    Identity,
    /// An event destination of the configuration set. With tags.
    ConfigurationSet,
}

/// An event, by its index in the scenario, and the channel that reports it.
pub type Report = (usize, Channel);
