//! What SES reports about mail that was sent: one type for identity notifications and configuration-set events.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::EmailAddress;
use crate::de;
use crate::mail::Mail;
use crate::open_enum::open_enum;
use crate::status::StatusCode;

/// A report about one sent message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Which of SES's two publishing mechanisms sent it.
    pub channel: Channel,
    /// The message.
    pub mail: Mail,
    /// What happened to it.
    pub event: Event,
}

/// How SES published a notification. The same bounce can arrive through both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// The recipients' mail servers accepted the message.
    Delivery(Delivery),
    /// Recipients' mail servers refused the message.
    Bounce(Bounce),
    /// A recipient marked the message as spam.
    Complaint(Complaint),
    /// A recipient opened the message; SES does not say which.
    Open(Open),
    /// A recipient followed a link; SES does not say which.
    Click(Click),
    /// A template lacked data and the message was not sent.
    RenderingFailure(RenderingFailure),
    /// Delivery is delayed and SES goes on trying.
    DeliveryDelay(DeliveryDelay),
    /// A recipient changed their list subscription.
    Subscription(Subscription),
    /// A type this version does not know, by its name.
    Other(String),
}

impl Event {
    /// The type as SES spells it: `Bounce`, `Rendering Failure`, ...
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

    /// The type from a fixed list, for logs and metrics: `Other` for one this version does not know, whose name is the
    /// payload's own word.
    #[must_use]
    pub fn type_name(&self) -> &str {
        match self {
            Self::Other(_) => "Other",
            known => known.name(),
        }
    }
}

impl Notification {
    /// When it happened, in UTC: the event's own timestamp, else the message's.
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

open_enum! {
    /// The kind of a bounce.
    pub enum BounceType {
        /// The recipient's server gave a reason SES could not place.
        Undetermined = "Undetermined",
        /// A hard bounce: do not send there again.
        Permanent = "Permanent",
        /// A soft bounce: SES gave up trying, a later message may arrive.
        Transient = "Transient",
    }
}

open_enum! {
    /// The finer kind of a bounce. See
    /// [bounce types](https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html#bounce-types).
    pub enum BounceSubType {
        /// No specific reason could be determined.
        Undetermined = "Undetermined",
        /// A general hard or soft bounce.
        General = "General",
        /// The address does not exist.
        NoEmail = "NoEmail",
        /// On SES's global suppression list; counts towards the account's bounce rate.
        Suppressed = "Suppressed",
        /// On the account's suppression list: SES did not send, and does not count it.
        OnAccountSuppressionList = "OnAccountSuppressionList",
        /// On the tenant's suppression list: SES did not send, and does not count it.
        OnTenantSuppressionList = "OnTenantSuppressionList",
        /// SES's address validation refused to send.
        EmailValidationSuppressed = "EmailValidationSuppressed",
        /// The recipient unsubscribed from the contact list or topic.
        UnsubscribedRecipient = "UnsubscribedRecipient",
        /// The mailbox is full.
        MailboxFull = "MailboxFull",
        /// The message is too large for the recipient's server.
        MessageTooLarge = "MessageTooLarge",
        /// The content was refused.
        ContentRejected = "ContentRejected",
        /// An attachment was refused.
        AttachmentRejected = "AttachmentRejected",
        /// The configuration set's maximum delivery time passed.
        CustomTimeoutExceeded = "CustomTimeoutExceeded",
    }
}

open_enum! {
    /// What the recipient's server did, [RFC 3464 section 2.3.3](https://www.rfc-editor.org/rfc/rfc3464#section-2.3.3).
    pub enum DsnAction {
        /// Delivery was given up.
        Failed = "failed",
        /// Delivery is still being tried.
        Delayed = "delayed",
        /// The message arrived.
        Delivered = "delivered",
        /// The message left for a system that gives no reports.
        Relayed = "relayed",
        /// The message was delivered to several further addresses.
        Expanded = "expanded",
    }
}

/// Recipients' servers refused the message. See
/// [the bounce object](https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html#bounce-object).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bounce {
    /// Hard, soft or undetermined, of the notification as a whole; one recipient may fare differently.
    pub bounce_type: BounceType,
    /// The finer kind.
    #[serde(default = "undetermined")]
    pub bounce_sub_type: BounceSubType,
    /// Those who did not get the message, at least one. Where there is a DSN these are its `Final-Recipient`s: the word of
    /// whoever sent the DSN, and after forwarding not the address that was mailed.
    #[serde(default, deserialize_with = "de::or_default")]
    pub bounced_recipients: Vec<BouncedRecipient>,
    /// When the recipient's server sent the bounce.
    #[serde(deserialize_with = "crate::timestamp::required")]
    pub timestamp: Timestamp,
    /// SES's id of the bounce; several notifications can share it.
    #[serde(default)]
    pub feedback_id: Option<String>,
    /// The server that reports, as in the DSN: `dsn; a8-70.smtp-out.amazonses.com`.
    #[serde(default, rename = "reportingMTA")]
    pub reporting_mta: Option<String>,
    /// The address of the server SES tried to deliver to.
    #[serde(default)]
    pub remote_mta_ip: Option<String>,
}

