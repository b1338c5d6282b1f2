//! The resources of SES that report: identities and configuration sets.

use std::fmt;
use std::str::FromStr;

use notification_model::{AccountId, Identity};

/// An identity or a configuration set of an account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SesResource {
    /// A verified domain or address.
    Identity {
        /// The account that verified it.
        owner: AccountId,
        /// The domain or address.
        identity: Identity,
    },
    /// A configuration set.
    ConfigurationSet {
        /// The account that has it.
        account: AccountId,
        /// Its name.
        name: String,
    },
}

/// A text is not a resource of SES.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a resource of SES: ACCOUNT/identity/NAME or ACCOUNT/configuration-set/NAME")]
pub struct InvalidSesResource;

impl fmt::Display for SesResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity { owner, identity } => write!(f, "{owner}/identity/{identity}"),
            Self::ConfigurationSet { account, name } => write!(f, "{account}/configuration-set/{name}"),
        }
    }
}

impl FromStr for SesResource {
    type Err = InvalidSesResource;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (account, resource) = text.split_once('/').ok_or(InvalidSesResource)?;
        let account = account.parse().map_err(|_| InvalidSesResource)?;
        match resource.split_once('/') {
            Some(("identity", name)) if !name.is_empty() => Ok(Self::Identity {
                owner: account,
                identity: name.into(),
            }),
            Some(("configuration-set", name)) if !name.is_empty() => Ok(Self::ConfigurationSet {
                account,
                name: name.to_owned(),
            }),
            _ => Err(InvalidSesResource),
        }
    }
}
