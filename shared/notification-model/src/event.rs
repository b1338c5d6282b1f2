//! Events of sent mail: one type for identity notifications and events of a configuration set.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::EmailAddress;
use crate::bounce::Bounce;
use crate::complaint::Complaint;
use crate::de;
use crate::error::ParseError;
use crate::mail::Mail;
use crate::open_enum::open_enum;
use crate::status::StatusCode;
use crate::subscription::Subscription;

/// A notification or event about one sent message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// How SES published it.
    pub channel: Channel,
    /// The message.
    pub mail: Mail,
    /// What happened to the message.
    pub event: Event,
    /// Why recipients of the event could not be read. `event` has the other recipients.
    pub unreadable_recipients: Vec<ParseError>,
}

/// How SES published a notification. An event can be published in both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    /// The feedback topic of an identity (`notificationType`): bounces, complaints and deliveries.
    Identity,
    /// An event destination of a configuration set (`eventType`): all ten event types.
    ConfigurationSet,
}

/// What happened to a message. See
/// [event data](https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// SES accepted the message and will attempt delivery.
    Send,
    /// SES accepted the message, found a virus and did not send it.
    Reject(Reject),
    /// The mail servers of the recipients accepted the message.
    Delivery(Delivery),
    /// The mail servers of recipients rejected the message.
    Bounce(Bounce),
    /// A recipient marked the message as spam.
    Complaint(Complaint),
    /// A recipient opened the message. SES does not report which one.
    Open(Open),
    /// A recipient followed a link. SES does not report which one.
    Click(Click),
    /// The template could not be rendered, and the message was not sent.
    RenderingFailure(RenderingFailure),
    /// The delivery is delayed, and SES continues to try.
    DeliveryDelay(DeliveryDelay),
    /// A recipient changed subscription preferences.
    Subscription(Subscription),
    /// An unknown type, with its name.
    Other(String),
}

impl Event {
    /// Returns the type as SES spells it: `Bounce`, `Rendering Failure`, ...
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Send => "Send",
            Self::Reject(_) => "Reject",
            Self::Delivery(_) => "Delivery",
            Self::Bounce(_) => "Bounce",
            Self::Complaint(_) => "Complaint",
            Self::Open(_) => "Open",
            Self::Click(_) => "Click",
            Self::RenderingFailure(_) => "Rendering Failure",
            Self::DeliveryDelay(_) => "DeliveryDelay",
            Self::Subscription(_) => "Subscription",
            Self::Other(name) => name,
        }
    }

    /// Returns the type for logs and metrics: `Other` for an unknown type, because its name is part of the payload.
    #[must_use]
    pub fn type_name(&self) -> &str {
        match self {
            Self::Other(_) => "Other",
            known => known.name(),
        }
    }
}

impl Notification {
    /// Returns the timestamp of the event, or else of the message.
    #[must_use]
    pub fn occurred_at(&self) -> Timestamp {
        let own = match &self.event {
            Event::Bounce(bounce) => Some(bounce.timestamp),
            Event::Complaint(complaint) => Some(complaint.timestamp),
            Event::Delivery(delivery) => delivery.timestamp,
            Event::DeliveryDelay(delay) => delay.timestamp,
            Event::Open(open) => open.timestamp,
            Event::Click(click) => click.timestamp,
            Event::Subscription(subscription) => subscription.timestamp,
            Event::Send | Event::Reject(_) | Event::RenderingFailure(_) | Event::Other(_) => None,
        };
        own.unwrap_or(self.mail.timestamp)
    }
}

/// The servers of the recipients accepted the message. See
/// [the delivery object](https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html#delivery-object).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// When the server accepted the message.
    #[serde(default, deserialize_with = "crate::timestamp::lenient")]
    pub timestamp: Option<Timestamp>,
    /// Milliseconds from the time at which SES accepted the message to its delivery.
    #[serde(default)]
    pub processing_time_millis: Option<u64>,
    /// The recipients whose server accepted the message.
    #[serde(default, deserialize_with = "de::or_default")]
    pub recipients: Vec<EmailAddress>,
    /// The response of the server: `250 ok: ...`.
    #[serde(default)]
    pub smtp_response: Option<String>,
    /// The SES server that delivered the message.
    #[serde(default, rename = "reportingMTA")]
    pub reporting_mta: Option<String>,
    /// The IP address of the server.
    #[serde(default)]
    pub remote_mta_ip: Option<String>,
}

