//! Identities, their owners, and sending accounts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::address::{EmailAddress, normalise_domain};

/// A 12-digit AWS account id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(String);

/// A text is not twelve digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a 12-digit AWS account id")]
pub struct InvalidAccountId;

impl AccountId {
    /// Returns the twelve digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountId {
    type Err = InvalidAccountId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidAccountId)
        }
    }
}

/// A verified SES identity: a domain or a single address, normalised.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Identity {
    /// `example.com`
    Domain(String),
    /// `user@example.com`
    Address(String),
}

impl Identity {
    /// Returns the normalised identity.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Domain(text) | Self::Address(text) => text,
        }
    }

    /// Returns the domain of either kind.
    #[must_use]
    pub fn domain(&self) -> &str {
        match self {
            Self::Domain(domain) => domain,
            Self::Address(address) => address.rsplit_once('@').map_or(address, |(_, domain)| domain),
        }
    }
}

impl From<&str> for Identity {
    fn from(text: &str) -> Self {
        match EmailAddress::parse(text) {
            Some(address) if address.domain().is_some() => Self::Address(address.key().to_owned()),
            _ => Self::Domain(normalise_domain(text)),
        }
    }
}

/// The ARN of an SES identity: `arn:aws:ses:us-east-1:111122223333:identity/example.com`. Its account is the
/// identity owner. See [identity ARNs](https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonses.html).
///
/// ```
/// use notification_model::IdentityArn;
///
/// let arn: IdentityArn = "arn:aws:ses:us-east-1:111122223333:identity/Example.com".parse()?;
/// assert_eq!(arn.owner().as_str(), "111122223333");
/// assert_eq!(arn.identity().domain(), "example.com");
/// # Ok::<(), notification_model::InvalidIdentityArn>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdentityArn {
    text: String,
    region: String,
    owner: AccountId,
    identity: Identity,
}

/// A text is not the ARN of an SES identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the ARN of an SES identity (arn:aws:ses:REGION:ACCOUNT:identity/NAME)")]
pub struct InvalidIdentityArn;

impl IdentityArn {
    /// Returns the ARN as received.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the Region, for example `eu-west-1`.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Returns the account that verified the identity.
    #[must_use]
    pub fn owner(&self) -> &AccountId {
        &self.owner
    }

    /// Returns the verified domain or address.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }
}

impl FromStr for IdentityArn {
    type Err = InvalidIdentityArn;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.trim().splitn(6, ':').collect();
        let ["arn", _partition, "ses", region, owner, resource] = parts.as_slice() else {
            return Err(InvalidIdentityArn);
        };
        let name = resource
            .strip_prefix("identity/")
            .filter(|name| !name.is_empty())
            .ok_or(InvalidIdentityArn)?;
        Ok(Self {
            text: text.trim().to_owned(),
            region: (*region).to_owned(),
            owner: owner.parse().map_err(|_| InvalidIdentityArn)?,
            identity: Identity::from(name),
        })
    }
}

macro_rules! text_form {
    ($($name:ty),+) => { $(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    )+ };
}

macro_rules! parsed_form {
    ($($name:ty),+) => { $(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )+ };
}

text_form!(AccountId, Identity, IdentityArn);
parsed_form!(AccountId, IdentityArn);
