//! For whom a suppression holds, and what caused it.

use std::fmt;
use std::str::FromStr;

use notification_model::{AccountId, Mail, normalise_domain};

use crate::inbound::MailboxKey;

/// For whom a suppression holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Every sender, because the address does not exist. Written `global`.
    Global,
    /// One SES tenant of this account. Written `tenant:NAME`.
    Tenant(String),
    /// One SES tenant of another account, which may have the name of one of this account. Written `tenant:ACCOUNT/NAME`.
    TenantOf(AccountId, String),
    /// The identities of one domain. Written `domain:NAME`.
    Domain(String),
    /// The forwards of one mailbox: an address, a domain or `*`. Written `forward:MAILBOX`. No other mail is affected.
    Forward(String),
}

/// A text is not a scope: `global`, `tenant:NAME`, `tenant:ACCOUNT/NAME`, `domain:NAME` or `forward:MAILBOX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a scope: global, tenant:NAME, tenant:ACCOUNT/NAME, domain:NAME or forward:MAILBOX")]
pub struct InvalidScope;

impl Scope {
    /// Returns the scope of the sender of a message: the tenant, or else the sending domain. A message without either has the
    /// scope `domain:unknown`, which no sender checks but an operator can list.
    ///
    /// `account` is the account whose tenants need no account in their scope. `None`: those of every account.
    #[must_use]
    pub fn of(mail: &Mail, account: Option<&AccountId>) -> Self {
        let other_account = mail
            .sending_account_id
            .as_ref()
            .filter(|sending| account.is_some_and(|account| account != *sending));
        match (mail.tenant(), mail.sending_domain()) {
            (Some(tenant), _) => match other_account {
                Some(other) => Self::TenantOf(other.clone(), tenant.to_owned()),
                None => Self::Tenant(tenant.to_owned()),
            },
            (None, Some(domain)) if !domain.is_empty() => Self::Domain(domain),
            (None, _) => Self::Domain("unknown".to_owned()),
        }
    }

    /// Returns the scope of the forwards of a mailbox.
    #[must_use]
    pub fn forwards_of(mailbox: &MailboxKey) -> Self {
        Self::Forward(mailbox.to_string())
    }

    /// Returns the scope of a tenant, written `NAME` or `ACCOUNT/NAME`.
    #[must_use]
    pub fn of_tenant(text: &str) -> Self {
        let other = text
            .split_once('/')
            .and_then(|(account, name)| Some((account.parse().ok()?, name)));
        match other {
            Some((account, name)) => Self::TenantOf(account, name.to_owned()),
            None => Self::Tenant(text.to_owned()),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Tenant(name) => write!(f, "tenant:{name}"),
            Self::TenantOf(account, name) => write!(f, "tenant:{account}/{name}"),
            Self::Domain(name) => write!(f, "domain:{name}"),
            Self::Forward(mailbox) => write!(f, "forward:{mailbox}"),
        }
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "global" => Ok(Self::Global),
            Some(("tenant", name)) if !name.is_empty() => Ok(Self::of_tenant(name)),
            Some(("domain", name)) if !name.is_empty() => Ok(Self::Domain(normalise_domain(name))),
            Some(("forward", mailbox)) => mailbox
                .parse()
                .map(|key| Self::forwards_of(&key))
                .map_err(|_| InvalidScope),
            _ => Err(InvalidScope),
        }
    }
}

/// What caused a suppression entry. Each source has an entry of its own, so that none overwrites another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SuppressionSource {
    /// A hard bounce that SES itself confirms.
    Bounce,
    /// Hard bounces that SES itself does not confirm, without a delivery after them.
    UnconfirmedBounce,
    /// A complaint, or its withdrawal (`not-spam`).
    Complaint,
    /// Soft bounces without a delivery between them.
    Streak,
    /// SES did not send because of its own suppression list. The entry expires, because that list may change.
    SesList,
    /// The recipient unsubscribed from all mail of the scope.
    Unsubscribe,
    /// A manual suppression.
    Manual,
    /// A manual release: `blocked` is false, and it voids every older entry of the scope.
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
            Self::UnconfirmedBounce => f.write_str("unconfirmed-bounce"),
            Self::Complaint => f.write_str("complaint"),
            Self::Streak => f.write_str("streak"),
            Self::SesList => f.write_str("ses-list"),
            Self::Unsubscribe => f.write_str("unsubscribe"),
            Self::Manual => f.write_str("manual"),
            Self::Released => f.write_str("released"),
            // The name of an attribute is `<scope>|<source>`.
            Self::List(list) => write!(f, "list:{}", list.replace('|', "%7C")),
            Self::Topic(topic) => write!(f, "topic:{}", topic.replace('|', "%7C")),
        }
    }
}

impl SuppressionSource {
    pub(crate) fn read(text: &str) -> Option<Self> {
        Some(match text {
            "bounce" => Self::Bounce,
            "unconfirmed-bounce" => Self::UnconfirmedBounce,
            "complaint" => Self::Complaint,
            "streak" => Self::Streak,
            "ses-list" => Self::SesList,
            "unsubscribe" => Self::Unsubscribe,
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