/// SES accepted the message, found a virus and did not send it. Names no recipients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// The reason. Currently always `Bad content`.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A recipient opened the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Open {
    /// When it happened.
    #[serde(default, deserialize_with = "crate::timestamp::lenient")]
    pub timestamp: Option<Timestamp>,
    /// The IP address of the client, often a proxy of the mailbox provider.
    #[serde(default)]
    pub ip_address: Option<String>,
    /// The user agent of the client.
    #[serde(default)]
    pub user_agent: Option<String>,
}

/// A recipient followed a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Click {
    /// When it happened.
    #[serde(default, deserialize_with = "crate::timestamp::lenient")]
    pub timestamp: Option<Timestamp>,
    /// The IP address of the client.
    #[serde(default)]
    pub ip_address: Option<String>,
    /// The user agent of the client.
    #[serde(default)]
    pub user_agent: Option<String>,
    /// The URL.
    #[serde(default)]
    pub link: Option<String>,
    /// The `ses:tags` of the link.
    #[serde(default, deserialize_with = "de::map_of_lists")]
    pub link_tags: BTreeMap<String, Vec<String>>,
}

/// The template could not be rendered, and the message was not sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RenderingFailure {
    /// The name of the template.
    #[serde(default)]
    pub template_name: Option<String>,
    /// The error.
    #[serde(default)]
    pub error_message: Option<String>,
}

open_enum! {
    /// The type of a delivery delay. See
    /// [the delivery delay object](https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html#event-publishing-retrieving-sns-contents-delivery-delay-object).
    pub enum DelayType {
        /// A failure within SES.
        InternalFailure = "InternalFailure",
        /// A general failure in the SMTP conversation.
        General = "General",
        /// The mailbox is full.
        MailboxFull = "MailboxFull",
        /// The recipient's server received a large amount of unsolicited mail from the account.
        SpamDetected = "SpamDetected",
        /// A temporary failure of the recipient's server.
        RecipientServerError = "RecipientServerError",
        /// The sending IP address is blocked or throttled.
        IpFailure = "IPFailure",
        /// A temporary failure of the connection.
        TransientCommunicationGeneral = "TransientCommunicationGeneral",
        /// The DNS host name of the IP address that the account brought to SES could not be resolved.
        ByoIpHostNameLookupUnavailable = "BYOIPHostNameLookupUnavailable",
        /// SES could not determine a reason.
        Undetermined = "Undetermined",
        /// SES deferred the message.
        SendingDeferral = "SendingDeferral",
    }
}

/// The delivery is delayed, and SES continues to try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryDelay {
    /// When the delay occurred.
    #[serde(default, deserialize_with = "crate::timestamp::lenient")]
    pub timestamp: Option<Timestamp>,
    /// The type of the delay.
    #[serde(default)]
    pub delay_type: Option<DelayType>,
    /// When SES stops trying.
    #[serde(default, deserialize_with = "crate::timestamp::lenient")]
    pub expiration_time: Option<Timestamp>,
    /// The reporting SES server.
    #[serde(default, rename = "reportingMTA")]
    pub reporting_mta: Option<String>,
    /// The recipients whose delivery is delayed.
    #[serde(default, deserialize_with = "de::or_default")]
    pub delayed_recipients: Vec<DelayedRecipient>,
}

/// A recipient whose delivery is delayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DelayedRecipient {
    /// The address.
    pub email_address: EmailAddress,
    /// The RFC 3463 status. `None` if absent or malformed.
    #[serde(default, deserialize_with = "crate::status::lenient")]
    pub status: Option<StatusCode>,
    /// The text of the server.
    #[serde(default)]
    pub diagnostic_code: Option<String>,
}