fn undetermined() -> BounceSubType {
    BounceSubType::Undetermined
}

/// One recipient of a bounce; everything but the address can be absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BouncedRecipient {
    /// Who did not get the message.
    pub email_address: EmailAddress,
    /// What the server did.
    #[serde(default)]
    pub action: Option<DsnAction>,
    /// The server's RFC 3463 status, when it gave a readable one.
    #[serde(default, deserialize_with = "crate::status::lenient")]
    pub status: Option<StatusCode>,
    /// The server's words: `smtp; 550 5.1.1 ... User unknown`.
    #[serde(default)]
    pub diagnostic_code: Option<String>,
}

open_enum! {
    /// Why SES made the complaint up itself; absent when a recipient complained.
    pub enum ComplaintSubType {
        /// On the account's suppression list for a complaint: SES did not send, and does not count it.
        OnAccountSuppressionList = "OnAccountSuppressionList",
        /// On the tenant's suppression list for a complaint: SES did not send, and does not count it.
        OnTenantSuppressionList = "OnTenantSuppressionList",
    }
}

open_enum! {
    /// The feedback type, [RFC 5965 section 7.3](https://www.rfc-editor.org/rfc/rfc5965#section-7.3).
    pub enum ComplaintFeedbackType {
        /// Unsolicited mail or other abuse.
        Abuse = "abuse",
        /// Authentication failed.
        AuthFailure = "auth-failure",
        /// Fraud or phishing.
        Fraud = "fraud",
        /// The recipient says that it is not spam.
        NotSpam = "not-spam",
        /// Something else.
        Unclassified = "other",
        /// The message holds a virus.
        Virus = "virus",
    }
}

/// A recipient marked the message as spam. See
/// [the complaint object](https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html#complaint-object).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Complaint {
    /// Everyone mailed at the complaining provider, at least one: one of them complained, not surely all.
    #[serde(default, deserialize_with = "de::or_default")]
    pub complained_recipients: Vec<ComplainedRecipient>,
    /// When SES published the complaint.
    #[serde(deserialize_with = "crate::timestamp::required")]
    pub timestamp: Timestamp,
    /// SES's id of the complaint.
    #[serde(default)]
    pub feedback_id: Option<String>,
    /// Set when SES did not send because of a suppression list.
    #[serde(default)]
    pub complaint_sub_type: Option<ComplaintSubType>,
    /// The software that made the feedback report.
    #[serde(default)]
    pub user_agent: Option<String>,
    /// What the feedback report says; absent without one.
    #[serde(default)]
    pub complaint_feedback_type: Option<ComplaintFeedbackType>,
    /// When the provider received the message.
    #[serde(default, deserialize_with = "crate::timestamp::lenient")]
    pub arrival_date: Option<Timestamp>,
}

/// One of those who may have complained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ComplainedRecipient {
    /// The address the message was sent to.
    pub email_address: EmailAddress,
}

/// The recipients' servers accepted the message. See
/// [the delivery object](https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html#delivery-object).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// When the server accepted the message.
    #[serde(default, deserialize_with = "crate::timestamp::lenient")]
    pub timestamp: Option<Timestamp>,
    /// From SES's acceptance to the server's, in milliseconds.
    #[serde(default)]
    pub processing_time_millis: Option<u64>,
    /// Those whose server accepted the message.
    #[serde(default, deserialize_with = "de::or_default")]
    pub recipients: Vec<EmailAddress>,
    /// The server's answer: `250 ok: ...`.
    #[serde(default)]
    pub smtp_response: Option<String>,
    /// The SES server that delivered.
    #[serde(default, rename = "reportingMTA")]
    pub reporting_mta: Option<String>,
    /// The server's IP address.
    #[serde(default)]
    pub remote_mta_ip: Option<String>,
}

/// SES accepted the message, found a virus and did not send it; it names no recipients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// Today always `Bad content`.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A recipient opened the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Open {
    /// When.
    #[serde(default, deserialize_with = "crate::timestamp::lenient")]
    pub timestamp: Option<Timestamp>,
    /// The opener's IP address, often a mail provider's proxy.
    #[serde(default)]
    pub ip_address: Option<String>,
    /// The opener's mail program or browser.
    #[serde(default)]
    pub user_agent: Option<String>,
}

