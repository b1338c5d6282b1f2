//! Changes of subscription preferences.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::de;
use crate::open_enum::open_enum;

open_enum! {
    /// Whether a recipient is subscribed to a topic of a contact list.
    pub enum SubscriptionStatus {
        /// Subscribed.
        OptIn = "OptIn",
        /// Unsubscribed.
        OptOut = "OptOut",
    }
}

/// A recipient changed subscription preferences with SES list management. See
/// [subscription management](https://docs.aws.amazon.com/ses/latest/dg/sending-email-subscription-management.html).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// The contact list.
    #[serde(default)]
    pub contact_list: Option<String>,
    /// When the preferences changed.
    #[serde(default, deserialize_with = "crate::timestamp::lenient")]
    pub timestamp: Option<Timestamp>,
    /// How the recipient changed them: `UnsubscribeHeader`, `UnsubscribeLink`, ...
    #[serde(default)]
    pub source: Option<String>,
    /// The new preferences.
    #[serde(default)]
    pub new_topic_preferences: Option<TopicPreferences>,
    /// The previous preferences.
    #[serde(default)]
    pub old_topic_preferences: Option<TopicPreferences>,
}

/// The preferences of a recipient for a contact list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TopicPreferences {
    /// Whether the recipient is unsubscribed from the whole list.
    #[serde(default, deserialize_with = "de::or_default")]
    pub unsubscribe_all: bool,
    /// The status for each topic.
    #[serde(default, deserialize_with = "de::or_default")]
    pub topic_subscription_status: Vec<TopicSubscription>,
}

/// The status for one topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TopicSubscription {
    /// The name of the topic.
    pub topic_name: String,
    /// The status.
    pub subscription_status: SubscriptionStatus,
}
