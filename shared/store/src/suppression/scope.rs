//! Where a suppression holds, and who asked for it.

use std::fmt;
use std::str::FromStr;

use notification_model::{Mail, normalise_domain};

/// Where a suppression holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// For everyone: the address does not exist. Written `global`.
    Global,
    /// For one SES tenant. Written `tenant:NAME`.
    Tenant(String),
    /// For the identities of one domain. Written `domain:NAME`.
    Domain(String),
}

/// The text is none of `global`, `tenant:NAME` and `domain:NAME`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a scope: global, tenant:NAME or domain:NAME")]
pub struct InvalidScope;

impl Scope {
    /// The scope of what one sender's recipient wants: the tenant's, else the sending domain's. A message that tells
    /// neither is nobody's: `domain:unknown`, which people can look up and no sender asks for.
    #[must_use]
    pub fn of(mail: &Mail) -> Self {
        match (mail.tenant(), mail.sending_domain()) {
            (Some(tenant), _) => Self::Tenant(tenant.to_owned()),
            (None, Some(domain)) if !domain.is_empty() => Self::Domain(domain),
            (None, _) => Self::Domain("unknown".to_owned()),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Tenant(name) => write!(f, "tenant:{name}"),
            Self::Domain(name) => write!(f, "domain:{name}"),
        }
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "global" => Ok(Self::Global),
            Some(("tenant", name)) if !name.is_empty() => Ok(Self::Tenant(name.to_owned())),
            Some(("domain", name)) if !name.is_empty() => Ok(Self::Domain(normalise_domain(name))),
            _ => Err(InvalidScope),
        }
    }
}

/// What a decision rests on. Each origin has its own register, so that one never hides another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SuppressionSource {
    /// A hard bounce.
    Bounce,
    /// A complaint, or its withdrawal (`not-spam`).
    Complaint,
    /// Soft bounces in a row.
    Streak,
    /// SES refused to send because of its own list; the register expires, as that list is SES's to change.
    SesList,
    /// A person who suppressed.
    Manual,
    /// A person who released: never blocked, and every older decision in the scope is void.
    Released,
    /// The recipient left a whole contact list.
    List(String),
    /// The recipient left one topic of a contact list, written `list/topic`.
    Topic(String),
}

impl fmt::Display for SuppressionSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bounce => f.write_str("bounce"),
            Self::Complaint => f.write_str("complaint"),
            Self::Streak => f.write_str("streak"),
            Self::SesList => f.write_str("ses-list"),
            Self::Manual => f.write_str("manual"),
            Self::Released => f.write_str("released"),
            // The bar ends a scope in an attribute's name.
            Self::List(list) => write!(f, "list:{}", list.replace('|', "%7C")),
            Self::Topic(topic) => write!(f, "topic:{}", topic.replace('|', "%7C")),
        }
    }
}

impl SuppressionSource {
    pub(crate) fn read(text: &str) -> Option<Self> {
        Some(match text {
            "bounce" => Self::Bounce,
            "complaint" => Self::Complaint,
            "streak" => Self::Streak,
            "ses-list" => Self::SesList,
            "manual" => Self::Manual,
            "released" => Self::Released,
            _ => match text.split_once(':')? {
                ("list", list) => Self::List(list.replace("%7C", "|")),
                ("topic", topic) => Self::Topic(topic.replace("%7C", "|")),
                _ => return None,
            },
        })
    }
}