/// A recipient followed a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Click {
    /// When.
    #[serde(default, deserialize_with = "crate::timestamp::lenient")]
    pub timestamp: Option<Timestamp>,
    /// The clicker's IP address.
    #[serde(default)]
    pub ip_address: Option<String>,
    /// The clicker's browser.
    #[serde(default)]
    pub user_agent: Option<String>,
    /// The link's address.
    #[serde(default)]
    pub link: Option<String>,
    /// The link's `ses:tags`.
    #[serde(default, deserialize_with = "de::map_of_lists")]
    pub link_tags: BTreeMap<String, Vec<String>>,
}

/// A template lacked data and the message was not sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RenderingFailure {
    /// The template's name.
    #[serde(default)]
    pub template_name: Option<String>,
    /// What was missing.
    #[serde(default)]
    pub error_message: Option<String>,
}

open_enum! {
    /// Why delivery is delayed.
    pub enum DelayType {
        /// A problem within SES.
        InternalFailure = "InternalFailure",
        /// A general failure in the SMTP conversation.
        General = "General",
        /// The mailbox is full.
        MailboxFull = "MailboxFull",
        /// The recipient's server takes the account's mail for spam.
        SpamDetected = "SpamDetected",
        /// A temporary problem of the recipient's server.
        RecipientServerError = "RecipientServerError",
        /// The sending IP address is blocked or throttled.
        IpFailure = "IPFailure",
        /// A temporary failure of the connection.
        TransientCommunicationGeneral = "TransientCommunicationGeneral",
        /// The host name of the account's own IP address could not be looked up.
        ByoIpHostNameLookupUnavailable = "BYOIPHostNameLookupUnavailable",
        /// SES could not place the reason.
        Undetermined = "Undetermined",
        /// SES itself put the message off.
        SendingDeferral = "SendingDeferral",
    }
}

/// Delivery is delayed and SES goes on trying.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryDelay {
    /// When the delay occurred.
    #[serde(default, deserialize_with = "crate::timestamp::lenient")]
    pub timestamp: Option<Timestamp>,
    /// Why.
    #[serde(default)]
    pub delay_type: Option<DelayType>,
    /// When SES gives up.
    #[serde(default, deserialize_with = "crate::timestamp::lenient")]
    pub expiration_time: Option<Timestamp>,
    /// The SES server that reports.
    #[serde(default, rename = "reportingMTA")]
    pub reporting_mta: Option<String>,
    /// Those who wait.
    #[serde(default, deserialize_with = "de::or_default")]
    pub delayed_recipients: Vec<DelayedRecipient>,
}

/// One recipient whose message is delayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DelayedRecipient {
    /// Who waits.
    pub email_address: EmailAddress,
    /// The server's RFC 3463 status, when it gave a readable one.
    #[serde(default, deserialize_with = "crate::status::lenient")]
    pub status: Option<StatusCode>,
    /// The server's words.
    #[serde(default)]
    pub diagnostic_code: Option<String>,
}

open_enum! {
    /// A recipient's standing on one topic of a contact list.
    pub enum SubscriptionStatus {
        /// Wants the topic's mail.
        OptIn = "OptIn",
        /// Does not want the topic's mail.
        OptOut = "OptOut",
    }
}

/// A recipient changed their subscription through SES list management. See
/// [subscription management](https://docs.aws.amazon.com/ses/latest/dg/sending-email-subscription-management.html).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// The contact list.
    #[serde(default)]
    pub contact_list: Option<String>,
    /// When.
    #[serde(default, deserialize_with = "crate::timestamp::lenient")]
    pub timestamp: Option<Timestamp>,
    /// How: `UnsubscribeHeader`, `UnsubscribeLink`, ...
    #[serde(default)]
    pub source: Option<String>,
    /// What the recipient wants now.
    #[serde(default)]
    pub new_topic_preferences: Option<TopicPreferences>,
    /// What the recipient wanted before.
    #[serde(default)]
    pub old_topic_preferences: Option<TopicPreferences>,
}

/// What a recipient wants from a contact list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TopicPreferences {
    /// Nothing at all.
    #[serde(default, deserialize_with = "de::or_default")]
    pub unsubscribe_all: bool,
    /// The standing on each topic.
    #[serde(default, deserialize_with = "de::or_default")]
    pub topic_subscription_status: Vec<TopicSubscription>,
}

/// The standing on one topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TopicSubscription {
    /// The topic.
    pub topic_name: String,
    /// The standing.
    pub subscription_status: SubscriptionStatus,
}
