//! Objects of SES and SNS that have settings, and the names of these settings.

use std::fmt;
use std::str::FromStr;

/// Policies, event destinations and subscriptions whose name starts with this text belong to Postroom: they are removed
/// when the configuration no longer names them. Others are never removed.
pub const OWN_PREFIX: &str = "postroom-";

/// The `Sid` of the statement in the policy of a topic that belongs to Postroom.
pub const TOPIC_STATEMENT_SID: &str = "PostroomAllowSes";

/// An object with settings. Its text is `KIND NAME`, for example `identity shop.example`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    /// An SNS topic, by ARN.
    Topic(String),
    /// A configuration set, by name.
    ConfigurationSet(String),
    /// An identity of this account and Region by name, or the ARN of an identity of another account, whose settings are
    /// [legacy cross-account notifications](https://docs.aws.amazon.com/ses/latest/dg/sending-authorization-delegate-sender-tasks-notifications.html).
    Identity(String),
}

impl Object {
    /// The name or ARN without the kind.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Topic(name) | Self::ConfigurationSet(name) | Self::Identity(name) => name,
        }
    }

    /// Whether this is the ARN of an identity of another account.
    #[must_use]
    pub fn is_legacy(&self) -> bool {
        matches!(self, Self::Identity(name) if name.starts_with("arn:"))
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(name) => write!(f, "topic {name}"),
            Self::ConfigurationSet(name) => write!(f, "configuration-set {name}"),
            Self::Identity(name) => write!(f, "identity {name}"),
        }
    }
}

/// A text names no object or no field of this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what}: {text}")]
pub struct UnknownName {
    what: &'static str,
    text: String,
}

impl FromStr for Object {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(' ') {
            Some(("topic", name)) => Ok(Self::Topic(name.to_owned())),
            Some(("configuration-set", name)) => Ok(Self::ConfigurationSet(name.to_owned())),
            Some(("identity", name)) => Ok(Self::Identity(name.to_owned())),
            _ => Err(UnknownName {
                what: "object",
                text: text.to_owned(),
            }),
        }
    }
}

/// The types of notifications for which an identity has a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotificationType {
    /// Bounces.
    Bounce,
    /// Complaints.
    Complaint,
    /// Deliveries.
    Delivery,
}

impl NotificationType {
    /// All types.
    pub const ALL: [Self; 3] = [Self::Bounce, Self::Complaint, Self::Delivery];

    /// The name in the API of SES.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bounce => "Bounce",
            Self::Complaint => "Complaint",
            Self::Delivery => "Delivery",
        }
    }

    /// The name in `postroom.toml`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Bounce => "bounce",
            Self::Complaint => "complaint",
            Self::Delivery => "delivery",
        }
    }

    /// The type with a name in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(text))
    }
}

/// A setting of an object. Its text is that of `postroom.toml`, for example `topics.bounce` or `policy.postroom-agency`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Topic: the statement [`TOPIC_STATEMENT_SID`] of its policy. A document, or absent.
    Statement,
    /// Topic: the subscription of `PROTOCOL ENDPOINT`, for example `sqs arn:aws:sqs:...`. A flag, or absent.
    Subscription(String),
    /// Configuration set: whether it exists. A flag.
    Exists,
    /// Configuration set: whether reputation metrics are published. A flag.
    ReputationMetrics,
    /// Configuration set: the reasons for which its suppression list applies. Names; absent means those of the account.
    SuppressedReasons,
    /// Configuration set: an event destination, by name. An event destination, or absent.
    EventDestination(String),
    /// Configuration set: whether it may send. A flag.
    Sending,
    /// Identity: the topic of a notification type. The ARN, or absent.
    Topic(NotificationType),
    /// Identity: whether notifications of a type contain the original headers. A flag.
    OriginalHeaders(NotificationType),
    /// Identity: the default configuration set. The name, or absent.
    DefaultConfigurationSet,
    /// Identity: a sending authorization policy, by name. A document, or absent.
    Policy(String),
    /// Identity: whether SES mails bounces and complaints to the sender. A flag.
    FeedbackForwarding,
}

/// The settings that one request reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// `sns:GetTopicAttributes`.
    TopicPolicy,
    /// `sns:ListSubscriptionsByTopic`.
    Subscriptions,
    /// `ses:GetConfigurationSet`.
    ConfigurationSet,
    /// `ses:GetConfigurationSetEventDestinations`.
    EventDestinations,
    /// `ses:GetIdentityNotificationAttributes` (v1), 100 identities a request.
    Notifications,
    /// `ses:GetEmailIdentity`, one identity a request.
    EmailIdentity,
}

impl Field {
    /// The request that reads this field.
    #[must_use]
    pub fn part(&self) -> Part {
        match self {
            Self::Statement => Part::TopicPolicy,
            Self::Subscription(_) => Part::Subscriptions,
            Self::Exists | Self::ReputationMetrics | Self::SuppressedReasons | Self::Sending => Part::ConfigurationSet,
            Self::EventDestination(_) => Part::EventDestinations,
            Self::Topic(_) | Self::OriginalHeaders(_) | Self::FeedbackForwarding => Part::Notifications,
            Self::DefaultConfigurationSet | Self::Policy(_) => Part::EmailIdentity,
        }
    }

    /// Whether Postroom removes this setting when the configuration no longer names it.
    #[must_use]
    pub fn is_own(&self) -> bool {
        match self {
            Self::Policy(name) | Self::EventDestination(name) => name.starts_with(OWN_PREFIX),
            Self::Statement => true,
            _ => false,
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Statement => f.write_str("allow-ses"),
            Self::Subscription(name) => write!(f, "subscription.{name}"),
            Self::Exists => f.write_str("exists"),
            Self::ReputationMetrics => f.write_str("reputation-metrics"),
            Self::SuppressedReasons => f.write_str("suppressed-reasons"),
            Self::EventDestination(name) => write!(f, "event-destination.{name}"),
            Self::Sending => f.write_str("sending"),
            Self::Topic(kind) => write!(f, "topics.{}", kind.key()),
            Self::OriginalHeaders(kind) => write!(f, "original-headers.{}", kind.key()),
            Self::DefaultConfigurationSet => f.write_str("configuration-set"),
            Self::Policy(name) => write!(f, "policy.{name}"),
            Self::FeedbackForwarding => f.write_str("feedback-forwarding"),
        }
    }
}

impl FromStr for Field {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownName {
            what: "field",
            text: text.to_owned(),
        };
        let kind = |name: &str| NotificationType::parse(name).ok_or_else(unknown);
        Ok(match text.split_once('.').unwrap_or((text, "")) {
            ("allow-ses", "") => Self::Statement,
            ("exists", "") => Self::Exists,
            ("reputation-metrics", "") => Self::ReputationMetrics,
            ("suppressed-reasons", "") => Self::SuppressedReasons,
            ("sending", "") => Self::Sending,
            ("configuration-set", "") => Self::DefaultConfigurationSet,
            ("feedback-forwarding", "") => Self::FeedbackForwarding,
            ("subscription", name) if !name.is_empty() => Self::Subscription(name.to_owned()),
            ("event-destination", name) if !name.is_empty() => Self::EventDestination(name.to_owned()),
            ("policy", name) if !name.is_empty() => Self::Policy(name.to_owned()),
            ("topics", name) => Self::Topic(kind(name)?),
            ("original-headers", name) => Self::OriginalHeaders(kind(name)?),
            _ => return Err(unknown()),
        })
    }
}
