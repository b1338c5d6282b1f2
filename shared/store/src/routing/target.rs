//! Where a route delivers to.

use std::fmt;
use std::str::FromStr;

/// Where a route delivers to. In text `topic:ARN`, `queue:ARN`, `bus:ARN` or `email:ADDRESS`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// An SNS topic, by ARN.
    Topic(String),
    /// An SQS queue, by ARN.
    Queue(String),
    /// An EventBridge bus, by ARN.
    Bus(String),
    /// A mail address, in digests.
    Email(String),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, value) = match self {
            Self::Topic(arn) => ("topic", arn),
            Self::Queue(arn) => ("queue", arn),
            Self::Bus(arn) => ("bus", arn),
            Self::Email(address) => ("email", address),
        };
        write!(f, "{kind}:{value}")
    }
}

/// The text is not a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a target: topic:ARN, queue:ARN, bus:ARN or email:ADDRESS")]
pub struct InvalidTarget;

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        match text.split_once(':') {
            Some((_, "")) => Err(InvalidTarget),
            Some(("topic", arn)) => Ok(Self::Topic(arn.to_owned())),
            Some(("queue", arn)) => Ok(Self::Queue(arn.to_owned())),
            Some(("bus", arn)) => Ok(Self::Bus(arn.to_owned())),
            Some(("email", address)) => Ok(Self::Email(address.to_owned())),
            _ => Err(InvalidTarget),
        }
    }
}
